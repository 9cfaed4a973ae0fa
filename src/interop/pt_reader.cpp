// parse_pt: from a checkpoint's bytes, through the state dict in its pickle, to tensors that are views into them, or
// copies where they do not lie contiguously.
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/bytes_io.hpp"
#include "base/text.hpp"
#include "interop/checkpoint.hpp"
#include "interop/pickle.hpp"
#include "interop/zip.hpp"

namespace byteformer::interop {
namespace {

using base::as_text;
using base::excerpt;
using base::fail;
using base::fail_format;

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
  if (dict.items.empty()) fail_format(source, "the state dict is empty");
  const auto& [key, value] = dict.items.front();
  const auto* name = pickle.get_if<std::string_view>(key);
  fail_format(source, "holds no state dict: ",
              name != nullptr ? "\"" + excerpt(*name) + "\" is " : "a key is no string, its value ",
              pickle::kind_of(pickle.values[value]), ", expected a tensor; its keys are ", listed_keys(pickle, dict),
              "; looked for a state dict there and under state_dict, model_state_dict, model, weights and module");
}

/// The tensors of the state dict that `pickle` is, or holds under `state_dict`, `model_state_dict`, `model` or
/// `weights`; what else stands beside it is ignored, and so are plain values in it. `source` stands in messages.
/// \throws Error kInvalidFormat if there is none, or a tensor stands twice; kUnsupported naming the class of an
///         object that was saved instead of weights, or among them.
std::map<std::string, const pickle::TensorRef*, std::less<>> find_state_dict(const Pickle& pickle,
                                                                             const std::string& source) {
  if (const auto* foreign = pickle.get_if<Foreign>(pickle.root)) refuse(*foreign, source);
  const Dict* dict = pickle.get_if<Dict>(pickle.root);
  if (dict == nullptr)
    fail_format(source, "holds ", pickle::kind_of(pickle.values[pickle.root]),
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
    if (!tensors.emplace(*name, tensor).second) fail_format(source, "the state dict has ", excerpt(*name), " twice");
  }
  return tensors;
}

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

/// The bytes of `tensor` if it lies in `storage` contiguously and row-major (size-1 dimensions may have any stride);
/// nothing if it does not. `where` stands in messages.
/// \throws Error kInvalidFormat if any element lies outside the storage.
std::optional<std::span<const std::byte>> contiguous_bytes(const TensorRef& tensor, std::span<const std::byte> storage,
                                                           const std::string& where) {
  check_bounds(tensor, where);
  const std::size_t element = format::size_of(tensor.storage.dtype);
  const auto from_offset = storage.subspan(static_cast<std::size_t>(tensor.offset) * element);
  if (is_empty(tensor)) return from_offset.first(0);
  if (!is_contiguous(tensor)) return std::nullopt;
  return from_offset.first(static_cast<std::size_t>(*format::num_bytes_of(tensor.shape, tensor.storage.dtype)));
}

/// A contiguous, row-major copy. `tensor` must have passed `contiguous_bytes`.
/// \throws Error kInvalidFormat if it would take more than `max_bytes` (a stride of 0 makes much of little).
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

constexpr std::string_view kPickleName = "data.pkl";
constexpr std::uint64_t kMinCopyBudget = 64 << 20;
constexpr std::uint64_t kCopyBudgetPerFileByte = 4;

/// The folder of the archive that holds the checkpoint, with its slash. torch names it after the file.
std::string find_folder(const ZipReader& zip, const std::string& source) {
  std::string folder;
  std::size_t num_found = 0;
  for (const auto& [name, entry] : zip.entries()) {
    if (!name.ends_with(kPickleName)) continue;
    const std::string prefix = name.substr(0, name.size() - kPickleName.size());
    if (!prefix.empty() && !prefix.ends_with('/')) continue;
    if (++num_found > 1) fail_format(source, "holds two checkpoints, in ", excerpt(folder), " and ", excerpt(prefix));
    folder = prefix;
  }
  if (zip.contains(folder + "constants.pkl"))
    fail(ErrorCode::kUnsupported, base::About{source},
         "is TorchScript, a program that torch.jit.save wrote, not a state dict; ",
         "in Python: torch.save(torch.jit.load(path).state_dict(), other_path)");
  if (num_found == 0) fail_format(source, "is a zip archive without data.pkl, so torch.save did not write it");
  return folder;
}

void check_byte_order(const ZipReader& zip, const std::string& folder, const std::string& source) {
  const std::string name = folder + "byteorder";
  if (!zip.contains(name)) return;  // PyTorch before 2.1 does not say; such files are little-endian
  if (const auto order = as_text(zip.read(name)); order != "little")
    fail(ErrorCode::kUnsupported, base::About{source}, "has byte order \"", excerpt(order), "\", expected \"little\"");
}

/// Turns tensor references into views, copying those that are not contiguous.
class TensorResolver {
 public:
  TensorResolver(const ZipReader& zip, std::string folder, std::uint64_t copy_budget, const std::string& source)
      : zip_(zip), folder_(std::move(folder)), source_(source), copy_budget_(copy_budget) {}

  format::TensorView resolve(const std::string& name, const pickle::TensorRef& tensor) {
    const std::string where = source_ + ": tensor " + excerpt(name);
    const auto storage = storage_bytes(tensor.storage, where);
    const auto in_place = contiguous_bytes(tensor, storage, where);
    return {tensor.storage.dtype, tensor.shape, in_place ? *in_place : copied(tensor, storage, where)};
  }

  /// The copies that views point into; null if there are none.
  std::shared_ptr<const void> copies() const { return copies_.empty() ? nullptr : std::make_shared<Copies>(copies_); }

 private:
  using Copies = std::vector<std::shared_ptr<const std::vector<std::byte>>>;

  /// Tensors may share a storage; its checksum is verified once.
  std::span<const std::byte> storage_bytes(const pickle::StorageRef& storage, const std::string& where) {
    auto found = storages_.find(storage.key);
    if (found == storages_.end()) {
      const auto bytes = zip_.read(base::joined(folder_, "data/", storage.key));
      found = storages_.emplace(storage.key, bytes).first;
    }
    const std::size_t element = format::size_of(storage.dtype);
    if (found->second.size() % element != 0 || found->second.size() / element != storage.num_elements)
      fail(ErrorCode::kInvalidFormat, where, ": its storage ", excerpt(storage.key), " has ", found->second.size(),
           " bytes, expected ", storage.num_elements, " elements of ", element);
    return found->second;
  }

  std::span<const std::byte> copied(const pickle::TensorRef& tensor, std::span<const std::byte> storage,
                                    const std::string& where) {
    auto copy = std::make_shared<const std::vector<std::byte>>(contiguous_copy(tensor, storage, copy_budget_, where));
    copy_budget_ -= copy->size();
    copies_.push_back(copy);
    return *copy;
  }

  const ZipReader& zip_;
  std::string folder_;
  const std::string& source_;
  std::uint64_t copy_budget_;
  std::map<std::string_view, std::span<const std::byte>> storages_;
  Copies copies_;
};

}  // namespace

format::Tensors parse_pt(std::span<const std::byte> bytes, const std::string& source) {
  const ZipReader zip(bytes, source);
  const std::string folder = find_folder(zip, source);
  check_byte_order(zip, folder, source);
  const std::string pickle_name = folder + std::string(kPickleName);
  const auto pickle = pickle::read(zip.read(pickle_name), source + ": " + excerpt(pickle_name));
  const std::uint64_t copy_budget = std::max<std::uint64_t>(kMinCopyBudget, kCopyBudgetPerFileByte * bytes.size());
  TensorResolver resolver(zip, folder, copy_budget, source);
  format::Tensors tensors;
  tensors.source = source;
  for (const auto& [name, tensor] : find_state_dict(pickle, source))
    tensors.by_name.emplace(name, resolver.resolve(name, *tensor));
  tensors.storage = resolver.copies();
  strip_wrappers(tensors);
  return tensors;
}

}  // namespace byteformer::interop
