// The table behind pickle_globals.hpp.
#include "interop/pickle.hpp"

#include <algorithm>
#include <array>

#include "format/text.hpp"

namespace byteformer::interop::pickle {
namespace {

using format::DType;

struct StorageClass {
  std::string_view name;
  DType dtype;
};

constexpr std::array kStorageClasses{
    StorageClass{"FloatStorage", DType::kF32},     StorageClass{"HalfStorage", DType::kF16},
    StorageClass{"BFloat16Storage", DType::kBF16}, StorageClass{"DoubleStorage", DType::kF64},
    StorageClass{"LongStorage", DType::kI64},      StorageClass{"IntStorage", DType::kI32},
    StorageClass{"ShortStorage", DType::kI16},     StorageClass{"CharStorage", DType::kI8},
    StorageClass{"ByteStorage", DType::kU8},       StorageClass{"BoolStorage", DType::kBool},
};

}  // namespace

Value find_global(std::string_view module, std::string_view name) {
  if (module == "collections" && name == "OrderedDict") return Callable::kOrderedDict;
  if (module == "torch._utils" && name == "_rebuild_tensor_v2") return Callable::kRebuildTensor;
  if (module == "torch._utils" && name == "_rebuild_parameter") return Callable::kRebuildParameter;
  if (module == "torch" && name == "Size") return Callable::kSize;
  if (module == "torch.storage" && name == "UntypedStorage") return StorageType{DType::kU8};
  const Foreign foreign{module, name};
  if (module != "torch") return foreign;
  const auto* found = std::ranges::find(kStorageClasses, name, &StorageClass::name);
  if (found == kStorageClasses.end()) return foreign;
  return StorageType{found->dtype};
}

std::string_view storage_class(DType dtype) {
  const auto* found = std::ranges::find(kStorageClasses, dtype, &StorageClass::dtype);
  if (found == kStorageClasses.end()) format::fail(ErrorCode::kInternal, "no storage class for ", to_string(dtype));
  return found->name;
}

}  // namespace byteformer::interop::pickle
