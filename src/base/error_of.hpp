// An error as a value.
#pragma once

#include <exception>
#include <new>
#include <optional>

#include "byteformer/error.hpp"

namespace byteformer::base {

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

}  // namespace byteformer::base
