// Folders of classes, alone or below train/, val/ and test/.
#include <algorithm>
#include <array>
#include <set>
#include <system_error>

#include "base/file_io.hpp"
#include "data/layouts.hpp"
#include "format/text.hpp"

namespace byteformer::data {
namespace {

namespace fs = std::filesystem;
using base::printable;
using format::fail;
using format::joined;

constexpr std::array<std::string_view, 2> kTrainNames = {"train", "training"};
constexpr std::array<std::string_view, 3> kValidationNames = {"val", "valid", "validation"};

bool is_train_name(std::string_view name) { return std::ranges::find(kTrainNames, name) != kTrainNames.end(); }

bool is_split_name(std::string_view name) {
  return is_train_name(name) || name == "test" || std::ranges::find(kValidationNames, name) != kValidationNames.end();
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

[[noreturn]] void fail_to_read(const fs::path& path, const std::error_code& error) {
  const bool is_denied = error == std::errc::permission_denied;
  fail(is_denied ? ErrorCode::kPermissionDenied : ErrorCode::kIo, printable(path), ": ", error.message());
}

std::vector<fs::path> visible_folders(const fs::path& root) {
  Skipped ignored;
  std::vector<fs::path> entries = visible_entries(root, ignored);
  std::erase_if(entries, [](const fs::path& entry) { return !is_folder(entry); });
  return entries;
}

/// Walks one folder of a class, remembering the real folders that it has been in.
class Walk {
 public:
  explicit Walk(Skipped& skipped) : skipped_(skipped) {}

  void enter(const fs::path& folder) {
    std::error_code error;
    const fs::path real = fs::canonical(folder, error);
    if (error) fail_to_read(folder, error);
    if (!entered_.insert(real).second) return skipped_.add("folders seen before through another link", folder);
    for (const fs::path& entry : visible_entries(folder, skipped_)) visit(entry);
  }

  std::vector<fs::path> take() { return std::move(files_); }

 private:
  void visit(const fs::path& entry) {
    std::error_code error;
    const fs::file_status status = fs::status(entry, error);
    if (fs::is_directory(status)) return enter(entry);
    if (status.type() == fs::file_type::not_found || error) return skipped_.add("broken links", entry);
    if (!fs::is_regular_file(status)) return skipped_.add("entries that are neither files nor folders", entry);
    const auto num_bytes = fs::file_size(entry, error);
    if (error) return skipped_.add("broken links", entry);
    if (num_bytes == 0) return skipped_.add("empty files", entry);
    files_.push_back(entry);
  }

  Skipped& skipped_;
  std::set<fs::path> entered_;
  std::vector<fs::path> files_;
};

struct ClassFolders {
  std::vector<FoundFile> files;
  std::vector<std::string> empty_classes;
  std::vector<fs::path> background;
};

ClassFolders classes_in(const fs::path& folder, const fs::path& root, Skipped& skipped) {
  ClassFolders found;
  for (const fs::path& entry : visible_entries(folder, skipped)) {
    if (!is_folder(entry)) {
      skipped.add("entries that lie in no folder of a class", entry);
      continue;
    }
    const std::string class_name = class_of_folder(entry.filename().native());
    const std::vector<fs::path> files = files_below(entry, skipped);
    if (files.empty()) found.empty_classes.push_back(class_name);
    for (const fs::path& file : files)
      found.files.push_back({file, file.lexically_relative(root).native(), class_name, std::nullopt});
    if (entry.filename() == "_background_noise_") found.background = files;
  }
  return found;
}

/// The one folder that has one of the `names`; `what` it holds stands in the message if there are more.
template <typename Names>
std::optional<fs::path> split_folder(const fs::path& root, const Names& names, std::string_view what) {
  std::optional<fs::path> found;
  for (const std::string_view name : names) {
    if (!is_folder(root / name)) continue;
    if (found)
      fail(ErrorCode::kInvalidArgument, printable(root), ": has both ", found->filename().native(), "/ and ", name,
           "/; expected one folder of ", what, " files, rename the other");
    found = root / name;
  }
  return found;
}

}  // namespace

void Skipped::add(std::string_view reason, const fs::path& path) {
  Entry& entry = reasons_.try_emplace(std::string(reason)).first->second;
  if (entry.count++ == 0 || path < entry.first) entry.first = path;
}

void Skipped::append_to(std::vector<std::string>& remarks) const {
  for (const auto& [reason, entry] : reasons_)
    remarks.push_back(joined("skipped ", reason, " (", entry.count, entry.count == 1 ? "): " : "), for example ",
                             printable(entry.first)));
}

std::vector<fs::path> visible_entries(const fs::path& folder, Skipped& skipped) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    if (path.filename().native().starts_with('.'))
      skipped.add("hidden entries", path);
    else
      entries.push_back(path);
  }
  if (error) fail_to_read(folder, error);
  std::ranges::sort(entries, {}, &fs::path::native);
  return entries;
}

std::vector<fs::path> files_below(const fs::path& folder, Skipped& skipped) {
  Walk walk(skipped);
  walk.enter(folder);
  return walk.take();
}

std::string class_of_folder(std::string_view name) {
  if (name == "_unknown_") return "unknown";
  if (name == "_silence_" || name == "_background_noise_") return "background";
  return std::string(name);
}

// A class may be called "train" too: a split holds folders, and stands beside another split or alone.
bool is_split_folders(const fs::path& root) {
  bool has_train = false;
  bool has_split = false;
  bool has_other = false;
  for (const fs::path& folder : visible_folders(root)) {
    if (!is_split_name(folder.filename().native())) {
      has_other = true;
      continue;
    }
    if (visible_folders(folder).empty()) return false;
    has_split = true;
    if (is_train_name(folder.filename().native())) has_train = true;
  }
  return has_train || (has_split && !has_other);
}

FoundFiles find_split_folders(const fs::path& root) {
  FoundFiles found;
  found.layout = Layout::kSplitFolders;
  Skipped skipped;
  if (const auto folder = split_folder(root, kTrainNames, "training")) {
    ClassFolders train = classes_in(*folder, root, skipped);
    found.train = std::move(train.files);
    found.empty_classes = std::move(train.empty_classes);
    found.background = std::move(train.background);
  }
  if (const auto folder = split_folder(root, kValidationNames, "validation"))
    found.validation = classes_in(*folder, root, skipped).files;
  if (is_folder(root / "test")) found.test = classes_in(root / "test", root, skipped).files;
  for (const fs::path& entry : visible_entries(root, skipped))
    if (!is_split_name(entry.filename().native())) skipped.add("entries beside train/, val/ and test/", entry);
  skipped.append_to(found.remarks);
  return found;
}

FoundFiles find_class_folders(const fs::path& root) {
  FoundFiles found;
  found.layout = Layout::kFolderPerClass;
  Skipped skipped;
  ClassFolders classes = classes_in(root, root, skipped);
  found.train = std::move(classes.files);
  found.empty_classes = std::move(classes.empty_classes);
  found.background = std::move(classes.background);
  skipped.append_to(found.remarks);
  return found;
}

}  // namespace byteformer::data
