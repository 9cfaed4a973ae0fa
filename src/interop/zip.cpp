// Zip archives after PKWARE's APPNOTE 6.3: end record, zip64 records, central directory, local headers.
#include "interop/zip.hpp"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "base/bytes_io.hpp"
#include "base/text.hpp"

namespace byteformer::interop {

namespace {

using base::as_text;
using base::ByteReader;
using base::excerpt;
using base::fail;
using base::fail_format;

constexpr std::uint32_t kLocalHeader = 0x0403'4b50;
constexpr std::uint32_t kDirectoryHeader = 0x0201'4b50;
constexpr std::uint32_t kEndRecord = 0x0605'4b50;
constexpr std::uint32_t kZip64EndRecord = 0x0606'4b50;
constexpr std::uint32_t kZip64Locator = 0x0706'4b50;
constexpr std::size_t kEndRecordBytes = 22;
constexpr std::size_t kZip64EndRecordBytes = 56;
constexpr std::size_t kZip64LocatorBytes = 20;
constexpr std::size_t kMaxCommentBytes = 0xFFFF;
constexpr std::uint16_t kZip64ExtraField = 0x0001;
constexpr std::uint32_t kInZip64 = 0xFFFF'FFFF;  // "look for this number in the zip64 field"
constexpr std::uint16_t kEncrypted = 1 << 0;
constexpr std::uint16_t kStored = 0;

}  // namespace

/// One header of the central directory.
struct ZipReader::DirectoryEntry {
  std::string name;
  std::uint16_t flags = 0, method = 0;
  std::uint32_t crc = 0;
  std::uint64_t compressed_size = 0, size = 0, header_offset = 0;

  /// Reads the next header, its signature included.
  static DirectoryEntry read(ByteReader& reader, const std::string& where);

 private:
  void resolve_zip64(std::span<const std::byte> extra, const std::string& where);
};

ZipReader::DirectoryEntry ZipReader::DirectoryEntry::read(ByteReader& reader, const std::string& where) {
  DirectoryEntry entry;
  if (reader.u32() != kDirectoryHeader) fail(ErrorCode::kInvalidFormat, where, " has no header where one should be");
  reader.take(4);  // versions
  entry.flags = reader.u16();
  entry.method = reader.u16();
  reader.take(4);  // time and date
  entry.crc = reader.u32();
  entry.compressed_size = reader.u32();
  entry.size = reader.u32();
  const std::uint16_t name_length = reader.u16();
  const std::uint16_t extra_length = reader.u16();
  const std::uint16_t comment_length = reader.u16();
  const std::uint16_t disk = reader.u16();
  reader.take(6);  // attributes
  entry.header_offset = reader.u32();
  entry.name = as_text(reader.take(name_length));
  entry.resolve_zip64(reader.take(extra_length), where);
  reader.take(comment_length);
  if (disk != 0) fail(ErrorCode::kUnsupported, where, " is that of several disks");
  return entry;
}

void ZipReader::DirectoryEntry::resolve_zip64(std::span<const std::byte> extra, const std::string& where) {
  ByteReader fields(extra, where);
  while (fields.num_left() >= 4) {
    const std::uint16_t id = fields.u16();
    const std::uint16_t length = fields.u16();
    ByteReader field(fields.take(length), where);
    if (id != kZip64ExtraField) continue;
    for (std::uint64_t* number : {&size, &compressed_size, &header_offset})
      if (*number == kInZip64) *number = field.u64();
    return;
  }
}

ZipReader::ZipReader(std::span<const std::byte> bytes, std::string source) : bytes_(bytes), source_(std::move(source)) {
  read_directory(read_end_records());
  check_overlap();
}

std::span<const std::byte> ZipReader::read(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) fail_format(source_, "has no entry ", excerpt(name), ", which its content refers to");
  const Entry& entry = found->second;
  if (entry.method != kStored)
    fail(ErrorCode::kUnsupported, base::About{source_}, "entry ", excerpt(name), " is compressed (method ",
         entry.method,
         "); torch.save stores entries, so something repacked this file: unpack it and zip it with `zip -0`");
  if (crc32_z(0, reinterpret_cast<const Bytef*>(entry.bytes.data()), entry.bytes.size()) != entry.crc)
    fail_format(
        source_, "entry ", excerpt(name),
        " is damaged: its bytes do not have the checksum (CRC-32) that the archive states; copy the file again");
  return entry.bytes;
}

std::span<const std::byte> ZipReader::slice(std::uint64_t offset, std::uint64_t num_bytes,
                                            std::string_view what) const {
  if (offset > bytes_.size() || num_bytes > bytes_.size() - offset)
    fail_format(source_, what, " would take ", num_bytes, " bytes at offset ", offset, ", the file has ",
                bytes_.size());
  return bytes_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(num_bytes));
}

std::size_t ZipReader::find_end_record() const {
  const std::size_t size = bytes_.size();
  for (std::size_t comment = 0; comment <= kMaxCommentBytes && comment + kEndRecordBytes <= size; ++comment) {
    const std::size_t offset = size - kEndRecordBytes - comment;
    ByteReader reader(bytes_.subspan(offset), source_);
    if (reader.u32() != kEndRecord) continue;
    reader.take(kEndRecordBytes - 6);
    if (reader.u16() == comment) return offset;
  }
  fail_format(source_, "is not a zip archive or is cut off: it has no end record");
}

ZipReader::Directory ZipReader::read_end_records() const {
  const std::size_t end_offset = find_end_record();
  ByteReader reader(bytes_.subspan(end_offset), source_);
  reader.take(4);  // signature
  const std::uint16_t disk = reader.u16();
  const std::uint16_t directory_disk = reader.u16();
  const std::uint16_t num_entries_here = reader.u16();
  Directory directory{reader.u16(), 0, 0};
  directory.num_bytes = reader.u32();
  directory.offset = reader.u32();
  std::uint64_t records_offset = end_offset;
  if (disk != directory_disk || num_entries_here != directory.num_entries)
    fail(ErrorCode::kUnsupported, base::About{source_}, "is a zip archive of several disks");
  if (end_offset >= kZip64LocatorBytes) {
    ByteReader locator(bytes_.subspan(end_offset - kZip64LocatorBytes), source_);
    if (locator.u32() == kZip64Locator) {
      locator.take(4);  // disk of the zip64 record
      records_offset = locator.u64();
      directory = read_zip64_record(records_offset);
    }
  }
  if (directory.offset > records_offset || directory.num_bytes > records_offset - directory.offset)
    fail_format(source_, "the zip directory would take ", directory.num_bytes, " bytes at offset ", directory.offset,
                ", but its end record is at ", records_offset);
  return directory;
}

ZipReader::Directory ZipReader::read_zip64_record(std::uint64_t offset) const {
  ByteReader reader(slice(offset, kZip64EndRecordBytes, "the zip64 end record"), source_);
  if (reader.u32() != kZip64EndRecord)
    fail_format(source_, "has no zip64 end record at offset ", offset, ", where its locator points");
  reader.take(12);  // size of the record, versions
  const std::uint32_t disk = reader.u32();
  const std::uint32_t directory_disk = reader.u32();
  const std::uint64_t num_entries_here = reader.u64();
  Directory directory;
  directory.num_entries = reader.u64();
  directory.num_bytes = reader.u64();
  directory.offset = reader.u64();
  if (disk != directory_disk || num_entries_here != directory.num_entries)
    fail(ErrorCode::kUnsupported, base::About{source_}, "is a zip archive of several disks");
  return directory;
}

void ZipReader::read_directory(const Directory& directory) {
  const std::string where = source_ + ": the zip directory";
  ByteReader reader(slice(directory.offset, directory.num_bytes, "the zip directory"), where);
  for (std::uint64_t i = 0; i < directory.num_entries; ++i) {
    const auto listed = DirectoryEntry::read(reader, where);
    const Entry entry = locate(listed, directory.offset);
    if (!entries_.emplace(listed.name, entry).second)
      fail(ErrorCode::kInvalidFormat, where, " lists ", excerpt(listed.name), " twice");
  }
  if (reader.num_left() != 0)
    fail(ErrorCode::kInvalidFormat, where, " has ", reader.num_left(), " bytes after its ", directory.num_entries,
         " entries");
}

ZipReader::Entry ZipReader::locate(const DirectoryEntry& listed, std::uint64_t directory_offset) const {
  const std::string what = "entry " + excerpt(listed.name);
  if ((listed.flags & kEncrypted) != 0) fail(ErrorCode::kUnsupported, base::About{source_}, what, " is encrypted");
  if (listed.method == kStored && listed.compressed_size != listed.size)
    fail_format(source_, what, " is stored, but would take ", listed.compressed_size, " bytes for ", listed.size);
  if (listed.header_offset > directory_offset)
    fail_format(source_, what, " would begin at offset ", listed.header_offset, ", but the zip directory begins at ",
                directory_offset);
  const std::string where = source_ + ": " + what;
  ByteReader reader(bytes_.subspan(static_cast<std::size_t>(listed.header_offset),
                                   static_cast<std::size_t>(directory_offset - listed.header_offset)),
                    where);
  if (reader.u32() != kLocalHeader)
    fail(ErrorCode::kInvalidFormat, where, " has no header at offset ", listed.header_offset);
  reader.take(22);  // sizes and checksum, which may be 0 here and follow the data: the directory has them
  const std::uint16_t name_length = reader.u16();
  const std::uint16_t extra_length = reader.u16();
  if (as_text(reader.take(name_length)) != listed.name)
    fail(ErrorCode::kInvalidFormat, where, " has another name in its own header");
  reader.take(extra_length);
  return {reader.take(listed.compressed_size), listed.crc, listed.header_offset, listed.method};
}

void ZipReader::check_overlap() const {
  std::vector<const std::pair<const std::string, Entry>*> in_order;
  for (const auto& named : entries_) in_order.push_back(&named);
  std::ranges::sort(in_order, {}, [](const auto* named) { return named->second.header_offset; });
  std::uint64_t end = 0;
  for (const auto* named : in_order) {
    const Entry& entry = named->second;
    if (entry.header_offset < end) fail_format(source_, "entry ", excerpt(named->first), " overlaps the one before it");
    end = static_cast<std::uint64_t>(entry.bytes.data() - bytes_.data()) + entry.bytes.size();
  }
}

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
    base::fail(ErrorCode::kUnsupported, "a .pt file of more than 4 GiB or ", kMaxEntries,
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
  if (offset_ + directory_.size() > kMaxOffset) base::fail(ErrorCode::kUnsupported, "a zip archive over 4 GiB");
  std::string end = "PK\x05\x06" + std::string(4, '\0');  // disk 0
  append_little_endian(end, num_entries_, 2);
  append_little_endian(end, num_entries_, 2);
  append_little_endian(end, directory_.size(), 4);
  append_little_endian(end, offset_, 4);
  append_little_endian(end, 0, 2);  // no comment
  write(directory_ + end);
}

}  // namespace byteformer::interop
