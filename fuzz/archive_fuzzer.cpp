// Tar archives, plain and compressed: whatever is listed lies in the archive, can be read, and has a name inside of it.
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>

#include "data/archives.hpp"
#include "data/loader.hpp"
#include "fuzzing.hpp"

using namespace byteformer;

namespace {

/// A file of these bytes in memory; nothing large may be unpacked from it.
std::filesystem::path file_of(const std::uint8_t* data, std::size_t size) {
  static const int memory = [] {
    constexpr rlim_t kMostBytes = rlim_t{1} << 26;
    const rlimit limit{kMostBytes, kMostBytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
    return ::memfd_create("archive", MFD_CLOEXEC);
  }();
  fuzz::require(::ftruncate(memory, 0) == 0 && ::pwrite(memory, data, size, 0) == static_cast<ssize_t>(size));
  return "/proc/self/fd/" + std::to_string(memory);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path path = file_of(data, size);
  return fuzz::survive([&] {
    for (const data::ArchivedFile& file : data::list_archive(path).files) {
      if (!file.problem.empty()) continue;
      const std::filesystem::path name = file.name;
      fuzz::require(!name.empty() && name.is_relative() && std::ranges::find(name, "..") == name.end());
      const data::Sample sample{.path = path / name, .start_s = {}, .place = file.place};
      fuzz::require(data::read_whole_file(sample).size() == file.place.stretch.size);
    }
  });
}
