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

/// The opcodes of Python's pickle (PEP 307, PEP 3154) that state dicts are made of.
using Opcode = std::uint8_t;
inline constexpr Opcode kProto = 0x80, kFrame = 0x95, kStop = '.';
inline constexpr Opcode kNone = 'N', kNewTrue = 0x88, kNewFalse = 0x89, kBinFloat = 'G';
inline constexpr Opcode kBinInt = 'J', kBinInt1 = 'K', kBinInt2 = 'M', kLong1 = 0x8A, kLong4 = 0x8B;
inline constexpr Opcode kBinString = 'T', kShortBinString = 'U';
inline constexpr Opcode kBinUnicode = 'X', kShortBinUnicode = 0x8C, kBinUnicode8 = 0x8D;
inline constexpr Opcode kBinBytes = 'B', kShortBinBytes = 'C', kBinBytes8 = 0x8E, kByteArray8 = 0x96;
inline constexpr Opcode kMark = '(', kPop = '0', kPopMark = '1', kDup = '2';
inline constexpr Opcode kEmptyTuple = ')', kTuple = 't', kTuple1 = 0x85, kTuple2 = 0x86, kTuple3 = 0x87;
inline constexpr Opcode kEmptyList = ']', kAppend = 'a', kAppends = 'e';
inline constexpr Opcode kEmptyDict = '}', kSetItem = 's', kSetItems = 'u';
inline constexpr Opcode kEmptySet = 0x8F, kAddItems = 0x90, kFrozenSet = 0x91;
inline constexpr Opcode kBinPut = 'q', kLongBinPut = 'r', kMemoize = 0x94, kBinGet = 'h', kLongBinGet = 'j';
inline constexpr Opcode kGlobal = 'c', kStackGlobal = 0x93, kReduce = 'R', kBuild = 'b', kBinPersId = 'Q';
inline constexpr Opcode kNewObj = 0x81, kNewObjEx = 0x92;

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
