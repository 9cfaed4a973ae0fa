// parse_pt: from a checkpoint's bytes to tensors that are views into them.
#include <algorithm>

#include "base/bytes_io.hpp"
#include "format/text.hpp"
#include "interop/checkpoint.hpp"
#include "interop/pickle.hpp"
#include "interop/state_dict.hpp"
#include "interop/zip.hpp"

namespace byteformer::interop {
namespace {

using base::as_text;
using format::excerpt;
using format::fail;

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
    if (++num_found > 1)
      fail(ErrorCode::kInvalidFormat, base::About{source}, "holds two checkpoints, in ", excerpt(folder), " and ",
           excerpt(prefix));
    folder = prefix;
  }
  if (zip.contains(folder + "constants.pkl"))
    fail(ErrorCode::kUnsupported, base::About{source},
         "is TorchScript, a program that torch.jit.save wrote, not a state dict; ",
         "in Python: torch.save(torch.jit.load(path).state_dict(), other_path)");
  if (num_found == 0)
    fail(ErrorCode::kInvalidFormat, base::About{source},
         "is a zip archive without data.pkl, so torch.save did not write it");
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
      const auto bytes = zip_.read(format::joined(folder_, "data/", storage.key));
      found = storages_.emplace(storage.key, bytes).first;
    }
    const std::size_t element = format::size_of(storage.dtype);
    if (found->second.size() % element != 0 || found->second.size() / element != storage.num_elements)
      fail(ErrorCode::kInvalidFormat, base::About{where}, "its storage ", excerpt(storage.key), " has ",
           found->second.size(), " bytes, expected ", storage.num_elements, " elements of ", element);
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
