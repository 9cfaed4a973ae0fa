// Folders of classes, alone or below folders of splits: which folder is what.
#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "data/layouts.hpp"

namespace byteformer::data {
namespace {

namespace fs = std::filesystem;
using base::fail;
using base::joined;
using base::printable;

[[noreturn]] void fail_to_read(const fs::path& path, const std::error_code& error) {
  const bool is_denied = error == std::errc::permission_denied;
  fail(is_denied ? ErrorCode::kPermissionDenied : ErrorCode::kIo, printable(path), ": ", error.message());
}

/// Walks one folder of a class, remembering the real folders that it has been in.
class Walk {
 public:
  explicit Walk(Skipped& skipped) : skipped_(skipped) {}

  void enter(const fs::path& folder) {
    std::error_code error;
    const fs::path real = fs::canonical(folder, error);
    if (error) fail_to_read(folder, error);
    if (!above_.empty() && is_below(above_.front(), real))
      return skipped_.add("links to folders that they lie in", folder);
    if (!entered_.insert(real).second) return skipped_.add("folders seen before through another link", folder);
    above_.push_back(real);
    for (const fs::path& entry : visible_entries(folder, skipped_)) visit(entry);
    above_.pop_back();
  }

  std::vector<fs::path> take() { return std::move(files_); }

 private:
  /// Whether `path` is `folder` or lies below it; both are real.
  static bool is_below(const fs::path& path, const fs::path& folder) {
    return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
  }

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
  std::vector<fs::path> above_;  ///< real folders from the first to the one that is being searched
  std::set<fs::path> entered_;
  std::vector<fs::path> files_;
};

struct ClassFolders {
  std::vector<FoundFile> files;
  std::vector<std::string> empty_classes;
  std::vector<fs::path> background;
};

/// The classes that `folders` are. \param root of the data set, below which files have their names
ClassFolders classes_of(const std::vector<fs::path>& folders, const fs::path& root, Skipped& skipped) {
  ClassFolders found;
  for (const fs::path& entry : folders) {
    const std::string class_name = class_of_folder(entry.filename().native());
    const std::vector<fs::path> files = files_below(entry, skipped);
    if (files.empty()) found.empty_classes.push_back(class_name);
    for (const fs::path& file : files)
      found.files.push_back({file, file.lexically_relative(root).native(), class_name, {}, {}});
    if (entry.filename() == "_background_noise_") found.background = files;
  }
  return found;
}

/// The classes that the folders in `folder` are.
ClassFolders classes_in(const fs::path& folder, const fs::path& root, Skipped& skipped) {
  for (const fs::path& entry : visible_entries(folder, skipped))
    if (!is_folder(entry)) skipped.add("entries that lie in no folder of a class", entry);
  return classes_of(visible_folders(folder), root, skipped);
}

std::set<std::string> names_of(const std::vector<fs::path>& folders) {
  std::set<std::string> names;
  for (const fs::path& folder : folders) names.insert(composed(folder.filename().native()));
  return names;
}

std::string in_words(const std::vector<fs::path>& folders) {
  std::string text;
  for (const fs::path& folder : folders) text += joined(text.empty() ? "" : ", ", printable(folder.filename()), '/');
  return text;
}

/// A folder whose name says a split.
struct SplitFolder {
  fs::path path;
  Split split;
  bool has_folders;
};

/// What the folders of a data set are.
struct Roles {
  std::vector<SplitFolder> splits;
  std::vector<fs::path> classes;  ///< of training files, in no folder of a split
  std::vector<fs::path> unused;
};

/// Those of `folders` whose names say a split and nothing besides, else those that share what their names say besides:
/// seg_train/ and seg_test/.
std::vector<SplitFolder> named_splits(const std::vector<fs::path>& folders) {
  std::map<std::string, std::vector<SplitFolder>> groups;
  for (const fs::path& folder : folders)
    if (const auto name = split_name(folder.filename().native()))
      groups[name->rest].push_back({folder, name->split, has_class_folders(folder)});
  for (auto& [rest, group] : groups) {
    const auto is_as_first = [first = group.front().split](const SplitFolder& s) { return s.split == first; };
    if (rest.empty() || !std::ranges::all_of(group, is_as_first)) return std::move(group);
  }
  return {};
}

bool has_own_list(const fs::path& folder) {
  return is_file(folder / "wav.scp") || is_file(folder / "_classes.csv") || is_file(folder / "metadata.csv") ||
         is_file(folder / "metadata.jsonl");
}

/// Whether the folders of `split` are classes that `folders` are, too.
bool repeats(const SplitFolder& split, const std::vector<fs::path>& folders) {
  return std::ranges::includes(names_of(folders), names_of(visible_folders(split.path)));
}

// A class may be called "train", "valid" or "test", too: a split holds folders or a list, stands beside another split,
// or alone. A test set is never a class by its place alone: where it holds files without classes, it stays unused.
Roles roles_of(const fs::path& root) {
  const std::vector<fs::path> folders = visible_folders(root);
  Roles roles;
  roles.splits = named_splits(folders);
  for (const fs::path& folder : folders)
    if (std::ranges::find(roles.splits, folder, &SplitFolder::path) == roles.splits.end())
      roles.classes.push_back(folder);
  if (roles.splits.empty()) return roles;
  std::ranges::stable_sort(roles.splits, {}, &SplitFolder::split);
  const auto holds = [](const SplitFolder& s) { return s.has_folders || has_own_list(s.path); };
  const bool any_holds = std::ranges::any_of(roles.splits, holds);
  const bool has_train =
      std::ranges::any_of(roles.splits, [](const SplitFolder& s) { return s.split == Split::kTrain; });
  const bool differ =
      std::ranges::any_of(roles.splits, [&](const SplitFolder& s) { return s.split != roles.splits.front().split; });
  if (roles.classes.empty() || (has_train && (any_holds || differ))) {
    roles.unused = std::exchange(roles.classes, {});
    return roles;
  }
  std::vector<SplitFolder> splits = std::exchange(roles.splits, {});
  for (SplitFolder& split : splits) {
    const bool is_split = split.split != Split::kTrain && split.has_folders && repeats(split, roles.classes);
    const bool is_unlabelled = split.split == Split::kTest && !split.has_folders;
    if (is_split || is_unlabelled)
      roles.splits.push_back(std::move(split));
    else
      roles.classes.push_back(std::move(split.path));
  }
  return roles;
}

void check_one_each(const fs::path& root, const std::vector<SplitFolder>& splits) {
  for (const SplitFolder& a : splits)
    for (const SplitFolder& b : splits)
      if (&a < &b && a.split == b.split)
        fail(ErrorCode::kInvalidArgument, printable(root), ": has both ", printable(a.path.filename()), "/ and ",
             printable(b.path.filename()), "/; expected one folder of ",
             a.split == Split::kTrain        ? "training"
             : a.split == Split::kValidation ? "validation"
                                             : "test",
             " files, rename the other");
}

/// Boxes and masks in pictures lie beside them, in folders that are no classes.
void refuse_detection(const fs::path& root, const std::vector<fs::path>& folders) {
  const std::set<std::string> names = names_of(folders);
  for (const char* other : {"labels", "annotations", "masks"})
    if (folders.size() <= 4 && names.contains("images") && names.contains(other))
      fail(ErrorCode::kInvalidArgument, printable(root), ": images/ and ", other,
           "/ look like pictures with boxes or masks, not like classes; expected a folder per class");
}

/// Folders that all hold the same two or more folders are rather splits than classes.
void refuse_unnamed_splits(const fs::path& root, const std::vector<fs::path>& folders) {
  if (folders.size() < 2) return;
  const std::set<std::string> first = names_of(visible_folders(folders.front()));
  if (first.size() < 2) return;
  for (const fs::path& folder : folders)
    if (names_of(visible_folders(folder)) != first) return;
  std::string inner;
  for (const std::string& name : first) inner += (inner.empty() ? "" : ", ") + name;
  fail(ErrorCode::kInvalidArgument, printable(root), ": its folders ", in_words(folders),
       " all hold the same folders (", base::excerpt(inner),
       "), so they look like splits and not like classes; name them train/, val/ and test/, or give one of "
       "them alone. If they are the classes, name the files in a manifest");
}

/// Whether every class has its own train/, test/ and so on.
bool are_classes_with_splits(const std::vector<fs::path>& folders) {
  bool has_train = false;
  for (const fs::path& folder : folders) {
    const std::vector<fs::path> inner = visible_folders(folder);
    if (inner.empty()) return false;
    for (const fs::path& split : inner) {
      const auto named = split_of(split.filename().native());
      if (!named) return false;
      has_train |= named == Split::kTrain;
    }
  }
  return has_train && folders.size() > 1;
}

void find_classes_with_splits(const std::vector<fs::path>& folders, const fs::path& root, FoundFiles& found,
                              Skipped& skipped) {
  for (const fs::path& folder : folders) {
    const std::string class_name = class_of_folder(folder.filename().native());
    for (const fs::path& split : visible_folders(folder))
      for (const fs::path& file : files_below(split, skipped))
        found.of(*split_of(split.filename().native()))
            .push_back({file, file.lexically_relative(root).native(), class_name, {}, {}});
  }
  found.layout = Layout::kSplitFolders;
  found.remarks.push_back("splits: the folders of classes each hold their own (" +
                          in_words(visible_folders(folders.front())) + ")");
}

/// Where the classes of a split begin: archives repeat its name (test_set/test_set/) or put images/ between.
fs::path inner_of(const fs::path& folder) {
  const auto inner = only_folder(folder);
  if (!inner || visible_folders(*inner).empty()) return folder;
  const std::string name = plain_name(inner->filename().native());
  const bool repeats_it = split_name(name).has_value() || name == plain_name(folder.filename().native());
  return repeats_it || is_container(*inner) ? *inner : folder;
}

void take_training(ClassFolders classes, FoundFiles& found) {
  std::ranges::move(classes.files, std::back_inserter(found.train));
  found.empty_classes = std::move(classes.empty_classes);
  found.background = std::move(classes.background);
}

/// Labels of a list must be those of training: numbers of classes, say, are an order that only their author knows.
void check_listed_classes(const std::vector<FoundFile>& listed, const FoundFiles& found, const std::string& name) {
  std::set<std::string> trained;
  for (const FoundFile& file : found.train) trained.insert(file.class_name);
  const bool has_any = std::ranges::any_of(listed, [&](const FoundFile& f) { return trained.contains(f.class_name); });
  if (!trained.empty() && !listed.empty() && !has_any)
    fail(ErrorCode::kInvalidFormat, found.remarks.back(), ", but none of these (\"",
         base::excerpt(listed.front().class_name), "\", ...) is a class to train on; name classes in ", name,
         " as their folders are named");
}

void find_split(const SplitFolder& split, const fs::path& root, FoundFiles& found, Skipped& skipped) {
  const std::string name = printable(split.path.lexically_relative(root)) + "/";
  if (auto listed = find_listed(split.path, split.split, root, skipped, found.remarks)) {
    check_listed_classes(*listed, found, name);
    std::ranges::move(*listed, std::back_inserter(found.of(split.split)));
  } else if (split.has_folders) {
    ClassFolders classes = classes_in(inner_of(split.path), root, skipped);
    if (split.split == Split::kTrain)
      take_training(std::move(classes), found);
    else
      std::ranges::move(classes.files, std::back_inserter(found.of(split.split)));
  } else {
    const std::size_t count = files_below(split.path, skipped).size();
    found.remarks.push_back(count == 0 ? name + " is empty"
                                       : joined(name, " holds ", count, count == 1 ? " file" : " files",
                                                " without classes: not used (no folders of classes in it, and no list "
                                                "of its labels)"));
  }
}

/// "splits: Train/ to train on, Test/ for test"
std::string splits_text(const Roles& roles, const fs::path& root) {
  std::string text;
  if (!roles.classes.empty()) text = "the other folders " + std::string(purpose(Split::kTrain));
  for (const SplitFolder& split : roles.splits)
    text +=
        joined(text.empty() ? "" : ", ", printable(split.path.lexically_relative(root)), "/ ", purpose(split.split));
  return "splits: " + text;
}

}  // namespace

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_container(const fs::path& folder) {
  constexpr std::array<std::string_view, 13> kNames = {"images", "image", "img",  "imgs", "pictures",
                                                       "photos", "audio", "wav",  "wavs", "clips",
                                                       "sounds", "data",  "files"};
  return std::ranges::find(kNames, plain_name(folder.filename().native())) != kNames.end();
}

bool has_class_folders(const fs::path& folder) {
  const std::vector<fs::path> inner = visible_folders(folder);
  const bool is_container_alone =
      inner.size() == 1 && is_container(inner.front()) && visible_folders(inner.front()).empty();
  return !inner.empty() && !is_container_alone;
}

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
    if (!base::is_left_by_systems(path.filename()))
      entries.push_back(path);
    else
      skipped.add(path.filename().native().starts_with('.') ? "hidden entries" : "what systems leave behind", path);
  }
  if (error) fail_to_read(folder, error);
  std::ranges::sort(entries, {}, &fs::path::native);
  return entries;
}

std::vector<fs::path> visible_folders(const fs::path& folder) {
  Skipped ignored;
  std::vector<fs::path> entries = visible_entries(folder, ignored);
  std::erase_if(entries, [](const fs::path& entry) { return !is_folder(entry); });
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
  return composed(name);
}

std::optional<fs::path> only_folder(const fs::path& root) {
  Skipped ignored;
  const std::vector<fs::path> folders = visible_folders(root);
  const bool is_alone = folders.size() == 1 && visible_entries(root, ignored).size() == 1;
  return is_alone ? std::optional(folders.front()) : std::nullopt;
}

FoundFiles find_folders(const fs::path& root, const std::optional<std::vector<std::string>>& classes) {
  FoundFiles found;
  Skipped skipped;
  const Roles roles = roles_of(root);
  if (roles.splits.empty()) {
    refuse_detection(root, roles.classes);
    const bool are_known =
        classes && !roles.classes.empty() && std::ranges::all_of(roles.classes, [&](const auto& f) {
          return std::ranges::find(*classes, class_of_folder(f.filename().native())) != classes->end();
        });
    if (are_classes_with_splits(roles.classes)) {
      find_classes_with_splits(roles.classes, root, found, skipped);
    } else {
      if (!are_known) refuse_unnamed_splits(root, roles.classes);
      take_training(classes_in(root, root, skipped), found);
    }
  } else {
    found.layout = Layout::kSplitFolders;
    check_one_each(root, roles.splits);
    found.remarks.push_back(splits_text(roles, root));
    take_training(classes_of(roles.classes, root, skipped), found);
    for (const SplitFolder& split : roles.splits) {
      refuse_detection(split.path, visible_folders(split.path));
      find_split(split, root, found, skipped);
    }
    for (const fs::path& folder : roles.unused) skipped.add("entries beside train/, val/ and test/", folder);
    for (const fs::path& entry : visible_entries(root, skipped))
      if (!is_folder(entry)) skipped.add("entries beside train/, val/ and test/", entry);
  }
  skipped.append_to(found.remarks);
  return found;
}

}  // namespace byteformer::data
