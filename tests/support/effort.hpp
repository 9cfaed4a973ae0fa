// How much a test does: less where a sanitizer or an emulator makes everything ten times slower.
#pragma once

namespace byteformer::test {

/// `count` trials, files or bytes, or a small part of them.
constexpr int effort(int count) {
#ifdef BYTEFORMER_RUNS_SLOWLY
  return (count + 24) / 25;
#else
  return count;
#endif
}

}  // namespace byteformer::test
