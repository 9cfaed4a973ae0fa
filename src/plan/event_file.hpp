// Training curves as TensorBoard reads them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace byteformer::plan {

/// CRC-32C (Castagnoli), as record files use it.
std::uint32_t crc32c(std::string_view bytes) noexcept;

/// Appends events to a new file `folder`/events.out.tfevents.TIME.HOST. A resumed run starts another file, whose first
/// event tells TensorBoard to forget what was written after the step it resumes from.
class EventFile {
 public:
  /// \throws Error kIo, kPermissionDenied
  EventFile(const std::filesystem::path& folder, std::int64_t first_step);

  /// One point of each named curve; it is on disk when this returns, unless the disk is full, which is ignored: curves
  /// must not stop a training.
  void add(std::int64_t step, const std::vector<std::pair<std::string, double>>& values);

 private:
  void write(const std::string& event);
  std::ofstream out_;
};

}  // namespace byteformer::plan
