// write_pt: a state dict as torch.save lays it out.
#include "base/bytes_io.hpp"
#include "base/file_io.hpp"
#include "base/text.hpp"
#include "interop/checkpoint.hpp"
#include "interop/pickle.hpp"
#include "interop/zip.hpp"

namespace byteformer::interop {
namespace {

using format::TensorView;
using NamedTensors = std::map<std::string, TensorView, std::less<>>;

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
