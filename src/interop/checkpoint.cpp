// Weights files of either kind, told apart by their content.
#include "interop/checkpoint.hpp"

#include <algorithm>

#include "base/file_io.hpp"
#include "format/safetensors.hpp"
#include "format/text.hpp"
#include "interop/byte_reader.hpp"

namespace byteformer::interop {
namespace {

constexpr std::string_view kZipStart = "PK\x03\x04";
constexpr std::string_view kLegacyStart =
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";  // before PyTorch 1.6
constexpr std::size_t kSafetensorsBrace = 8;                     // the header, an object, follows its length

using SharedBytes = std::shared_ptr<const void>;

/// Parses the checkpoint in `file`, which the result keeps alive along with the copies it needed.
format::Tensors parse_mapped(const std::shared_ptr<const base::MappedFile>& file, const std::string& source) {
  format::Tensors tensors = parse_pt(file->bytes(), source);
  if (tensors.storage == nullptr) tensors.file = file;
  tensors.storage = std::make_shared<const std::pair<SharedBytes, SharedBytes>>(file, tensors.storage);
  return tensors;
}

}  // namespace

format::Tensors read_pt(const std::filesystem::path& path) {
  return parse_mapped(std::make_shared<const base::MappedFile>(path), base::printable(path));
}

format::Tensors read_weights(const std::filesystem::path& path) {
  const auto file = std::make_shared<const base::MappedFile>(path);
  const std::string source = base::printable(path);
  const std::string_view text = as_text(file->bytes());
  if (text.starts_with(kZipStart)) return parse_mapped(file, source);
  if (text.starts_with(kLegacyStart))
    format::fail(ErrorCode::kUnsupported, source,
                 ": is a checkpoint of PyTorch before 1.6; load it and torch.save it again");
  if (text.size() <= kSafetensorsBrace || text[kSafetensorsBrace] != '{')
    format::fail(ErrorCode::kInvalidFormat, source,
                 ": is neither a PyTorch checkpoint (.pt) nor a safetensors file; begins with \"",
                 format::excerpt(text.substr(0, 16)), '"');
  format::Tensors tensors = format::read_safetensors(path);
  strip_module_prefix(tensors);
  return tensors;
}

void strip_module_prefix(format::Tensors& tensors) {
  constexpr std::string_view kPrefix = "module.";  // DistributedDataParallel's wrapper
  const auto is_wrapped = [&](const auto& named) { return named.first.starts_with(kPrefix); };
  if (tensors.by_name.empty() || !std::ranges::all_of(tensors.by_name, is_wrapped)) return;
  std::map<std::string, format::TensorView, std::less<>> stripped;
  for (auto& [name, tensor] : tensors.by_name) stripped.emplace(name.substr(kPrefix.size()), std::move(tensor));
  tensors.by_name = std::move(stripped);
}

}  // namespace byteformer::interop
