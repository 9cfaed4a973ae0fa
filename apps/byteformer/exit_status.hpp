// What the process says when it ends: exit statuses, and the exception for a command line that makes no sense.
#pragma once

#include <stdexcept>

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

}  // namespace byteformer::cli
