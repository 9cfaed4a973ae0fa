// Where a checkpoint keeps its weights, and how each tensor lies in its storage.
#include "interop/state_dict.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "format/text.hpp"

namespace byteformer::interop {

namespace {

using format::excerpt;
using format::fail;
using pickle::Dict;
using pickle::Foreign;
using pickle::Pickle;

constexpr std::size_t kMaxListedKeys = 6;
constexpr std::array<std::string_view, 5> kUsualKeys{"state_dict", "model_state_dict", "model", "weights", "module"};

bool holds_tensors(const Pickle& pickle, const Dict& dict) {
  for (const auto& item : dict.items)
    if (pickle.get_if<pickle::TensorRef>(item.second) != nullptr) return true;
  return false;
}

const Dict* find_nested(const Pickle& pickle, const Dict& outer) {
  for (const std::string_view usual : kUsualKeys)
    for (const auto& [key, value] : outer.items) {
      const auto* name = pickle.get_if<std::string_view>(key);
      if (name == nullptr || *name != usual) continue;
      if (const Dict* nested = pickle.get_if<Dict>(value)) return nested;
    }
  return nullptr;
}

std::string listed_keys(const Pickle& pickle, const Dict& dict) {
  std::string text;
  for (std::size_t i = 0; i < dict.items.size() && i < kMaxListedKeys; ++i) {
    const auto* name = pickle.get_if<std::string_view>(dict.items[i].first);
    text += (i > 0 ? ", " : "") + (name != nullptr ? excerpt(*name) : "(no string)");
  }
  return text + (dict.items.size() > kMaxListedKeys ? ", ..." : "");
}

[[noreturn]] void refuse(const Foreign& foreign, const std::string& source) {
  fail(ErrorCode::kUnsupported, base::About{source}, "the pickle refers to the global ", excerpt(foreign.module), '.',
       excerpt(foreign.name), ", which is not on the list of what a state dict needs; nothing was executed. ",
       "Save the weights alone, with torch.save(model.state_dict(), path)");
}

[[noreturn]] void fail_without_tensors(const Pickle& pickle, const Dict& dict, const std::string& source) {
  if (dict.items.empty()) fail(ErrorCode::kInvalidFormat, base::About{source}, "the state dict is empty");
  const auto& [key, value] = dict.items.front();
  const auto* name = pickle.get_if<std::string_view>(key);
  fail(ErrorCode::kInvalidFormat, base::About{source},
       "holds no state dict: ", name != nullptr ? "\"" + excerpt(*name) + "\" is " : "a key is no string, its value ",
       pickle::kind_of(pickle.values[value]), ", expected a tensor; its keys are ", listed_keys(pickle, dict),
       "; looked for a state dict there and under state_dict, model_state_dict, model, weights and module");
}

}  // namespace

std::map<std::string, const pickle::TensorRef*, std::less<>> find_state_dict(const Pickle& pickle,
                                                                             const std::string& source) {
  if (const auto* foreign = pickle.get_if<Foreign>(pickle.root)) refuse(*foreign, source);
  const Dict* dict = pickle.get_if<Dict>(pickle.root);
  if (dict == nullptr)
    fail(ErrorCode::kInvalidFormat, base::About{source}, "holds ", pickle::kind_of(pickle.values[pickle.root]),
         ", expected a state dict; save it with torch.save(model.state_dict(), path)");
  if (const Dict* nested = find_nested(pickle, *dict)) dict = nested;
  if (!holds_tensors(pickle, *dict)) fail_without_tensors(pickle, *dict, source);
  std::map<std::string, const pickle::TensorRef*, std::less<>> tensors;
  for (const auto& [key, value] : dict->items) {
    const auto* name = pickle.get_if<std::string_view>(key);
    const auto* tensor = pickle.get_if<pickle::TensorRef>(value);
    if (const auto* foreign = pickle.get_if<Foreign>(value))
      refuse(*foreign, source);                          // among weights, not beside them
    if (name == nullptr || tensor == nullptr) continue;  // an epoch, a score
    if (!tensors.emplace(*name, tensor).second)
      fail(ErrorCode::kInvalidFormat, base::About{source}, "the state dict has ", excerpt(*name), " twice");
  }
  return tensors;
}

namespace {

using format::fail;
using format::shape_text;
using pickle::TensorRef;

bool is_empty(const TensorRef& tensor) { return std::ranges::find(tensor.shape, 0) != tensor.shape.end(); }

/// Checks that the first and the last element (strides are not negative) lie inside the storage.
void check_bounds(const TensorRef& tensor, const std::string& where) {
  if (tensor.strides.size() != tensor.shape.size())
    fail(ErrorCode::kInvalidFormat, where, " has ", tensor.shape.size(), " dimensions, but ", tensor.strides.size(),
         " strides");
  bool overflows = tensor.offset > tensor.storage.num_elements;
  std::uint64_t last = tensor.offset;
  if (!is_empty(tensor)) {
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      std::uint64_t reach = 0;
      overflows |= __builtin_mul_overflow(static_cast<std::uint64_t>(tensor.shape[i] - 1),
                                          static_cast<std::uint64_t>(tensor.strides[i]), &reach);
      overflows |= __builtin_add_overflow(last, reach, &last);
    }
    overflows |= last >= tensor.storage.num_elements;
  }
  if (overflows)
    fail(ErrorCode::kInvalidFormat, where, " of shape ", shape_text(tensor.shape), " with strides ",
         shape_text(tensor.strides), " and offset ", tensor.offset, " reaches beyond its storage of ",
         tensor.storage.num_elements, " elements");
}

bool is_contiguous(const TensorRef& tensor) {
  std::uint64_t expected = 1;
  for (std::size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] != 1 && static_cast<std::uint64_t>(tensor.strides[i]) != expected) return false;
    if (__builtin_mul_overflow(expected, static_cast<std::uint64_t>(tensor.shape[i]), &expected)) return false;
  }
  return true;
}

/// Counts through all indices but those of the last dimension, keeping the element that each row starts at.
class RowCounter {
 public:
  explicit RowCounter(const TensorRef& tensor)
      : tensor_(tensor), index_(tensor.shape.size(), 0), start_(static_cast<std::size_t>(tensor.offset)) {}

  std::size_t start() const { return start_; }

  void advance() {
    for (std::size_t i = index_.size() - 1; i-- > 0;) {
      const auto stride = static_cast<std::size_t>(tensor_.strides[i]);
      start_ += stride;
      if (++index_[i] < tensor_.shape[i]) return;
      start_ -= stride * static_cast<std::size_t>(tensor_.shape[i]);
      index_[i] = 0;
    }
  }

 private:
  const TensorRef& tensor_;
  std::vector<std::int64_t> index_;
  std::size_t start_;
};

}  // namespace

std::optional<std::span<const std::byte>> contiguous_bytes(const TensorRef& tensor, std::span<const std::byte> storage,
                                                           const std::string& where) {
  check_bounds(tensor, where);
  const std::size_t element = format::size_of(tensor.storage.dtype);
  const auto from_offset = storage.subspan(static_cast<std::size_t>(tensor.offset) * element);
  if (is_empty(tensor)) return from_offset.first(0);
  if (!is_contiguous(tensor)) return std::nullopt;
  return from_offset.first(static_cast<std::size_t>(*format::num_bytes_of(tensor.shape, tensor.storage.dtype)));
}

std::vector<std::byte> contiguous_copy(const TensorRef& tensor, std::span<const std::byte> storage,
                                       std::uint64_t max_bytes, const std::string& where) {
  const auto num_bytes = format::num_bytes_of(tensor.shape, tensor.storage.dtype);
  if (!num_bytes || *num_bytes > max_bytes)
    fail(ErrorCode::kInvalidFormat, where, " of shape ", shape_text(tensor.shape), " with strides ",
         shape_text(tensor.strides), " would unfold to more than ", max_bytes,
         " bytes, far more than the file; save it with .contiguous()");
  const std::size_t element = format::size_of(tensor.storage.dtype);
  const auto row_size = static_cast<std::size_t>(tensor.shape.back());
  const auto row_stride = static_cast<std::size_t>(tensor.strides.back()) * element;
  std::vector<std::byte> copy(static_cast<std::size_t>(*num_bytes));
  RowCounter rows(tensor);
  for (std::size_t out = 0; out < copy.size(); rows.advance()) {
    const std::byte* in = storage.data() + rows.start() * element;
    for (std::size_t i = 0; i < row_size; ++i, out += element)
      std::memcpy(copy.data() + out, in + i * row_stride, element);
  }
  return copy;
}

}  // namespace byteformer::interop
