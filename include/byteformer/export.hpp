// Marks what the shared library shows to the outside; everything else in it is hidden.
#pragma once

#if __cplusplus < 202002L
#error "byteformer needs C++20: compile with -std=c++20"
#endif

#if defined(__GNUC__) || defined(__clang__)
#define BYTEFORMER_EXPORT __attribute__((visibility("default")))
#else
#define BYTEFORMER_EXPORT
#endif
