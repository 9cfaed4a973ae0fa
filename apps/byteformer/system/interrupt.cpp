// Implementation of interrupt.hpp with sigaction(2).
#include "system/interrupt.hpp"

#include <csignal>

namespace byteformer::cli {
namespace {

volatile std::sig_atomic_t interrupt_flag = 0;

}  // namespace

void watch_for_interrupt() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupt_flag = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // without SA_RESTART, so that a waiting read returns
  ::sigaction(SIGINT, &action, nullptr);
}

bool interrupted() noexcept { return interrupt_flag != 0; }

}  // namespace byteformer::cli
