// What the libraries of byteformer-train read in the environment when they are loaded.
#pragma once

namespace byteformer::cli {

/// Sets it for this process, and so for those that it starts; what is set already stays. LibTorch's thread libraries
/// spin while they wait, which takes a small machine's time from the threads that work; tensors are large, so that huge
/// pages spare their translation. Loading LibTorch takes half a second, so who starts byteformer-train calls this
/// before: otherwise the program has to start itself once more. \returns false where it was called before, here or in a
/// process that started this one.
bool set_trainer_environment();

}  // namespace byteformer::cli
