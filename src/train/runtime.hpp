// What a run takes from the machine it is on, without influence on its result.
#pragma once

#include <optional>

namespace byteformer::train {

class Ranks;

struct Runtime {
  int num_threads = 0;     ///< 0: one per processor
  int num_workers = 1;     ///< threads that read, augment and encode files
  Ranks* ranks = nullptr;  ///< those that train together; null: this process alone
  /// Seconds from a checkpoint to the next; none: 2, or so many that checkpoints cost a twentieth of the time.
  std::optional<double> checkpoint_interval_s = {};
};

/// Whether LibTorch finds a GPU.
bool has_cuda();

}  // namespace byteformer::train
