// `byteformer inspect --system`: what this machine offers and what this program was built with.
#pragma once

#include <string>

namespace byteformer::cli {

std::string system_text();
std::string system_json();

}  // namespace byteformer::cli
