// Names and addresses of the machines of ranks.
#pragma once

#include <string>

#include "train/world.hpp"

namespace byteformer::train {

/// "node7, process 4711"
std::string own_name();

/// \throws Error kIo where the name of rank 0's machine stays unknown: c10d would try until the timeout.
void require_host(const World& world);

/// The address of this machine under which the other ranks reach it. Gloo's own choice, the machine's name, is
/// 127.0.1.1 on many.
std::string own_address(const World& world);

}  // namespace byteformer::train
