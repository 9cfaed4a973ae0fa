// How a run ends: exit statuses, and the exceptions that lead to them, which may also be values.
#pragma once

#include <new>
#include <optional>
#include <stdexcept>

#include "byteformer/error.hpp"

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

/// The error that `action` ended in; nothing if it ended well: for files that share threads and never each other's
/// fate.
template <typename Action>
std::optional<Error> error_of(const Action& action) noexcept {
  try {
    action();
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kUnsupported, "needs more memory than there is");
  } catch (const std::exception& error) {
    return Error(ErrorCode::kInternal, error.what());
  }
}

}  // namespace byteformer::cli
