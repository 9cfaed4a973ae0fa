// How much a test does: less where a sanitizer or an emulator makes everything ten times slower.
#pragma once

namespace byteformer::test {

#ifdef BYTEFORMER_RUNS_SLOWLY
constexpr bool kRunsSlowly = true;
#else
constexpr bool kRunsSlowly = false;
#endif

/// `count` trials, files or bytes, or a small part of them.
constexpr int effort(int count) { return kRunsSlowly ? (count + 24) / 25 : count; }

/// Whether the thread sanitizer watches. Threads share work alike whatever the instructions, so there the portable
/// ones, which take ten times as long as all others together, may be left out.
#ifdef __SANITIZE_THREAD__
constexpr bool kOnlyThreadsMatter = true;
#else
constexpr bool kOnlyThreadsMatter = false;
#endif

}  // namespace byteformer::test
