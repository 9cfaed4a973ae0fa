// Reading and writing files: memory maps, regular files that may change underneath, atomic output.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "byteformer/error.hpp"

namespace byteformer::base {

/// `path` for people. \see text.hpp
template <std::same_as<std::filesystem::path> Path>
std::string printable(const Path& path) {
  return printable(std::string_view(path.native()));
}

/// `error`, said of `path` unless it is about something already, or the path is empty.
Error about(const std::filesystem::path& path, const Error& error);

/// The folder of the running program, links resolved, from which all that was installed with it is found: of one in
/// PREFIX/libexec/byteformer PREFIX/bin. Empty where the system does not tell. Thread-safe.
std::filesystem::path program_folder();

/// The same of the program at `program`.
std::filesystem::path folder_of_programs(const std::filesystem::path& program);

// Whether there is something at `path`, a regular file, a folder: links are followed, and what the system does not tell
// is not there.
bool exists(const std::filesystem::path& path) noexcept;
bool is_file(const std::filesystem::path& path) noexcept;
bool is_folder(const std::filesystem::path& path) noexcept;

/// Whether a file or folder of this name is something that systems leave beside what people put there: hidden (a dot in
/// front: .DS_Store, ._x), __MACOSX, Thumbs.db, desktop.ini, @eaDir and the like. Searches of folders pass over these.
bool is_left_by_systems(const std::filesystem::path& name);

/// A descriptor of the system, closed when it goes; -1 stands for none.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }

  int get() const noexcept { return number_; }
  /// \returns what close(2) says; 0 where there is none
  int close() noexcept;

 private:
  int number_;
};

/// A read-only private mapping of a whole regular file.
class MappedFile {
 public:
  /// \throws Error kNotFound, kPermissionDenied, kNotARegularFile or kIo. An empty file gives an empty span.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();

  std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

  /// Copies `part` of bytes() without touching its pages: cheaper for what is needed once.
  /// \throws Error kIo, or kFileChanged where the file has become shorter.
  void read(std::span<const std::byte> part, std::byte* out) const;

 private:
  std::filesystem::path path_;
  Descriptor fd_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Brings the pages of `bytes`, which must lie in a MappedFile, into memory at once: cheaper than a page fault for
/// each.
void populate_pages(std::span<const std::byte> bytes) noexcept;

/// Tells the kernel that the whole pages inside `bytes`, which must lie in a MappedFile, are not needed for now.
void release_pages(std::span<const std::byte> bytes) noexcept;

/// Tells the kernel that the first `num_bytes` of a file will soon be read. Whatever fails, fails when it is read.
void read_ahead(const std::filesystem::path& path, std::size_t num_bytes) noexcept;

/// What a file is for: one that holds settings, weights or a key has nothing that `-` could classify.
enum class Purpose { kOwnUse, kInput };

/// Bytes of a file: `size` of them from `offset` on.
struct Stretch {
  std::uint64_t offset = 0, size = 0;
};

/// A regular file opened for reading, whose length is watched; or a stretch of one, as if it were a file of its own.
class InputFile {
 public:
  /// \throws Error kNotFound, kPermissionDenied, kNotARegularFile (with what it is instead) or kIo.
  explicit InputFile(const std::filesystem::path& path, Purpose purpose = Purpose::kInput);

  /// \param name what messages call the stretch
  InputFile(const std::filesystem::path& path, const Stretch& stretch, std::filesystem::path name);

  /// Length in bytes; of a file that it had when it was opened.
  std::uint64_t size() const noexcept { return size_; }

  /// Fills `out` as far as the file goes and returns the number of bytes read: less than `out.size()` only at the end.
  /// \throws Error kIo, or kFileChanged where the file ended before, or went on after, the length it had when opened.
  std::size_t read(std::span<std::uint8_t> out);

 private:
  std::filesystem::path path_;
  Descriptor fd_;
  std::uint64_t size_ = 0;
  std::uint64_t position_ = 0;
  bool is_stretch_ = false;
};

/// The whole of a regular file as text; or what flows out of a pipe that this process has open (/dev/fd/N, as a shell's
/// <(command), or /dev/stdin), to its end. Any other FIFO is refused: nobody might ever write to it.
/// \throws as InputFile, and Error kInvalidFormat if it is longer than `max_bytes`.
std::string read_text_file(const std::filesystem::path& path, std::size_t max_bytes);

/// What flows out of a FIFO until its writers are done, but at most `max_bytes` bytes. Waits for a writer.
/// \throws Error kNotFound, kPermissionDenied, kNotARegularFile if `path` is no FIFO, or kIo.
std::vector<std::uint8_t> read_fifo(const std::filesystem::path& path, std::size_t max_bytes);

/// How an output file comes to be.
struct WriteOptions {
  bool is_private = false;  ///< only its owner may read and write it (mode 0600), from the first byte on
  bool replaces = true;     ///< whether what stands at the path gives way
};

/// Writes a file atomically: `write` fills a temporary file beside `path`, which is then synced and renamed over it.
/// On any failure the temporary file is removed and what stood at `path` is untouched. A symbolic link stays, and what
/// it leads to is replaced; devices and FIFOs (which wait for a reader) are written to, but only where `options`
/// replace.
/// \throws Error kIo (with the reason: disk full, ...) or kPermissionDenied; kAlreadyExists if `path` exists, even
/// since
///         a moment ago, and `options` do not replace it.
void write_file_atomically(
    const std::filesystem::path& path,
    const std::function<void(const std::function<void(std::span<const std::byte>)>& append)>& write,
    const WriteOptions& options = {});
void write_file_atomically(const std::filesystem::path& path, std::string_view text, const WriteOptions& options = {});

/// A new name beside `target` for what is to become it, as write_file_atomically() takes: that of the target, cut where
/// a file system has no room for more, with a mark, the process and a number. Nothing is made there. Thread-safe.
std::filesystem::path temporary_beside(const std::filesystem::path& target);

/// Whether `path` has a name of temporary_beside(): of a process that writes it or was killed.
bool is_temporary(const std::filesystem::path& path);

/// The same, of one for `target`, whose name was short enough to be kept whole.
bool is_temporary_of(const std::filesystem::path& target, const std::filesystem::path& path);

}  // namespace byteformer::base
