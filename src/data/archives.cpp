// Lists tar archives, unpacks those that are compressed, and writes archives, all by libarchive.
#include "data/archives.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "data/libarchive.hpp"
#include "format/json.hpp"

namespace byteformer::data {
namespace {

namespace fs = std::filesystem;
using base::fail;
using base::joined;

constexpr std::size_t kReadBytes = 1 << 16;
constexpr std::size_t kMostLabelBytes = 1 << 20;
constexpr std::uint64_t kTarBlock = 512;  ///< headers take one, and bytes fill whole ones

using Reader = std::unique_ptr<archive, int (*)(archive*)>;
enum class Format { kTar, kAny };

/// The archive, opened; \param format what is read of it once it is not compressed any more
Reader open_archive(const fs::path& path, const fs::path& name, Format format) {
  const base::InputFile is_regular(path);  // says what else it is
  const LibArchive& library = libarchive();
  Reader reader(library.archive_read_new(), library.archive_read_free);
  // No filter that would start another program.
  for (const auto support :
       {library.archive_read_support_filter_bzip2, library.archive_read_support_filter_gzip,
        library.archive_read_support_filter_lz4, library.archive_read_support_filter_xz,
        library.archive_read_support_filter_zstd,
        format == Format::kTar ? library.archive_read_support_format_tar : library.archive_read_support_format_raw})
    support(reader.get());
  // Archives may be joined, as `cat` does; what follows an end and is none is damage.
  library.archive_read_set_options(reader.get(), "tar:read_concatenated_archives");
  if (library.archive_read_open_filename(reader.get(), path.c_str(), kReadBytes) != ARCHIVE_OK)
    throw archive_error(reader.get(), name);
  return reader;
}

/// An archive as it can be read from anywhere.
struct PlainArchive {
  std::shared_ptr<const fs::path> path;
  std::optional<Error> damage = {};  ///< why it was not unpacked to its end
};

/// A file without a name, open as long as somebody knows the path under which it can be opened again.
struct NamelessFile {
  base::Descriptor descriptor;
  fs::path path;

  explicit NamelessFile(const fs::path& folder)
      : descriptor(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) {
    if (descriptor.get() < 0) {  // not every file system has them
      std::string name = (folder / "byteformer-XXXXXX").native();
      descriptor = base::Descriptor(::mkostemp(name.data(), O_CLOEXEC));
      ::unlink(name.c_str());
    }
    path = joined("/proc/self/fd/", descriptor.get());
  }
};

/// Each archive that was unpacked keeps a descriptor for as long as it is read.
/// \throws Error kIo where another one would leave none for what else is opened
void leave_descriptors(int newest, const fs::path& archive) {
  constexpr rlim_t kForOthers = 64;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || static_cast<rlim_t>(newest) + kForOthers < limit.rlim_cur) return;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0 && static_cast<rlim_t>(newest) + kForOthers < limit.rlim_max) return;
  fail(ErrorCode::kIo, base::About{archive.native()}, "is one of more compressed archives than a process may have ",
       "files open (", limit.rlim_max, "; see `ulimit -n`); unpack them to .tar files");
}

PlainArchive unpacked(const fs::path& path) {
  const LibArchive& library = libarchive();
  std::error_code error;
  const fs::path folder = fs::temp_directory_path(error);
  const auto file = std::make_shared<NamelessFile>(folder);
  const auto refuse = [&] {
    fail(ErrorCode::kIo, base::About{path.native()}, "cannot be unpacked into ", base::printable(folder), ": ",
         std::strerror(errno), "; TMPDIR names another folder, or unpack it to a .tar yourself");
  };
  if (file->descriptor.get() < 0) refuse();
  leave_descriptors(file->descriptor.get(), path);
  PlainArchive plain{std::shared_ptr<const fs::path>(file, &file->path)};
  const Reader reader = open_archive(path, path, Format::kAny);
  archive_entry* entry = nullptr;
  std::vector<char> buffer(std::size_t{1} << 20);
  auto got = static_cast<la_ssize_t>(library.archive_read_next_header(reader.get(), &entry));
  if (got == ARCHIVE_EOF) return plain;
  if (got < ARCHIVE_WARN) throw archive_error(reader.get(), path);
  while ((got = library.archive_read_data(reader.get(), buffer.data(), buffer.size())) > 0)
    for (la_ssize_t done = 0; done < got;) {
      const ssize_t written =
          ::write(file->descriptor.get(), buffer.data() + done, static_cast<std::size_t>(got - done));
      if (written < 0 && errno != EINTR) refuse();
      done += std::max<ssize_t>(written, 0);
    }
  if (got < 0) plain.damage = archive_error(reader.get(), path);
  return plain;
}

/// \returns why files of this name are not read; empty if they are
std::string problem_of_name(const std::string& name) {
  const fs::path path(name);
  if (name.empty()) return "has no name";
  if (path.is_absolute()) return "has an absolute name";
  if (std::ranges::find(path, "..") != path.end()) return "has a name that leads out of the archive (..)";
  return "";
}

bool is_left_by_systems(const fs::path& name) {
  return std::ranges::any_of(
      name, [](const fs::path& part) { return part != "." && part != ".." && base::is_left_by_systems(part); });
}

std::string_view ending_of(std::string_view name) { return name.substr(key_of(name).size()); }

bool tells_label(std::string_view name) { return ending_of(name) == kClassEnding || ending_of(name) == ".json"; }

/// The label in the text of a .cls or a .json; nothing where it tells none.
std::optional<std::string> label_in(const std::string& text, std::string_view ending) try {
  if (ending == kClassEnding) {
    const std::size_t mark = text.starts_with(base::kByteOrderMark) ? base::kByteOrderMark.size() : 0;
    const std::size_t begin = text.find_first_not_of(" \t\r\n", mark);
    if (begin == std::string::npos) return std::nullopt;
    return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
  }
  const format::Json json = format::parse_json(text, "the label");
  if (!json.is_object()) return std::nullopt;
  for (const char* key : {"cls", "label", "class"})
    if (const auto value = json.find(key); value != json.end()) {
      if (value->is_string()) return value->get<std::string>();
      if (value->is_number_integer()) return std::to_string(value->get<std::int64_t>());
    }
  return std::nullopt;
} catch (const Error&) {  // no JSON: whoever needs a label says that there is none
  return std::nullopt;
}

/// Walks an archive that is not compressed.
class Lister {
 public:
  Lister(const fs::path& name, PlainArchive plain)
      : library_(libarchive()),
        name_(name),
        plain_(std::move(plain)),
        num_bytes_(base::InputFile(*plain_.path).size()) {}

  ArchiveListing list() {
    try {
      if (num_bytes_ > 0) reader_ = open_archive(*plain_.path, name_, Format::kTar);
      while (reader_ && step()) {
      }
      listing_.has_end = num_bytes_ >= end_ + kTarBlock;
    } catch (const Error& error) {
      listing_.damage = error;
    }
    if (plain_.damage) listing_.damage = plain_.damage;  // what else is wrong follows from it
    close_group();
    return std::move(listing_);
  }

 private:
  /// Files whose names agree up to the first dot, and their labels, which may come first.
  struct Group {
    std::string key;
    std::vector<ArchivedFile> files, labels;
    std::optional<std::string> label;
  };

  bool step() {
    archive_entry* entry = nullptr;
    const int status = library_.archive_read_next_header(reader_.get(), &entry);
    if (status == ARCHIVE_EOF) return false;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) throw archive_error(reader_.get(), name_);
    if (library_.archive_entry_filetype(entry) == AE_IFDIR) return true;
    take(entry);
    return true;
  }

  void take(archive_entry* entry) {
    ArchivedFile file{.name = name_of(entry)};
    if (is_left_by_systems(file.name)) return;
    file.problem = problem_of(entry, file.name);
    if (key_of(file.name) != group_.key) close_group();
    group_.key = key_of(file.name);
    if (file.problem.empty()) {
      const auto size = static_cast<std::uint64_t>(library_.archive_entry_size(entry));
      const auto offset = static_cast<std::uint64_t>(library_.archive_filter_bytes(reader_.get(), 0));
      if (offset > num_bytes_ || size > num_bytes_ - offset)
        fail(ErrorCode::kInvalidFormat, base::About{name_.native()}, "ends within ", base::printable(file.name),
             ": it was cut off, or the size that it tells is wrong");
      end_ = (offset + size + kTarBlock - 1) / kTarBlock * kTarBlock;
      file.place = {plain_.path, {offset, size}};
    }
    const bool is_label = file.problem.empty() && tells_label(file.name);
    if (is_label && (!group_.label || ending_of(file.name) == kClassEnding))  // which says nothing besides, so it wins
      if (auto label = read_label(file)) group_.label = std::move(label);
    (is_label ? group_.labels : group_.files).push_back(std::move(file));
  }

  std::string name_of(archive_entry* entry) const {
    const char* name = library_.archive_entry_pathname(entry);
    if (name == nullptr) name = library_.archive_entry_pathname_utf8(entry);
    std::string text = name == nullptr ? "" : name;
    while (text.starts_with("./")) text.erase(0, 2);
    return text;
  }

  std::string problem_of(archive_entry* entry, const std::string& name) const {
    const bool is_hard_link =
        library_.archive_entry_hardlink(entry) != nullptr || library_.archive_entry_hardlink_utf8(entry) != nullptr;
    const auto type = library_.archive_entry_filetype(entry);
    if (is_hard_link || type == AE_IFLNK) return "is a link, which has no bytes of its own in the archive";
    if (type != AE_IFREG) return "is neither a file nor a folder";
    if (library_.archive_entry_sparse_count(entry) > 0)
      return "is stored with holes; pack the archive without --sparse";
    return problem_of_name(name);
  }

  std::optional<std::string> read_label(const ArchivedFile& file) {
    if (file.place.stretch.size > kMostLabelBytes) return std::nullopt;
    std::string text(static_cast<std::size_t>(file.place.stretch.size), '\0');
    const auto got = library_.archive_read_data(reader_.get(), text.data(), text.size());
    if (got < 0 || static_cast<std::size_t>(got) < text.size()) throw archive_error(reader_.get(), name_);
    return label_in(text, ending_of(file.name));
  }

  /// A label alone is a file, too: in an archive of JSON files, say. So is text, but not beside a file with a label.
  void close_group() {
    const auto is_aside = [](const ArchivedFile& file) {
      return file.name.ends_with(".txt") || file.name.ends_with(".id");
    };
    if (group_.label && !std::ranges::all_of(group_.files, is_aside)) std::erase_if(group_.files, is_aside);
    std::vector<ArchivedFile>& files = group_.files.empty() ? group_.labels : group_.files;
    for (ArchivedFile& file : files) {
      if (&files == &group_.files) file.label = group_.label;
      listing_.files.push_back(std::move(file));
    }
    group_ = {};
  }

  const LibArchive& library_;
  const fs::path& name_;  ///< for messages
  PlainArchive plain_;
  std::uint64_t num_bytes_;
  Reader reader_{nullptr, library_.archive_read_free};  ///< none of an empty file
  ArchiveListing listing_;
  Group group_;
  std::uint64_t end_ = 0;  ///< of the last file
};

bool is_compressed(const fs::path& path) {
  if (base::InputFile(path).size() == 0) return false;
  const Reader reader = open_archive(path, path, Format::kAny);
  archive_entry* entry = nullptr;
  const LibArchive& library = libarchive();
  const int status = library.archive_read_next_header(reader.get(), &entry);
  return status >= ARCHIVE_WARN && status != ARCHIVE_EOF &&
         library.archive_filter_code(reader.get(), 0) != ARCHIVE_FILTER_NONE;
}

}  // namespace

base::InputFile open_file(const Sample& sample) {
  if (!sample.place) return base::InputFile(sample.path);
  return base::InputFile(*sample.place->archive, sample.place->stretch, sample.path);
}

std::optional<std::uint64_t> num_bytes_of(const Sample& sample) {
  if (sample.place) return sample.place->stretch.size;
  std::error_code error;
  const std::uint64_t size = fs::file_size(sample.path, error);
  return error ? std::nullopt : std::optional(size);
}

bool is_archive_name(const fs::path& path) { return archive_stem(path).size() < path.filename().native().size(); }

std::string archive_stem(const fs::path& path) {
  static constexpr std::array<std::string_view, 9> kEndings = {".tar",    ".tar.gz", ".tgz",     ".tar.bz2", ".tbz2",
                                                               ".tar.xz", ".txz",    ".tar.zst", ".tar.lz4"};
  std::string name = path.filename().native();
  const std::string lower = base::lower_case(name);
  const auto ending = std::ranges::find_if(kEndings, [&](std::string_view text) { return lower.ends_with(text); });
  if (ending != kEndings.end()) name.resize(name.size() - ending->size());
  return name;
}

std::string_view key_of(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return name.substr(0, name.find('.', slash == std::string_view::npos ? 0 : slash));
}

ArchiveListing list_archive(const fs::path& path) {
  return Lister(path, is_compressed(path) ? unpacked(path) : PlainArchive{std::make_shared<const fs::path>(path)})
      .list();
}

struct ArchiveWriter::State {
  const LibArchive& library = libarchive();
  std::function<void(std::span<const std::byte>)> append;
  std::exception_ptr failure;  ///< of append, which must not leave through C
  std::unique_ptr<archive, int (*)(archive*)> writer{
      library.archive_write_new(), library.archive_write_free};  ///< last: its end may write once more

  static la_ssize_t take(archive*, void* state, const void* bytes, std::size_t size) {
    auto& self = *static_cast<State*>(state);
    if (self.failure) return ARCHIVE_FATAL;
    try {
      self.append({static_cast<const std::byte*>(bytes), size});
      return static_cast<la_ssize_t>(size);
    } catch (...) {
      self.failure = std::current_exception();
      return ARCHIVE_FATAL;
    }
  }

  void check(la_ssize_t status) const {
    if (failure) std::rethrow_exception(failure);
    if (status < ARCHIVE_WARN) throw archive_error(writer.get(), "");
  }
};

ArchiveWriter::ArchiveWriter(std::function<void(std::span<const std::byte>)> append)
    : state_(std::make_unique<State>()) {
  state_->append = std::move(append);
  state_->library.archive_write_set_format_pax_restricted(state_->writer.get());
  state_->check(state_->library.archive_write_open(state_->writer.get(), state_.get(), nullptr, &State::take, nullptr));
}

ArchiveWriter::~ArchiveWriter() = default;

void ArchiveWriter::add(const std::string& name, std::span<const std::uint8_t> bytes) {
  const LibArchive& library = state_->library;
  const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(library.archive_entry_new(),
                                                                       library.archive_entry_free);
  library.archive_entry_set_pathname(entry.get(), name.c_str());
  library.archive_entry_set_filetype(entry.get(), AE_IFREG);
  library.archive_entry_set_perm(entry.get(), 0644);
  library.archive_entry_set_mtime(entry.get(), 0, 0);
  library.archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
  state_->check(library.archive_write_header(state_->writer.get(), entry.get()));
  if (!bytes.empty()) state_->check(library.archive_write_data(state_->writer.get(), bytes.data(), bytes.size()));
}

void ArchiveWriter::finish() { state_->check(state_->library.archive_write_close(state_->writer.get())); }

}  // namespace byteformer::data
