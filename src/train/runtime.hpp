// What a run takes from the machine it is on, without influence on its result.
#pragma once

namespace byteformer::train {

struct Runtime {
  int num_threads = 0;  ///< 0: one per processor
  int num_workers = 1;  ///< threads that read, augment and encode files
};

/// Prepares a program that trains, at the start of its main: LibTorch's thread libraries spin while they wait, which
/// takes a small machine's time from the threads that work; tensors of one step are those of the next, so that memory
/// that is given back would be cleared each time; and they are large, so that huge pages spare their translation. The
/// libraries read the environment when they are loaded: the program starts itself once more, with the same `argv`.
void tune_process(char** argv);

/// Whether LibTorch finds a GPU.
bool has_cuda();

}  // namespace byteformer::train
