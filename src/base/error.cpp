// Errors: the stable names of their codes, and their messages.
#include "byteformer/error.hpp"

#include <array>

#include "base/text.hpp"

namespace byteformer {

std::string_view to_string(ErrorCode code) noexcept {
  static constexpr std::array<std::string_view, 14> kNames{
      // in the order of the codes
      "invalid_argument", "not_found",   "permission_denied", "not_a_regular_file", "empty_file",    "too_many_tokens",
      "file_changed",     "io",          "already_exists",    "invalid_format",     "invalid_model", "unsupported",
      "internal",         "not_prepared"};
  static_assert(kNames.size() == static_cast<std::size_t>(ErrorCode::kNotPrepared) + 1);
  return kNames[static_cast<std::size_t>(code)];
}

Error::Error(ErrorCode code, const std::string& subject, const std::string& message)
    : std::runtime_error(base::printable(subject) + ": " + message),
      code_(code),
      subject_(std::make_shared<const std::string>(subject)) {}

const std::string& Error::subject() const noexcept {
  static const std::string nothing;
  return subject_ ? *subject_ : nothing;
}

}  // namespace byteformer
