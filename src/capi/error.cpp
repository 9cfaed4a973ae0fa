// Errors and versions as C sees them.
#include <cstddef>
#include <new>
#include <utility>

#include "byteformer/version.hpp"
#include "capi/border.hpp"

struct bf_error {
  byteformer::capi::Alive<0x45524631> alive = {};
  int code = BF_OK;
  std::string message = {};
  std::string subject = {};
};

namespace byteformer::capi {
namespace {

constexpr int code_of(ErrorCode code) noexcept { return static_cast<int>(code) + 1; }
static_assert(code_of(ErrorCode::kInvalidArgument) == BF_INVALID_ARGUMENT);
static_assert(code_of(ErrorCode::kNotFound) == BF_NOT_FOUND);
static_assert(code_of(ErrorCode::kPermissionDenied) == BF_PERMISSION_DENIED);
static_assert(code_of(ErrorCode::kNotARegularFile) == BF_NOT_A_REGULAR_FILE);
static_assert(code_of(ErrorCode::kEmptyFile) == BF_EMPTY_FILE);
static_assert(code_of(ErrorCode::kTooManyTokens) == BF_TOO_MANY_TOKENS);
static_assert(code_of(ErrorCode::kFileChanged) == BF_FILE_CHANGED);
static_assert(code_of(ErrorCode::kIo) == BF_IO);
static_assert(code_of(ErrorCode::kAlreadyExists) == BF_ALREADY_EXISTS);
static_assert(code_of(ErrorCode::kInvalidFormat) == BF_INVALID_FORMAT);
static_assert(code_of(ErrorCode::kInvalidModel) == BF_INVALID_MODEL);
static_assert(code_of(ErrorCode::kUnsupported) == BF_UNSUPPORTED);
static_assert(code_of(ErrorCode::kInternal) == BF_INTERNAL);
static_assert(code_of(ErrorCode::kNotPrepared) == BF_NOT_PREPARED);

/// Made when the library is loaded, never destroyed, and without memory of its own.
alignas(bf_error) std::byte no_memory_place[sizeof(bf_error)];
bf_error& no_memory = *new (no_memory_place) bf_error{.code = BF_OUT_OF_MEMORY};

bf_error* make(int code, std::string message, std::string subject) {
  return new bf_error{.code = code, .message = std::move(message), .subject = std::move(subject)};
}

}  // namespace

bf_error* make_error(const Error& error) noexcept {
  try {
    return make(code_of(error.code()), error.what(), error.subject());
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

bf_error* make_error(int code, const char* message) noexcept {
  try {
    return make(code, message, {});
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

bf_error* out_of_memory() noexcept { return &no_memory; }

}  // namespace byteformer::capi

using namespace byteformer;

uint32_t bf_abi_version(void) { return BF_ABI_VERSION; }

const char* bf_version(void) { return version(); }

int bf_error_code(const bf_error* error) { return capi::checked(error) == nullptr ? BF_OK : error->code; }

const char* bf_error_name(const bf_error* error) {
  switch (const int code = bf_error_code(error)) {
    case BF_OK: return "ok";
    case BF_OUT_OF_MEMORY: return "out_of_memory";
    default: return to_string(static_cast<ErrorCode>(code - 1)).data();  // a literal, which ends in 0
  }
}

const char* bf_error_message(const bf_error* error) {
  if (error == &capi::no_memory) return "there is not enough memory";
  return capi::checked(error) == nullptr ? "" : error->message.c_str();
}

const char* bf_error_subject(const bf_error* error, size_t* size) {
  const bool is_error = capi::checked(error) != nullptr;
  if (size != nullptr) *size = is_error ? error->subject.size() : 0;
  return is_error ? error->subject.c_str() : "";
}

void bf_error_free(bf_error* error) {
  if (error != &capi::no_memory) delete capi::checked(error);
}
