// Errors: the stable names of their codes, and their messages.
#include "byteformer/error.hpp"

#include "base/text.hpp"

namespace byteformer {

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument: return "invalid_argument";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kPermissionDenied: return "permission_denied";
    case ErrorCode::kNotARegularFile: return "not_a_regular_file";
    case ErrorCode::kEmptyFile: return "empty_file";
    case ErrorCode::kTooManyTokens: return "too_many_tokens";
    case ErrorCode::kFileChanged: return "file_changed";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kAlreadyExists: return "already_exists";
    case ErrorCode::kInvalidFormat: return "invalid_format";
    case ErrorCode::kInvalidModel: return "invalid_model";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kInternal: return "internal";
  }
  return "internal";
}

Error::Error(ErrorCode code, const std::string& subject, const std::string& message)
    : std::runtime_error(base::printable(subject) + ": " + message),
      code_(code),
      subject_(std::make_shared<const std::string>(subject)) {}

const std::string& Error::subject() const noexcept {
  static const std::string kNothing;
  return subject_ ? *subject_ : kNothing;
}

}  // namespace byteformer
