// The one exception type of byteformer: a code for programs and a message for people.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "byteformer/export.hpp"

namespace byteformer {

/// Why an operation failed. The names in `to_string` are stable: programs may compare them.
enum class ErrorCode {
  kInvalidArgument,   ///< The caller asked for something that makes no sense (usage).
  kNotFound,          ///< A path does not exist.
  kPermissionDenied,  ///< A path exists but may not be read or written.
  kNotARegularFile,   ///< A directory, FIFO, socket or device where a file was expected.
  kEmptyFile,         ///< A file of zero bytes: there is nothing to classify.
  kTooManyTokens,     ///< The file needs more positions than the model has.
  kFileChanged,       ///< The file grew or shrank while it was read.
  kIo,                ///< The operating system failed to read or write (disk full, I/O error).
  kAlreadyExists,     ///< The output exists and would have been overwritten.
  kInvalidFormat,     ///< A configuration, checkpoint or label file is malformed.
  kInvalidModel,      ///< Configuration and weights contradict each other, or weights are not finite.
  kUnsupported,       ///< Well-formed, but a feature that this build does not have.
  kInternal,          ///< A bug in byteformer.
  kNotPrepared,       ///< The bytes are not in the form that the model reads.
};

/// The code's stable name in snake_case, for example "too_many_tokens".
BYTEFORMER_EXPORT std::string_view to_string(ErrorCode code) noexcept;

/// Thrown by every function of the library that fails.
///
/// `what()` names the path or tensor, what was expected, what was found, and what to do about it. Copying never throws.
/// Its layout is part of the library's C++ ABI, which is that of one compiler and one version of this library: build
/// programs against the headers that the library came with.
class BYTEFORMER_EXPORT Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  /// `what()` is "subject: message", the subject with escapes (\xNN) for what a terminal should not get.
  /// \param subject  what it is about, mostly a path (any bytes)
  Error(ErrorCode code, const std::string& subject, const std::string& message);

  ErrorCode code() const noexcept { return code_; }
  /// As it was given, for programs; empty where the error is about nothing in particular.
  const std::string& subject() const noexcept;

 private:
  ErrorCode code_;
  std::shared_ptr<const std::string> subject_;  // null: nothing in particular
};

}  // namespace byteformer
