// How many trials a property test makes: fewer where a sanitizer makes each of them ten times slower.
#pragma once

namespace byteformer::test {

constexpr int trials(int count) {
#ifdef BYTEFORMER_IS_SANITIZED
  return (count + 9) / 10;
#else
  return count;
#endif
}

}  // namespace byteformer::test
