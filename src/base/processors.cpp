// Asks Linux; elsewhere the C++ library knows how many processors there are, and no thread stays anywhere.
#include "base/processors.hpp"

#include <algorithm>
#include <cstddef>
#include <thread>

#ifdef __linux__
#include <sched.h>
#endif

namespace byteformer::base {

std::vector<int> allowed_processors() {
  std::vector<int> allowed;
#ifdef __linux__
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0)  // fails where there are more than CPU_SETSIZE
    for (int processor = 0; processor < CPU_SETSIZE; ++processor)
      if (CPU_ISSET(processor, &set)) allowed.push_back(processor);
#endif
  return allowed;
}

int num_processors() {
  const std::size_t number = allowed_processors().size();
  return static_cast<int>(number > 0 ? number : std::max(1U, std::thread::hardware_concurrency()));
}

int or_processors(int num_threads) { return num_threads > 0 ? num_threads : num_processors(); }

bool stay_on([[maybe_unused]] int processor) noexcept {
#ifdef __linux__
  if (processor < 0 || processor >= CPU_SETSIZE) return false;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  return ::sched_setaffinity(0, sizeof set, &set) == 0;
#else
  return false;
#endif
}

}  // namespace byteformer::base
