// How the server loads models: files are judged and prepared before they come to them.
#pragma once

#include "byteformer/classifier.hpp"

namespace byteformer::serve {

inline LoadOptions reads_as_is() {
  LoadOptions options;
  options.as_is = true;
  return options;
}

}  // namespace byteformer::serve
