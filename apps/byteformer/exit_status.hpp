// How a run ends: exit statuses, and the exceptions that lead to them, which may also be values.
#pragma once

#include <stdexcept>

#include "base/error_of.hpp"

namespace byteformer::cli {

inline constexpr int kExitOk = 0;             ///< everything went well
inline constexpr int kExitInputFailed = 1;    ///< some or all inputs failed; the others are answered
inline constexpr int kExitUsage = 2;          ///< the command line makes no sense
inline constexpr int kExitFailure = 3;        ///< the model cannot be used, output cannot be written, or a bug
inline constexpr int kExitInterrupted = 130;  ///< Ctrl-C, as shells report it

/// The command line asks for something that makes no sense; the message says what, and the reader is sent to --help.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Thrown when the reader of our output has gone away, as `head` does: a reason to end, not an error.
struct ClosedPipe {};

using base::error_of;

}  // namespace byteformer::cli
