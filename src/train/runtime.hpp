// What a run takes from the machine it is on, without influence on its result.
#pragma once

namespace byteformer::train {

class Ranks;

struct Runtime {
  int num_threads = 0;     ///< 0: one per processor
  int num_workers = 1;     ///< threads that read, augment and encode files
  Ranks* ranks = nullptr;  ///< those that train together; null: this process alone
};

/// Whether LibTorch finds a GPU.
bool has_cuda();

}  // namespace byteformer::train
