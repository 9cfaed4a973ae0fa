// What there is to know about this machine and this process, and how fast it can be.
#pragma once

#include <cstdint>
#include <string>

namespace byteformer::cli {

std::string processor_name();         ///< as the system tells it; empty if it does not
std::uint64_t physical_memory();      ///< bytes
std::string operating_system();       ///< "Linux 6.1.0 x86_64"
std::uint64_t peak_resident_bytes();  ///< most physical memory that this process has had so far

struct PeakFlops {
  double flops_per_second = 0;  ///< all threads together; a fused multiply-add counts as two
  const char* vectors = "";     ///< "AVX-512", "AVX2" or "128-bit"
};

/// Runs independent fused multiply-adds in registers on `num_threads` threads, the widest vectors that the machine has,
/// and takes the best of a few short rounds. Takes well under a second.
PeakFlops measure_peak_flops(int num_threads);

}  // namespace byteformer::cli
