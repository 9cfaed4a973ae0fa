// Zip output after PKWARE's APPNOTE 6.3, without zip64.
#include "interop/zip_writer.hpp"

#include <zlib.h>

#include "base/bytes_io.hpp"
#include "format/text.hpp"

namespace byteformer::interop {
namespace {

using base::append_little_endian;

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kLocalHeaderBytes = 30;
constexpr std::size_t kExtraHeaderBytes = 4;
constexpr std::uint64_t kMaxOffset = 0xFFFF'FFFE;
constexpr std::uint64_t kMaxEntries = 0xFFFE;
constexpr std::uint16_t kVersion = 20;
constexpr std::uint16_t kUtf8Names = 1 << 11;
constexpr std::uint16_t kPaddingField = 0x4246;  // "FB", torch's own
constexpr std::uint16_t kDate = 1 << 5 | 1;      // 1980-01-01, the first one: equal weights give equal files

/// The fields that local and directory header share.
std::string common_fields(std::uint32_t crc, std::size_t size, std::size_t name_length, std::size_t extra_length) {
  std::string out;
  append_little_endian(out, kVersion, 2);
  append_little_endian(out, kUtf8Names, 2);
  append_little_endian(out, 0, 2);  // stored
  append_little_endian(out, 0, 2);  // time
  append_little_endian(out, kDate, 2);
  append_little_endian(out, crc, 4);
  append_little_endian(out, size, 4);
  append_little_endian(out, size, 4);
  append_little_endian(out, name_length, 2);
  append_little_endian(out, extra_length, 2);
  return out;
}

}  // namespace

void ZipWriter::write(const std::string& bytes) {
  append_(std::as_bytes(std::span(bytes)));
  offset_ += bytes.size();
}

void ZipWriter::add(const std::string& name, std::span<const std::byte> bytes) {
  const std::uint64_t unpadded = offset_ + kLocalHeaderBytes + name.size() + kExtraHeaderBytes;
  const std::size_t padding = (kAlignment - unpadded % kAlignment) % kAlignment;
  if (++num_entries_ > kMaxEntries || bytes.size() > kMaxOffset || unpadded + padding + bytes.size() > kMaxOffset)
    format::fail(ErrorCode::kUnsupported, "a .pt file of more than 4 GiB or ", kMaxEntries,
                 " tensors cannot be written; export to safetensors instead");
  const auto crc = static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  const std::string fields = common_fields(crc, bytes.size(), name.size(), 0);

  directory_ += "PK\x01\x02";
  append_little_endian(directory_, kVersion, 2);
  directory_ += fields + std::string(10, '\0');  // no comment, disk 0, no attributes
  append_little_endian(directory_, offset_, 4);
  directory_ += name;

  std::string header = "PK\x03\x04" + fields.substr(0, fields.size() - 2);
  append_little_endian(header, kExtraHeaderBytes + padding, 2);
  header += name;
  append_little_endian(header, kPaddingField, 2);
  append_little_endian(header, padding, 2);
  write(header + std::string(padding, 'Z'));
  append_(bytes);
  offset_ += bytes.size();
}

void ZipWriter::finish() {
  if (offset_ + directory_.size() > kMaxOffset) format::fail(ErrorCode::kUnsupported, "a zip archive over 4 GiB");
  std::string end = "PK\x05\x06" + std::string(4, '\0');  // disk 0
  append_little_endian(end, num_entries_, 2);
  append_little_endian(end, num_entries_, 2);
  append_little_endian(end, directory_.size(), 4);
  append_little_endian(end, offset_, 4);
  append_little_endian(end, 0, 2);  // no comment
  write(directory_ + end);
}

}  // namespace byteformer::interop
