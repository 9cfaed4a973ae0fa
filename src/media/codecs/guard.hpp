// Running C code that reports errors by longjmp.
#pragma once

#include <csetjmp>

namespace byteformer::media::codecs {

/// Runs `step` and says whether it came to its end, rather than jumping to `jump`. Between the two there must be no
/// object with a destructor: `step` is a lambda that captures by reference and calls the C library.
template <typename Step>
bool completes(std::jmp_buf& jump, const Step& step) {
  if (setjmp(jump) != 0) return false;
  step();
  return true;
}

}  // namespace byteformer::media::codecs
