// Walks command line, list file and folders.
#include "classify/inputs.hpp"

#include <algorithm>
#include <utility>

#include "base/file_io.hpp"
#include "cli.hpp"
#include "data/archives.hpp"
#include "exit_status.hpp"

namespace byteformer::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestLine = 1 << 16;  // sixteen times PATH_MAX

Input failed(const fs::path& path, ErrorCode code, const std::string& reason) {
  return {path.native(), false, Error(code, path.native(), reason)};
}

ErrorCode code_of(const std::error_code& error) {
  if (error == std::errc::permission_denied) return ErrorCode::kPermissionDenied;
  if (error == std::errc::no_such_file_or_directory) return ErrorCode::kNotFound;
  return ErrorCode::kIo;
}

/// Names in `folder`, in descending order, without what systems leave there.
std::vector<fs::path> names_in(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> names;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator(); entry.increment(error))
    if (fs::path name = entry->path().filename(); !base::is_left_by_systems(name)) names.push_back(std::move(name));
  std::sort(names.begin(), names.end(), [](const fs::path& a, const fs::path& b) { return a.native() > b.native(); });
  return names;
}

}  // namespace

fs::path without_links(const fs::path& path) {
  std::error_code error;
  fs::path found = fs::canonical(path, error);
  return error ? path : found;
}

const std::unordered_set<std::string>& Inputs::given() const {
  if (given_.empty())
    for (const std::string& path : options_.paths) given_.insert(without_links(path).native());
  return given_;
}

bool Inputs::were_given(const fs::path& path) const { return given().contains(without_links(path).native()); }

bool Inputs::may_hold(const fs::path& path) const {
  for (fs::path above = without_links(path); !above.empty(); above = above.parent_path()) {
    if (given().contains(above.native())) return true;
    if (above == above.parent_path()) break;
  }
  return false;
}

std::optional<Input> Inputs::next() {
  if (pending_) return std::exchange(pending_, std::nullopt);
  for (;;) {
    if (std::optional<Input> input = next_in_archive()) return input;
    std::optional<Input> input = find();
    if (!input) return std::nullopt;
    if (options_.takes && !options_.takes(input->path)) continue;
    if (!options_.opens_archives || input->error || !data::is_archive_name(input->path)) return input;
    open_archive(*input);
  }
}

std::optional<Input> Inputs::next_in_archive() {
  if (archive_.empty()) return std::nullopt;
  Input input = std::move(archive_.back());
  archive_.pop_back();
  return input;
}

/// What an archive holds becomes the next inputs; what is wrong with it is an input, too.
void Inputs::open_archive(const Input& input) {
  const fs::path archive = input.path;
  const auto say = [&](ErrorCode code, const std::string& reason) {
    archive_.push_back(failed(archive, code, reason));
  };
  try {
    data::ArchiveListing listing = data::list_archive(archive);
    for (data::ArchivedFile& file : listing.files) {
      const fs::path path = archive / fs::path(file.name).relative_path();
      if (file.problem.empty())
        archive_.push_back({path.native(), false, std::nullopt, archive.native(), std::move(file.place),
                            std::move(file.label)});
      else
        archive_.push_back(failed(path, ErrorCode::kNotARegularFile, file.problem));
    }
    if (listing.damage)
      archive_.push_back({archive.native(), false, base::about(archive, *listing.damage)});
    else if (listing.files.empty())
      say(ErrorCode::kNotFound, "there is no file in this archive");
    else if (!listing.has_end)
      say(ErrorCode::kInvalidFormat, "lacks the mark of an archive's end: more files may have been cut off");
  } catch (const Error& error) {
    archive_.push_back({archive.native(), false, base::about(archive, error)});
  }
  std::ranges::reverse(archive_);
}

/// The next input, whether it is taken or not.
std::optional<Input> Inputs::find() {
  for (;;) {
    while (!folders_.empty()) {
      Folder& folder = folders_.back();
      if (folder.names.empty()) {
        const fs::path path = folder.path;
        folders_.pop_back();
        if (folders_.empty() && is_root_empty_)
          return failed(path, ErrorCode::kNotFound, "there is no file in this folder or below it");
        continue;
      }
      const fs::path path = folder.path / folder.names.back();
      folder.names.pop_back();
      if (std::optional<Input> input = visit(path)) {
        input->root = folders_.front().path.native();
        is_root_empty_ = false;
        return input;
      }
    }
    const bool from_list = next_path_ >= options_.paths.size();
    const std::optional<std::string> root = next_root();
    if (!root) return std::nullopt;
    // Of ten million names in a list most are not ours: the file system is not asked about these.
    if (from_list && !options_.is_recursive && options_.takes && !options_.takes(*root)) continue;
    is_root_empty_ = true;
    if (*root == "-" && !from_list) return Input{*root, true, std::nullopt};
    if (std::optional<Input> input = visit(*root)) return input;
  }
}

std::vector<Input> Inputs::next_batch(std::size_t size) {
  std::vector<Input> batch;
  while (batch.size() < size) {
    std::optional<Input> input = next();
    if (!input) break;
    const bool stands_alone = input->is_standard_input;
    if (stands_alone && !batch.empty()) {
      pending_ = std::move(input);
      break;
    }
    batch.push_back(std::move(*input));
    if (stands_alone) break;
  }
  return batch;
}

std::optional<std::size_t> Inputs::total() const {
  if (options_.is_recursive || options_.list != nullptr || options_.takes || options_.opens_archives)
    return std::nullopt;
  return options_.paths.size();
}

std::optional<std::string> Inputs::next_root() {
  if (next_path_ < options_.paths.size()) return options_.paths[next_path_++];
  return options_.list == nullptr ? std::nullopt : next_line();
}

std::optional<std::string> Inputs::next_line() {
  std::string line;
  const auto take = [&] {
    if (line.find('\0') != std::string::npos)
      throw UsageError("a line of the list of files holds a zero byte; -0 (--null) takes paths that end in zero bytes");
    if (std::exchange(is_first_line_, false) && line.starts_with(base::kByteOrderMark) && !base::exists(line))
      line.erase(0, base::kByteOrderMark.size());
    // Lists from Windows; no file that is there is meant without its last character.
    const bool has_return = options_.list_separator == '\n' && line.ends_with('\r');
    if (has_return && (line.size() == 1 || !base::exists(line))) line.pop_back();
    return !line.empty();
  };
  std::streambuf& buffer = *options_.list->rdbuf();
  for (int c = buffer.sbumpc(); c != std::streambuf::traits_type::eof(); c = buffer.sbumpc()) {
    if (c != options_.list_separator) {
      line += static_cast<char>(c);
      if (line.size() > kLongestLine) throw UsageError("the list of files has a line that is longer than any path");
    } else if (take()) {
      return line;
    }
  }
  return take() ? std::optional(line) : std::nullopt;
}

std::optional<Input> Inputs::visit(const fs::path& path) {
  if (!base::is_folder(path)) return Input{path.native(), false, std::nullopt};
  if (options_.is_recursive) return enter(path);
  return failed(path, ErrorCode::kNotARegularFile, "is a directory (-r takes the files below it)");
}

std::optional<Input> Inputs::enter(const fs::path& folder) {
  std::error_code error;
  fs::path identity = fs::canonical(folder, error);
  const bool leads_back =
      std::any_of(folders_.begin(), folders_.end(), [&](const Folder& above) { return above.identity == identity; });
  if (!error && leads_back)
    return failed(folder, ErrorCode::kNotARegularFile, "is a symbolic link to a folder that it lies in");
  std::vector<fs::path> names = error ? std::vector<fs::path>() : names_in(folder, error);
  if (error) return failed(folder, code_of(error), "cannot list this folder: " + error.message());
  folders_.push_back({folder, std::move(identity), std::move(names)});
  return std::nullopt;
}

void add_input_arguments(CommandLine& line, InputArguments& arguments, const std::string& verb,
                         const std::string& paths_description) {
  add_paths(line, "PATH", arguments.paths, paths_description);
  add_flag(line, base::joined("-r,", kRecursiveOption), arguments.is_recursive,
           verb + " the files below folders, sorted by name");
  add_text(line, "--files-from", arguments.files_from, "FILE",
           "Read more paths from FILE, one per line; `-` is standard input");
  add_flag(line, "-0,--null", arguments.is_null_separated, "Paths in --files-from end in a zero byte, not a newline");
}

void add_archive_argument(CommandLine& line, InputArguments& arguments) {
  add_flag(line, kTarOption, arguments.opens_archives,
           "Take tar archives (.tar, .tar.gz, ..., also 'data-{000..099}.tar') for the files in them");
}

void check(const InputArguments& arguments, const Console& console) {
  const auto num_dashes = std::count(arguments.paths.begin(), arguments.paths.end(), "-");
  const bool lists_from_stdin = arguments.files_from == "-";
  if (num_dashes > 1) throw UsageError("`-` is given more than once, but standard input can be read only once");
  if (num_dashes > 0 && lists_from_stdin) throw UsageError("`-` and `--files-from -` cannot both read standard input");
  if ((num_dashes > 0 || lists_from_stdin) && console.in == nullptr) throw UsageError("standard input is closed");
  if (arguments.is_null_separated && !arguments.files_from) throw UsageError("--null needs --files-from");
}

Inputs open_inputs(const InputArguments& arguments, Console& console, std::function<bool(std::string_view)> takes) {
  InputOptions inputs{.paths = arguments.paths,
                      .list_separator = arguments.is_null_separated ? '\0' : '\n',
                      .is_recursive = arguments.is_recursive,
                      .opens_archives = arguments.opens_archives,
                      .takes = std::move(takes)};
  if (arguments.opens_archives) {
    inputs.paths.clear();
    for (const std::string& path : arguments.paths)
      for (const fs::path& expanded : data::expand_pattern(path)) inputs.paths.push_back(expanded.native());
  }
  if (arguments.files_from == "-") {
    inputs.list = console.in;
  } else if (arguments.files_from) {
    inputs.list_file = std::make_shared<InputStream>(*arguments.files_from);
    inputs.list = inputs.list_file.get();
  }
  return Inputs(std::move(inputs));
}

}  // namespace byteformer::cli
