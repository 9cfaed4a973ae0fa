// What an action throws, as a value: for files that share threads and never each other's fate.
#pragma once

#include <new>
#include <optional>

#include "byteformer/error.hpp"

namespace byteformer::cli {

/// The error that `action` ended in; nothing if it ended well.
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
