// The globals that mean something in a checkpoint's pickle.
#pragma once

#include <string_view>
#include <variant>

#include "interop/pickle.hpp"

namespace byteformer::interop::pickle {

/// What `module`.`name` stands for: Foreign if it is not on the list.
Value find_global(std::string_view module, std::string_view name);

/// The storage class that holds `dtype`, in module torch: "FloatStorage".
std::string_view storage_class(format::DType dtype);

}  // namespace byteformer::interop::pickle
