// Opens a file or a FIFO as a stream, and reads streams whole.
#include "system/input_stream.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "exit_status.hpp"

namespace byteformer::cli {
namespace {

constexpr std::size_t kChunkBytes = 1 << 20;
constexpr std::size_t kMostWholeBytes = std::size_t{1} << 30;

int open_or_throw(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw UsageError("cannot open " + base::printable(path) + ": " + std::strerror(errno));
  struct stat info {};
  if (::fstat(descriptor, &info) == 0 && S_ISDIR(info.st_mode)) {
    ::close(descriptor);
    throw UsageError("cannot read " + base::printable(path) + ": it is a directory");
  }
  return descriptor;
}

}  // namespace

InputStream::InputStream(const std::string& path)
    : std::istream(nullptr), descriptor_(open_or_throw(path)), buffer_(descriptor_, base::printable(path)) {
  rdbuf(&buffer_);
  exceptions(std::ios::badbit);
}

InputStream::~InputStream() { ::close(descriptor_); }

std::vector<std::uint8_t> read_all(std::istream& stream, const std::string& source) {
  std::vector<std::uint8_t> bytes;
  std::size_t size = 0;
  do {
    if (size > kMostWholeBytes) throw Error(ErrorCode::kUnsupported, source, "is larger than 1 GiB");
    bytes.resize(size + kChunkBytes);
    stream.read(reinterpret_cast<char*>(bytes.data() + size), static_cast<std::streamsize>(kChunkBytes));
    size += static_cast<std::size_t>(stream.gcount());
  } while (stream);
  bytes.resize(size);
  return bytes;
}

}  // namespace byteformer::cli
