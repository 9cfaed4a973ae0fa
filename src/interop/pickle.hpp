// Reads the pickle of a PyTorch checkpoint as data: an allow-list of opcodes, and of globals that mean something;
// nothing is executed.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "format/tensors.hpp"

namespace byteformer::interop::pickle {

/// Names a value of one Pickle. Values refer to each other by it, so a pickle that contains itself costs nothing.
using ValueId = std::uint32_t;

/// A value that no weights file needs: None, a bool, a float, bytes, a large integer.
struct Ignored {};

/// What a global that is not on the list stands for, or made: it is only stepped over, nothing is imported or called.
/// An error where a state dict needs it, and of no interest beside the weights (numpy's numbers, argparse's Namespace).
struct Foreign {
  std::string_view module, name;  ///< of the global
};

/// A tuple or a list.
struct Sequence {
  std::vector<ValueId> items;
};

/// A dict or an OrderedDict, in the order of insertion; keys may repeat.
struct Dict {
  std::vector<std::pair<ValueId, ValueId>> items;
};

/// The globals that may be called. Calling one makes a value of this module, nothing else.
enum class Callable { kOrderedDict, kRebuildTensor, kRebuildParameter, kSize };

/// A storage class such as torch.FloatStorage.
struct StorageType {
  format::DType dtype;
};

/// A persistent id: the raw elements that lie beside the pickle under `key`.
struct StorageRef {
  format::DType dtype;
  std::string_view key;
  std::uint64_t num_elements;
};

/// A strided view of a storage, counted in elements. Nothing about it has been checked but the signs.
struct TensorRef {
  StorageRef storage;
  std::uint64_t offset;
  std::vector<std::int64_t> shape, strides;
};

/// Texts are views into the pickle's bytes.
using Value = std::variant<Ignored, Foreign, std::int64_t, std::string_view, Sequence, Dict, Callable, StorageType,
                           StorageRef, TensorRef>;

struct Pickle {
  std::deque<Value> values;
  ValueId root = 0;

  template <typename T>
  const T* get_if(ValueId id) const {
    return std::get_if<T>(&values[id]);
  }
};

/// What `value` is, for a message: "a dict", "a tensor", "an object of argparse.Namespace".
std::string kind_of(const Value& value);

/// Interprets `bytes`, which must outlive the result; `source` stands in messages. Numbers of objects, memo entries and
/// stack slots are bounded, and so is the memory that each byte may cost.
/// \throws Error kInvalidFormat naming `source` and the offset for a malformed pickle; kUnsupported naming an opcode
///         that is not on the list.
Pickle read(std::span<const std::byte> bytes, const std::string& source);

/// What `module`.`name` stands for: Foreign if it is not on the list.
Value find_global(std::string_view module, std::string_view name);

/// The storage class that holds `dtype`, in module torch: "FloatStorage".
std::string_view storage_class(format::DType dtype);

}  // namespace byteformer::interop::pickle
