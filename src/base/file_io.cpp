// Files by POSIX calls: descriptors that close themselves, and reads and writes that go on after a signal.
#include "base/file_io.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <new>

namespace byteformer::base {
namespace {

[[noreturn]] void throw_errno(const std::filesystem::path& path, std::string_view action, int error) {
  if (error == ENOMEM) throw std::bad_alloc();
  ErrorCode code = ErrorCode::kIo;
  if (error == ENOENT || error == ENOTDIR) code = ErrorCode::kNotFound;
  if (error == EACCES || error == EPERM) code = ErrorCode::kPermissionDenied;
  if (path.empty()) fail(code, "the path is empty");
  fail(code, About{path.native()}, "cannot ", action, ": ", std::strerror(error));
}

/// \param at_end  whether the file ended there
[[noreturn]] void throw_changed(const std::filesystem::path& path, std::uint64_t size, std::uint64_t now, bool at_end) {
  fail(ErrorCode::kFileChanged, About{path.native()}, "changed while it was read: ", size, " bytes when opened, ",
       at_end ? "now " : "now at least ", now);
}

const char* kind_name(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "not a regular file";
}

[[noreturn]] void throw_special(const std::filesystem::path& path, mode_t mode, Purpose purpose) {
  const bool flows = S_ISFIFO(mode) || S_ISCHR(mode) || S_ISBLK(mode);
  fail(ErrorCode::kNotARegularFile, About{path.native()}, "is ", kind_name(mode),
       flows && purpose == Purpose::kInput ? " (pipe it into `-` to classify what it carries)" : "");
}

struct OpenFile {
  Descriptor fd;
  std::uint64_t size;
};

// O_NONBLOCK: opening a FIFO that nobody writes to would wait without end.
constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

OpenFile open_regular(const std::filesystem::path& path, Purpose purpose) {
  Descriptor fd(::open(path.c_str(), kReadFlags));
  struct stat info {};
  if (fd.get() < 0) {
    const int error = errno;
    if (error == ENXIO && ::stat(path.c_str(), &info) == 0) throw_special(path, info.st_mode, purpose);
    throw_errno(path, "open", error);
  }
  if (::fstat(fd.get(), &info) != 0) throw_errno(path, "examine", errno);
  if (!S_ISREG(info.st_mode)) throw_special(path, info.st_mode, purpose);
  return {std::move(fd), static_cast<std::uint64_t>(info.st_size)};
}

/// Whether `path` is a pipe that this process has open, as a shell's <(command) is. Others may wait without end for
/// somebody who writes, in a folder that came from outside, too.
bool is_open_pipe(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.parent_path();
  std::error_code ignored;
  return (folder == "/dev/fd" || folder == "/proc/self/fd" || path == "/dev/stdin") &&
         std::filesystem::is_fifo(path, ignored);
}

/// What comes until the end, but at most `max_bytes` bytes.
std::vector<std::uint8_t> read_up_to(const Descriptor& fd, const std::filesystem::path& path, std::size_t max_bytes) {
  std::vector<std::uint8_t> bytes(max_bytes);
  std::size_t size = 0;
  ssize_t got = 1;
  while (size < max_bytes && got != 0) {
    got = ::read(fd.get(), bytes.data() + size, max_bytes - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno(path, "read", errno);
    size += static_cast<std::size_t>(got);
  }
  bytes.resize(size);
  return bytes;
}

/// \throws Error kInvalidFormat where more than `max_bytes` bytes come.
std::vector<std::uint8_t> read_open_pipe(const std::filesystem::path& path, std::size_t max_bytes) {
  const Descriptor fd(::open(path.c_str(), kReadFlags));  // which waits for no writer: they may be gone
  if (fd.get() < 0) throw_errno(path, "open", errno);
  if (::fcntl(fd.get(), F_SETFL, 0) != 0) throw_errno(path, "read", errno);  // but those that are there are waited for
  std::vector<std::uint8_t> bytes = read_up_to(fd, path, max_bytes + 1);
  if (bytes.size() > max_bytes)
    fail_format(path.native(), "has more than the ", max_bytes, " bytes that such a file may have");
  return bytes;
}

constexpr std::string_view kTemporaryMark = ".tmp-";

/// Where what is written to `path` belongs: a link stays, and what it leads to changes.
std::filesystem::path behind_links(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_symlink(path, error)) return path;
  const std::filesystem::path target = std::filesystem::canonical(path, error);
  return error ? path : target;
}

/// A temporary file beside its target that vanishes unless it is committed. Devices and FIFOs are no files that another
/// could take the place of: they are written to as they are.
class PendingFile {
 public:
  PendingFile(const std::filesystem::path& target, const WriteOptions& options)
      : target_(options.replaces ? behind_links(target) : target), replaces_(options.replaces) {
    struct stat info {};
    if (replaces_ && ::stat(target_.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
      fd_ = Descriptor(::open(target_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
      if (fd_.get() < 0) throw_errno(target_, "open", errno);
      committed_ = true;
      return;
    }
    // Another machine, or a process that was killed, may have had our number: in containers all have the same.
    do {
      temporary_ = temporary_beside(target_);
      fd_ = Descriptor(
          ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, options.is_private ? 0600 : 0666));
    } while (fd_.get() < 0 && errno == EEXIST);
    if (fd_.get() < 0) throw_errno(target_, "create", errno);
    if (replaces_ && !options.is_private && ::stat(target_.c_str(), &info) == 0 && S_ISREG(info.st_mode))
      ::fchmod(fd_.get(), info.st_mode & 0777);  // what only some may read stays so
  }
  ~PendingFile() {
    if (!committed_) ::unlink(temporary_.c_str());
  }

  void append(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw_errno(target_, "write", errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  void commit() {
    if (::fsync(fd_.get()) != 0 && errno != EINVAL) throw_errno(target_, "write", errno);
    if (fd_.close() != 0) throw_errno(target_, "write", errno);
    if (committed_) return;
    if (!replaces_) return link_target();
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) throw_errno(target_, "replace", errno);
    committed_ = true;
  }

 private:
  // Unlike rename(2), link(2) fails where something stands at the target. The temporary name goes with this object.
  void link_target() {
    if (::link(temporary_.c_str(), target_.c_str()) == 0) return;
    if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS) {  // no links on this file system, as on FAT
      committed_ = ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE) == 0;
      if (committed_) return;
    }
    if (errno == EEXIST) throw Error(ErrorCode::kAlreadyExists, target_.native(), "exists already");
    throw_errno(target_, "create", errno);
  }

  std::filesystem::path target_;
  std::filesystem::path temporary_;
  bool replaces_;
  Descriptor fd_;
  bool committed_ = false;  ///< what was written is where it belongs
};

}  // namespace

Error about(const std::filesystem::path& path, const Error& error) {
  const bool is_named = !error.subject().empty() || path.empty();
  return is_named ? error : Error(error.code(), path.native(), error.what());
}

std::filesystem::path program_folder() {
  std::error_code error;
  return folder_of_programs(std::filesystem::read_symlink("/proc/self/exe", error));
}

std::filesystem::path folder_of_programs(const std::filesystem::path& program) {
  const std::filesystem::path folder = program.parent_path(), above = folder.parent_path();
  const bool is_helper = folder.filename() == "byteformer" && above.filename() == "libexec";
  return is_helper ? above.parent_path() / "bin" : folder;
}

bool exists(const std::filesystem::path& path) noexcept {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

bool is_file(const std::filesystem::path& path) noexcept {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

bool is_folder(const std::filesystem::path& path) noexcept {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

bool is_left_by_systems(const std::filesystem::path& name) {
  static constexpr std::array<std::string_view, 11> kNames = {"__macosx",
                                                              "thumbs.db",
                                                              "ehthumbs.db",
                                                              "desktop.ini",
                                                              "@eadir",
                                                              "#recycle",
                                                              "lost+found",
                                                              "$recycle.bin",
                                                              "icon\r",
                                                              "__pycache__",
                                                              "system volume information"};
  const std::string plain = lower_case(name.native());
  return plain.starts_with('.') || std::find(kNames.begin(), kNames.end(), plain) != kNames.end();
}

int Descriptor::close() noexcept { return number_ < 0 ? 0 : ::close(std::exchange(number_, -1)); }

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  OpenFile file = open_regular(path, Purpose::kOwnUse);
  fd_ = std::move(file.fd);
  size_ = static_cast<std::size_t>(file.size);
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd_.get(), 0);
  if (address == MAP_FAILED) throw_errno(path, "map", errno);
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::read(std::span<const std::byte> part, std::byte* out) const {
  for (std::size_t filled = 0; filled < part.size();) {
    const auto position = static_cast<off_t>(part.data() + filled - data_);
    const ssize_t got = ::pread(fd_.get(), out + filled, part.size() - filled, position);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno(path_, "read", errno);
    if (got == 0) throw_changed(path_, size_, static_cast<std::uint64_t>(position), /*at_end=*/true);
    filled += static_cast<std::size_t>(got);
  }
}

void populate_pages([[maybe_unused]] std::span<const std::byte> bytes) noexcept {
#ifdef MADV_POPULATE_READ  // Linux 5.14
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<std::uintptr_t>(bytes.data()) & ~(page - 1);
  const auto last = reinterpret_cast<std::uintptr_t>(bytes.data() + bytes.size());
  if (!bytes.empty()) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_POPULATE_READ);
#endif
}

void release_pages(std::span<const std::byte> bytes) noexcept {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first = (reinterpret_cast<std::uintptr_t>(bytes.data()) + page - 1) & ~(page - 1);
  const auto last = reinterpret_cast<std::uintptr_t>(bytes.data() + bytes.size()) & ~(page - 1);
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

void read_ahead(const std::filesystem::path& path, std::size_t num_bytes) noexcept {
  const Descriptor fd(::open(path.c_str(), kReadFlags));
  if (fd.get() >= 0) ::posix_fadvise(fd.get(), 0, static_cast<off_t>(num_bytes), POSIX_FADV_WILLNEED);
}

InputFile::InputFile(const std::filesystem::path& path, Purpose purpose) : path_(path) {
  OpenFile file = open_regular(path, purpose);
  fd_ = std::move(file.fd);
  size_ = file.size;
}

InputFile::InputFile(const std::filesystem::path& path, const Stretch& stretch, std::filesystem::path name)
    : path_(std::move(name)), fd_(open_regular(path, Purpose::kInput).fd), size_(stretch.size), is_stretch_(true) {
  if (::lseek(fd_.get(), static_cast<off_t>(stretch.offset), SEEK_SET) < 0) throw_errno(path, "read", errno);
}

std::size_t InputFile::read(std::span<std::uint8_t> out) {
  if (is_stretch_) out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - position_)));
  std::size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t got = ::read(fd_.get(), out.data() + filled, out.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno(path_, "read", errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  position_ += filled;
  const bool at_end = filled < out.size();
  if (position_ > size_ || (at_end && position_ < size_)) throw_changed(path_, size_, position_, at_end);
  return filled;
}

std::string read_text_file(const std::filesystem::path& path, std::size_t max_bytes) {
  std::vector<std::uint8_t> bytes;
  if (is_open_pipe(path)) {
    bytes = read_open_pipe(path, max_bytes);
  } else {
    const OpenFile file = open_regular(path, Purpose::kOwnUse);
    if (file.size > max_bytes)
      fail_format(path.native(), "has ", file.size, " bytes, more than the ", max_bytes, " that such a file may have");
    bytes = read_up_to(file.fd, path, static_cast<std::size_t>(file.size) + 1);  // one more, to notice growth
    if (bytes.size() != file.size) throw_changed(path, file.size, bytes.size(), bytes.size() < file.size);
  }
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::uint8_t> read_fifo(const std::filesystem::path& path, std::size_t max_bytes) {
  struct stat info {};
  // Before opening: a device may act when it is opened.
  if (::stat(path.c_str(), &info) == 0 && !S_ISFIFO(info.st_mode))
    throw Error(ErrorCode::kNotARegularFile, path.native(), "is no FIFO");
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (fd.get() < 0) throw_errno(path, "open", errno);
  return read_up_to(fd, path, max_bytes);
}

void write_file_atomically(
    const std::filesystem::path& path,
    const std::function<void(const std::function<void(std::span<const std::byte>)>& append)>& write,
    const WriteOptions& options) {
  PendingFile file(path, options);
  write([&file](std::span<const std::byte> bytes) { file.append(bytes); });
  file.commit();
}

std::filesystem::path temporary_beside(const std::filesystem::path& target) {
  static std::atomic<unsigned> counter{0};
  const std::string suffix = joined(kTemporaryMark, ::getpid(), '-', counter++);
  std::string name = target.filename().native();
  if (name.size() + suffix.size() > NAME_MAX) {
    std::size_t kept = NAME_MAX - suffix.size();
    while (kept > 0 && (name[kept] & 0xC0) == 0x80) --kept;  // some file systems want whole characters
    name.resize(kept);
  }
  return target.parent_path() / (name + suffix);
}

bool is_temporary(const std::filesystem::path& path) {
  const std::string name = path.filename().native();
  const std::size_t mark = name.rfind(kTemporaryMark);
  if (mark == std::string::npos || mark == 0) return false;
  const std::string numbers = name.substr(mark + kTemporaryMark.size());
  return numbers.find_first_not_of("0123456789-") == std::string::npos &&
         std::ranges::count(numbers, '-') == 1 && numbers.front() != '-' && numbers.back() != '-';
}

bool is_temporary_of(const std::filesystem::path& target, const std::filesystem::path& path) {
  return path.filename().native().starts_with(joined(target.filename().native(), kTemporaryMark));
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text, const WriteOptions& options) {
  write_file_atomically(
      path, [text](const auto& append) { append(std::as_bytes(std::span(text))); }, options);
}

}  // namespace byteformer::base
