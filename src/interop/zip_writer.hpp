// Writes a zip archive of stored entries, as torch.save lays them out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>

namespace byteformer::interop {

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
