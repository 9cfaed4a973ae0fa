// Weights files of either kind, told apart by their content; and a state dict written as torch.save lays it out.
#include "interop/checkpoint.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes_io.hpp"
#include "base/file_io.hpp"
#include "base/text.hpp"
#include "format/json.hpp"
#include "format/safetensors.hpp"
#include "interop/pickle.hpp"
#include "interop/zip.hpp"

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

/// What wrappers of the model put before the names of its tensors: "module." (DistributedDataParallel), "_orig_mod."
/// (torch.compile), "model." (Lightning), or several of them. Empty where there is nothing before them.
std::string wrapper_prefix(const format::Tensors& tensors) {
  constexpr std::string_view kFirstTensor = "embeddings.weight";  // every model has it, and no other name ends so
  std::optional<std::string> prefix;
  for (const auto& [name, tensor] : tensors.by_name) {
    if (name == kFirstTensor) return "";
    if (!name.ends_with("." + std::string(kFirstTensor))) continue;
    std::string before = name.substr(0, name.size() - kFirstTensor.size());
    if (prefix)
      base::fail_format(tensors.source, "holds the weights of two models, ", base::excerpt(*prefix), "* and ",
                        base::excerpt(before), "*; save one of them alone");
    prefix = std::move(before);
  }
  return prefix.value_or("");
}

constexpr std::string_view kIndexEnding = ".safetensors.index.json";
constexpr std::size_t kMaxIndexBytes = 64 << 20;

/// The tensors of all files that an index names, which lie beside it.
format::Tensors read_shards(const std::filesystem::path& index) {
  const std::string source = base::printable(index);
  const format::Json root = format::parse_json(base::read_text_file(index, kMaxIndexBytes), source);
  if (!root.is_object() || !root.contains("weight_map") || !root["weight_map"].is_object())
    base::fail_format(source, "has no object weight_map, which says where each tensor is");
  std::map<std::string, format::Tensors> shards;
  format::Tensors all;
  for (const auto& [name, file] : root["weight_map"].items()) {
    const std::string file_name = file.is_string() ? file.get<std::string>() : "";
    if (file_name.empty() || file_name.find('/') != std::string::npos)
      base::fail_format(source, "weight_map[\"", base::excerpt(name), "\"] is ", format::description(file),
                        ", expected the name of a file beside the index");
    auto shard = shards.find(file_name);
    if (shard == shards.end())
      shard = shards.emplace(file_name, format::read_safetensors(index.parent_path() / file_name)).first;
    const auto tensor = shard->second.by_name.find(name);
    if (tensor == shard->second.by_name.end())
      base::fail(ErrorCode::kInvalidFormat, base::About{shard->second.source}, "has no tensor ", base::excerpt(name),
                 ", which ", source, " promises");
    all.by_name.insert(*tensor);
  }
  std::vector<SharedBytes> storages;
  for (const auto& [file_name, shard] : shards) storages.push_back(shard.storage);
  all.storage = std::make_shared<const std::vector<SharedBytes>>(std::move(storages));
  all.source = source;
  return all;
}

}  // namespace

format::Tensors read_weights(const std::filesystem::path& path) {
  if (path.filename().string().ends_with(kIndexEnding)) {
    format::Tensors tensors = read_shards(path);
    strip_wrappers(tensors);
    return tensors;
  }
  const auto file = std::make_shared<const base::MappedFile>(path);
  const std::string source = base::printable(path);
  const std::string_view text = base::as_text(file->bytes());
  if (text.starts_with(kZipStart)) return parse_mapped(file, source);
  if (text.starts_with(kLegacyStart))
    base::fail(ErrorCode::kUnsupported, base::About{source},
               "is a checkpoint of PyTorch before 1.6; load it and torch.save it again");
  if (text.size() <= kSafetensorsBrace || text[kSafetensorsBrace] != '{')
    base::fail_format(source, "is neither a PyTorch checkpoint (.pt) nor a safetensors file; begins with \"",
                      base::excerpt(text.substr(0, 16)), '"');
  format::Tensors tensors = format::read_safetensors(path);
  strip_wrappers(tensors);
  return tensors;
}

void strip_wrappers(format::Tensors& tensors) {
  std::erase_if(tensors.by_name, [](const auto& tensor) {  // what thop counts, in every module
    return tensor.first.ends_with("total_ops") || tensor.first.ends_with("total_params");
  });
  const std::string prefix = wrapper_prefix(tensors);
  if (prefix.empty()) return;
  format::NamedTensors stripped;
  for (auto& [name, tensor] : tensors.by_name)
    if (name.starts_with(prefix)) stripped.emplace(name.substr(prefix.size()), std::move(tensor));
  tensors.by_name = std::move(stripped);
}

namespace {

using format::NamedTensors;
using format::TensorView;

constexpr std::uint8_t kProtocol = 2;
constexpr std::string_view kFolder = "archive/";
constexpr std::string_view kFileFormatVersion = "3\n";

/// Writes the pickle of an OrderedDict of tensors whose elements lie beside it under "0", "1", ...
class StateDictPickler {
 public:
  std::string write(const NamedTensors& tensors) {
    op(pickle::kProto, std::string(1, char{kProtocol}));
    ordered_dict();
    op(pickle::kMark);
    std::size_t key = 0;
    for (const auto& [name, tensor] : tensors) {
      text(name);
      this->tensor(tensor, std::to_string(key++));
    }
    op(pickle::kSetItems);
    op(pickle::kStop);
    return std::move(out_);
  }

 private:
  void op(pickle::Opcode opcode, std::string_view operand = {}) {
    out_ += static_cast<char>(opcode);
    out_ += operand;
  }

  static std::string little_endian(std::uint64_t value, std::size_t num_bytes) {
    std::string bytes;
    base::append_little_endian(bytes, value, num_bytes);
    return bytes;
  }

  void integer(std::int64_t value) {
    if (value >= 0 && value <= INT32_MAX) {
      op(pickle::kBinInt, little_endian(static_cast<std::uint64_t>(value), 4));
    } else {
      op(pickle::kLong1, char{8} + little_endian(static_cast<std::uint64_t>(value), 8));
    }
  }

  void text(std::string_view value) {
    op(pickle::kBinUnicode, little_endian(value.size(), 4));
    out_ += value;
  }

  void global(std::string_view module, std::string_view name) {
    op(pickle::kGlobal, base::joined(module, '\n', name, '\n'));
  }

  void ordered_dict() {
    global("collections", "OrderedDict");
    op(pickle::kEmptyTuple);
    op(pickle::kReduce);
  }

  void sizes(const std::vector<std::int64_t>& values) {
    op(pickle::kMark);
    for (const std::int64_t value : values) integer(value);
    op(pickle::kTuple);
  }

  /// _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, backward hooks)
  void tensor(const TensorView& tensor, const std::string& key) {
    global("torch._utils", "_rebuild_tensor_v2");
    op(pickle::kMark);
    storage(tensor, key);
    integer(0);
    sizes(tensor.shape);
    sizes(row_major_strides(tensor.shape));
    op(pickle::kNewFalse);
    ordered_dict();
    op(pickle::kTuple);
    op(pickle::kReduce);
  }

  void storage(const TensorView& tensor, const std::string& key) {
    op(pickle::kMark);
    text("storage");
    global("torch", pickle::storage_class(tensor.dtype));
    text(key);
    text("cpu");
    integer(tensor.num_elements());
    op(pickle::kTuple);
    op(pickle::kBinPersId);
  }

  static std::vector<std::int64_t> row_major_strides(const std::vector<std::int64_t>& shape) {
    std::vector<std::int64_t> strides(shape.size(), 1);
    for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<std::int64_t>(shape[i], 1);
    return strides;
  }

  std::string out_;
};

}  // namespace

void write_pt(const std::filesystem::path& path, const NamedTensors& tensors, const base::WriteOptions& options) {
  const std::string pickle = StateDictPickler().write(tensors);
  const auto write = [&](const auto& append) {
    ZipWriter zip(append);
    zip.add(base::joined(kFolder, "data.pkl"), std::as_bytes(std::span(pickle)));
    std::size_t key = 0;
    for (const auto& [name, tensor] : tensors) zip.add(base::joined(kFolder, "data/", key++), tensor.bytes);
    zip.add(base::joined(kFolder, "version"), std::as_bytes(std::span(kFileFormatVersion)));
    zip.finish();
  };
  base::write_file_atomically(path, write, options);
}

}  // namespace byteformer::interop
