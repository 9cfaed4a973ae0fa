// The processors that this process may use, and threads that stay on one of them.
#pragma once

#include <vector>

namespace byteformer::base {

/// Their numbers, in ascending order; none where the system does not say. Thread-safe.
std::vector<int> allowed_processors();

/// How many there are, at least 1. Thread-safe.
int num_processors();

/// `num_threads`, or one per processor where it is 0.
int or_processors(int num_threads);

/// Keeps the calling thread on `processor` from now on. \returns whether the system does so
bool stay_on(int processor) noexcept;

}  // namespace byteformer::base
