// Ctrl-C as a flag that loops look at, so that output ends at a line's end and a training run at a step's end.
#pragma once

#include <csignal>
#include <initializer_list>

namespace byteformer::cli {

/// Thrown where waiting for input was cut short by Ctrl-C.
struct Interrupted {};

/// From now on the first of `signals` sets the flag, and a later one ends the process at once. Signals that arrive
/// within half a second of the first count as the same one: timeout(1) and some supervisors signal the process and then
/// its whole group, so that one request comes twice.
void watch_for_interrupt(std::initializer_list<int> signals = {SIGINT});

bool interrupted() noexcept;

}  // namespace byteformer::cli
