// The most float32 operations that this machine does in a second, measured, as the yardstick of `byteformer bench`.
#pragma once

namespace byteformer::cli {

struct PeakFlops {
  double flops_per_second = 0;  ///< all threads together; a fused multiply-add counts as two
  const char* vectors = "";     ///< "AVX-512", "AVX2" or "128-bit"
};

/// Runs independent fused multiply-adds in registers on `num_threads` threads, the widest vectors that the machine has,
/// and takes the best of a few short rounds. Takes well under a second.
PeakFlops measure_peak_flops(int num_threads);

}  // namespace byteformer::cli
