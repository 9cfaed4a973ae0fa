// Ctrl-C as a flag that loops look at, so that output ends at a line's end.
#pragma once

namespace byteformer::cli {

/// Thrown where waiting for input was cut short by Ctrl-C.
struct Interrupted {};

/// From now on the first Ctrl-C sets the flag; a second one ends the process at once.
void watch_for_interrupt();

bool interrupted() noexcept;

}  // namespace byteformer::cli
