// Zip archives of stored entries: read through their central directory, and written as torch.save lays them out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace byteformer::interop {

/// A zip archive whose entries are views into its bytes. zip64 records are understood.
class ZipReader {
 public:
  struct Entry {
    std::span<const std::byte> bytes;
    std::uint32_t crc = 0;  ///< as the archive states it; `read` verifies it
    std::uint64_t header_offset = 0;
    std::uint16_t method = 0;  ///< of compression; `read` takes only stored entries
  };

  /// Checks the whole directory: one disk, every entry in range, no overlap, no name twice, local headers that agree.
  /// `bytes` must outlive the reader; `source` stands in messages.
  /// \throws Error kInvalidFormat naming `source` and the entry; kUnsupported for encrypted entries.
  ZipReader(std::span<const std::byte> bytes, std::string source);

  /// All entries by name.
  const std::map<std::string, Entry, std::less<>>& entries() const noexcept { return entries_; }
  bool contains(std::string_view name) const { return entries_.contains(name); }

  /// The bytes of an entry, whose checksum is verified.
  /// \throws Error kInvalidFormat if there is no such entry or it is damaged; kUnsupported if it is compressed.
  std::span<const std::byte> read(std::string_view name) const;

 private:
  struct Directory {
    std::uint64_t num_entries = 0;
    std::uint64_t offset = 0;
    std::uint64_t num_bytes = 0;
  };
  struct DirectoryEntry;

  std::size_t find_end_record() const;
  Directory read_end_records() const;
  Directory read_zip64_record(std::uint64_t locator_offset) const;
  void read_directory(const Directory& directory);
  Entry locate(const DirectoryEntry& listed, std::uint64_t directory_offset) const;
  void check_overlap() const;
  std::span<const std::byte> slice(std::uint64_t offset, std::uint64_t num_bytes, std::string_view what) const;

  std::span<const std::byte> bytes_;
  std::string source_;
  std::map<std::string, Entry, std::less<>> entries_;
};

class ZipWriter {
 public:
  using Append = std::function<void(std::span<const std::byte>)>;

  explicit ZipWriter(Append append) : append_(std::move(append)) {}

  /// Writes an entry whose data begin at a multiple of 64 bytes.
  /// \throws Error kUnsupported where the archive would need zip64 (4 GiB, 65,535 entries).
  void add(const std::string& name, std::span<const std::byte> bytes);

  /// Writes the directory. Call once, last.
  void finish();

 private:
  void write(const std::string& bytes);

  Append append_;
  std::string directory_;
  std::uint64_t num_entries_ = 0;
  std::uint64_t offset_ = 0;
};

}  // namespace byteformer::interop
