// Streams over file descriptors; files and FIFOs opened as streams, and whole ones read.
#include "system/input_stream.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "byteformer/error.hpp"
#include "common/interrupt.hpp"
#include "data/loader.hpp"
#include "exit_status.hpp"

namespace byteformer::cli {

std::size_t DescriptorInput::read_some(char* out, std::size_t size) {
  for (;;) {
    if (interrupted()) throw Interrupted{};
    const ssize_t got = ::read(descriptor_, out, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) throw Error(ErrorCode::kIo, "cannot read " + name_ + ": " + std::strerror(errno));
  }
}

DescriptorInput::int_type DescriptorInput::underflow() {
  const std::size_t got = read_some(buffer_.data(), buffer_.size());
  setg(buffer_.data(), buffer_.data(), buffer_.data() + got);
  return got == 0 ? traits_type::eof() : traits_type::to_int_type(buffer_[0]);
}

std::streamsize DescriptorInput::xsgetn(char* out, std::streamsize size) {
  std::streamsize filled = std::min<std::streamsize>(size, egptr() - gptr());
  std::copy_n(gptr(), filled, out);
  setg(eback(), gptr() + filled, egptr());
  while (filled < size) {
    const std::size_t got = read_some(out + filled, static_cast<std::size_t>(size - filled));
    if (got == 0) break;
    filled += static_cast<std::streamsize>(got);
  }
  return filled;
}

namespace {

constexpr std::size_t kChunkBytes = 1 << 20;
constexpr std::size_t kMostWholeBytes = std::size_t{1} << 30;

base::Descriptor open_or_throw(const std::string& path) {
  base::Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) throw UsageError("cannot open " + base::printable(path) + ": " + std::strerror(errno));
  struct stat info {};
  if (::fstat(descriptor.get(), &info) == 0 && S_ISDIR(info.st_mode))
    throw UsageError("cannot read " + base::printable(path) + ": it is a directory");
  return descriptor;
}

}  // namespace

bool must_be_streamed(const std::string& path) {
  constexpr long kProcessFiles = 0x9fa0;  // PROC_SUPER_MAGIC of linux/magic.h
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return false;
  if (S_ISFIFO(info.st_mode))
    return path.starts_with("/dev/fd/") || path.starts_with("/proc/") || path == "/dev/stdin";
  if (S_ISREG(info.st_mode) && path.starts_with("/sys/")) return true;  // they say a page, and hold less
  struct statfs system {};
  return S_ISREG(info.st_mode) && info.st_size == 0 && ::statfs(path.c_str(), &system) == 0 &&
         system.f_type == kProcessFiles;
}

InputStream::InputStream(const std::string& path)
    : std::istream(nullptr), descriptor_(open_or_throw(path)), buffer_(descriptor_.get(), base::printable(path)) {
  rdbuf(&buffer_);
  exceptions(std::ios::badbit);
}

std::vector<std::uint8_t> read_all(const ReadPiece& read, const std::string& source, const std::string& reason) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t size = 0; size == bytes.size();) {
    if (size > kMostWholeBytes) throw Error(ErrorCode::kUnsupported, source, "is larger than 1 GiB" + reason);
    bytes.resize(size + kChunkBytes);
    size += read(std::span(bytes).subspan(size));
    if (size < bytes.size()) {
      bytes.resize(size);
      break;
    }
  }
  return bytes;
}

std::vector<std::uint8_t> read_whole_input(const std::string& path) {
  if (!must_be_streamed(path)) return data::read_whole_file(path);
  try {
    InputStream stream(path);
    return read_all(pieces_of(stream), base::printable(path));
  } catch (const UsageError& error) {  // of one file among many
    throw Error(ErrorCode::kIo, error.what());
  }
}

}  // namespace byteformer::cli
