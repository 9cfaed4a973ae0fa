// For targets whose parsers call the module of codecs: loads it before the search, so that what it covers counts, and
// so that a module that cannot be loaded is a failure rather than an answer to every input.
#pragma once

#include "media/codecs.hpp"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  byteformer::media::codecs();
  return 0;
}
