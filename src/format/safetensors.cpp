// The safetensors container, read strictly and written canonically.
#include "format/safetensors.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes_io.hpp"
#include "base/text.hpp"
#include "format/json.hpp"

namespace byteformer::format {
namespace {

using base::excerpt;
using base::fail;
using base::fail_format;
using base::joined;

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the reference implementation's limit
constexpr JsonLimits kHeaderLimits{.max_depth = 4, .max_values = 4'000'000};

struct Parts {
  std::string_view header;
  std::span<const std::byte> data;
};

Parts split(std::span<const std::byte> bytes, const std::string& source) {
  if (bytes.size() < kLengthBytes)
    fail_format(source, "is not a safetensors file: it has ", bytes.size(),
                " bytes, the length of the header alone takes 8");
  const std::uint64_t length = base::little_endian(bytes, 0, kLengthBytes);
  const std::uint64_t rest = bytes.size() - kLengthBytes;
  if (length > kMaxHeaderBytes || length > rest)
    fail_format(source, "is not a safetensors file or is cut off: its header would have ", length, " bytes, ",
                length > rest ? joined(rest, " follow") : joined("at most ", kMaxHeaderBytes, " are allowed"));
  const auto header = bytes.subspan(kLengthBytes, static_cast<std::size_t>(length));
  const std::string_view text = base::as_text(header);
  if (!text.starts_with('{'))
    fail_format(source, "is not a safetensors file: its header starts with \"", excerpt(text.substr(0, 8)),
                "\", expected \"{\"");
  return {text, bytes.subspan(kLengthBytes + header.size())};
}

/// Reads the header's entry of one tensor.
class EntryReader {
 public:
  EntryReader(const std::string& source, const std::string& name, const Json& entry)
      : source_(source), tensor_(joined("tensor ", excerpt(name), ": ")), entry_(entry) {
    if (!entry.is_object() || entry.size() != 3)
      refuse("its entry", entry, "an object of dtype, shape and data_offsets");
  }

  DType dtype() const {
    const Json& value = member("dtype");
    if (!value.is_string()) refuse("dtype", value, "a string such as \"F32\"");
    const auto& name = value.get_ref<const std::string&>();
    const auto dtype = parse_dtype(name);
    if (!dtype)
      fail(ErrorCode::kUnsupported, base::About{source_}, tensor_, "dtype is \"", excerpt(name),
           "\"; weights must be F32, F16 or BF16");
    return *dtype;
  }

  std::vector<std::int64_t> shape() const { return sizes("shape", "an array of non-negative integers"); }

  std::span<const std::byte> bytes_within(std::span<const std::byte> data) const {
    const auto range = sizes("data_offsets", "[begin, end]");
    if (range.size() != 2) refuse("data_offsets", member("data_offsets"), "[begin, end]");
    const auto begin = static_cast<std::uint64_t>(range[0]);
    const auto end = static_cast<std::uint64_t>(range[1]);
    if (begin > end || end > data.size())
      fail_format(source_, tensor_, "data_offsets are [", begin, ", ", end, "], expected a range within the ",
                  data.size(), " bytes of data that the file has");
    return data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  }

  TensorView tensor(std::span<const std::byte> data) const {
    TensorView tensor{dtype(), shape(), bytes_within(data)};
    const auto expected = num_bytes_of(tensor.shape, tensor.dtype);
    if (!expected) fail_format(source_, tensor_, "shape ", shape_text(tensor.shape), " is too large to count");
    if (*expected != tensor.bytes.size())
      fail_format(source_, tensor_, "data_offsets span ", tensor.bytes.size(), " bytes, but ", to_string(tensor.dtype),
                  ' ', shape_text(tensor.shape), " needs ", *expected);
    return tensor;
  }

 private:
  const Json& member(const char* key) const {
    const auto found = entry_.find(key);
    if (found == entry_.end()) fail_format(source_, tensor_, key, " is missing");
    return *found;
  }

  std::vector<std::int64_t> sizes(const char* key, std::string_view expected) const {
    const Json& value = member(key);
    if (!value.is_array()) refuse(key, value, expected);
    std::vector<std::int64_t> out;
    for (const Json& element : value) {
      if (!element.is_number_unsigned() || element.get<std::uint64_t>() > std::uint64_t{INT64_MAX})
        refuse(joined("an element of ", key), element, "a non-negative integer");
      out.push_back(element.get<std::int64_t>());
    }
    return out;
  }

  [[noreturn]] void refuse(std::string_view what, const Json& found, std::string_view expected) const {
    fail_format(source_, tensor_, what, " is ", description(found), ", expected ", expected);
  }

  const std::string& source_;
  std::string tensor_;  ///< as messages begin
  const Json& entry_;
};

/// \throws Error about the file, whatever JSON is read for.
Json parse_header(std::string_view text, const std::string& source) {
  try {
    return parse_json(text, "header", kHeaderLimits);
  } catch (const Error& error) {
    throw Error(error.code(), source, error.what());
  }
}

std::map<std::string, std::string> read_metadata(const Json& metadata, const std::string& source) {
  std::map<std::string, std::string> result;
  if (!metadata.is_object()) fail_format(source, "__metadata__ is ", description(metadata), ", expected an object");
  for (const auto& [key, value] : metadata.items()) {
    if (!value.is_string())
      fail_format(source, "__metadata__[\"", excerpt(key), "\"] is ", description(value), ", expected a string");
    result.emplace(key, value.get<std::string>());
  }
  return result;
}

/// Checks that the tensors, in the order of their bytes, cover `data` without gap or overlap.
void check_coverage(const Tensors& tensors, std::span<const std::byte> data) {
  std::vector<const std::pair<const std::string, TensorView>*> in_order;
  for (const auto& named : tensors.by_name) in_order.push_back(&named);
  std::ranges::sort(in_order, {}, [&](const auto* named) {
    const auto& bytes = named->second.bytes;
    return std::pair(bytes.data() - data.data(), bytes.size());
  });
  std::size_t covered = 0;
  for (const auto* named : in_order) {
    const auto begin = static_cast<std::size_t>(named->second.bytes.data() - data.data());
    if (begin != covered)
      fail_format(tensors.source, "tensor ", excerpt(named->first), " begins at byte ", begin, " of the data, ",
                  begin < covered ? "inside the tensor before it" : "after a gap", "; expected ", covered);
    covered += named->second.bytes.size();
  }
  if (covered != data.size())
    fail_format(tensors.source, "has ", data.size(), " bytes of data, but its tensors take ", covered);
}

using NamedTensor = std::pair<const std::string, TensorView>;

/// Widest elements first, then by name: so every tensor is aligned to its elements.
std::vector<const NamedTensor*> storage_order(const NamedTensors& tensors) {
  std::vector<const NamedTensor*> order;
  for (const auto& named : tensors) {
    if (num_bytes_of(named.second.shape, named.second.dtype) != named.second.bytes.size())
      fail(ErrorCode::kInternal, "tensor ", named.first, " has ", named.second.bytes.size(), " bytes, not those of ",
           to_string(named.second.dtype), ' ', shape_text(named.second.shape));
    order.push_back(&named);
  }
  std::ranges::stable_sort(order, std::greater<>(), [](const auto* named) { return size_of(named->second.dtype); });
  return order;
}

std::string header_text(const std::vector<const NamedTensor*>& order,
                        const std::map<std::string, std::string>& metadata) {
  std::string text = "{";
  if (!metadata.empty()) text += "\"__metadata__\":" + Json(metadata).dump();
  std::size_t begin = 0;
  for (const auto* named : order) {
    const std::size_t end = begin + named->second.bytes.size();
    if (text.size() > 1) text += ',';
    text += joined(json_string(named->first), ":{\"dtype\":\"", to_string(named->second.dtype),
                   "\",\"shape\":", Json(named->second.shape).dump(), ",\"data_offsets\":[", begin, ',', end, "]}");
    begin = end;
  }
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

Tensors parse_safetensors(std::span<const std::byte> bytes, const std::string& source) {
  const auto [header, data] = split(bytes, source);
  const Json root = parse_header(header, source);
  Tensors tensors;
  tensors.source = source;
  for (const auto& [name, entry] : root.items()) {
    if (name == "__metadata__") {
      tensors.metadata = read_metadata(entry, source);
    } else {
      tensors.by_name.emplace(name, EntryReader(source, name, entry).tensor(data));
    }
  }
  check_coverage(tensors, data);
  return tensors;
}

Tensors read_safetensors(const std::filesystem::path& path) {
  const auto file = std::make_shared<const base::MappedFile>(path);
  Tensors tensors = parse_safetensors(file->bytes(), path.native());
  tensors.storage = file;
  tensors.file = file;
  return tensors;
}

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata, const base::WriteOptions& options) {
  const auto order = storage_order(tensors);
  const std::string header = header_text(order, metadata);
  std::vector<std::byte> length;
  base::append_little_endian(length, header.size(), kLengthBytes);
  const auto write = [&](const auto& append) {
    append(length);
    append(std::as_bytes(std::span(header)));
    for (const auto* named : order) append(named->second.bytes);
  };
  base::write_file_atomically(path, write, options);
}

}  // namespace byteformer::format
