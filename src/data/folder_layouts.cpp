// Folders of classes, alone or below folders of splits: which folder is what.
#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string_view>
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

void add_files(std::vector<FoundFile> files, const std::string& class_name, Split split, FoundFiles& found) {
  for (FoundFile& file : files) {
    file.class_name = class_name;
    found.of(split).push_back(std::move(file));
  }
}

/// Adds the files below `folders`, each of them a class.
void add_classes(const std::vector<fs::path>& folders, Tree& tree, Split split, FoundFiles& found) {
  for (const fs::path& folder : folders) {
    const std::string class_name = class_of_folder(folder.filename().native());
    std::vector<FoundFile> files = tree.take_files_below(folder, found.skipped);
    if (split == Split::kTrain && files.empty()) found.empty_classes.push_back(class_name);
    if (split == Split::kTrain && folder.filename() == "_background_noise_")
      for (const FoundFile& file : files)
        if (!file.place) found.background.push_back(file.path);
    add_files(std::move(files), class_name, split, found);
  }
}

/// Adds the classes that the folders in `folder` are.
void add_classes_in(const fs::path& folder, Tree& tree, Split split, FoundFiles& found) {
  for (const fs::path& entry : tree.others(folder, found.skipped))
    found.skipped.add("entries that lie in no folder of a class", entry);
  add_classes(tree.folders(folder), tree, split, found);
}

std::set<std::string> names_of(const std::vector<fs::path>& folders) {
  std::set<std::string> names;
  for (const fs::path& folder : folders) names.insert(composed(folder.filename().native()));
  return names;
}

/// "cat/, dog/", the first of them where they are many.
std::string in_words(const std::vector<fs::path>& folders) {
  std::string text;
  for (std::size_t i = 0; i < std::min(folders.size(), kMaxNamed); ++i)
    text += joined(i == 0 ? "" : ", ", printable(folders[i].filename()), '/');
  return folders.size() > kMaxNamed ? joined(text, ", ... (", folders.size(), " in all)") : text;
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
std::vector<SplitFolder> named_splits(const Tree& tree, const std::vector<fs::path>& folders) {
  std::map<std::string, std::vector<SplitFolder>> groups;
  for (const fs::path& folder : folders)
    if (const auto name = split_name(folder.filename().native()))
      groups[name->rest].push_back({folder, name->split, has_class_folders(tree, folder)});
  for (auto& [rest, group] : groups) {
    const auto is_as_first = [first = group.front().split](const SplitFolder& s) { return s.split == first; };
    if (rest.empty() || !std::ranges::all_of(group, is_as_first)) return std::move(group);
  }
  return {};
}

/// Whether the folders of `split` are classes that `folders` are, too.
bool repeats(const Tree& tree, const SplitFolder& split, const std::vector<fs::path>& folders) {
  return std::ranges::includes(names_of(folders), names_of(tree.folders(split.path)));
}

// A class may be called "train", "valid" or "test", too: a split holds folders or a list, stands beside another split,
// or alone. A test set is never a class by its place alone: where it holds files without classes, it stays unused.
Roles roles_of(const Tree& tree) {
  const std::vector<fs::path> folders = tree.folders(tree.root());
  Roles roles;
  roles.splits = named_splits(tree, folders);
  for (const fs::path& folder : folders)
    if (std::ranges::find(roles.splits, folder, &SplitFolder::path) == roles.splits.end())
      roles.classes.push_back(folder);
  if (roles.splits.empty()) return roles;
  std::ranges::stable_sort(roles.splits, {}, &SplitFolder::split);
  const auto holds = [&](const SplitFolder& s) { return s.has_folders || tree.has_list(s.path); };
  const bool any_holds = std::ranges::any_of(roles.splits, holds);
  const bool has_train = roles.splits.front().split == Split::kTrain;  // they are sorted
  const bool differ = roles.splits.back().split != roles.splits.front().split;
  if (roles.classes.empty() || (has_train && (any_holds || differ))) {
    roles.unused = std::exchange(roles.classes, {});
    return roles;
  }
  std::vector<SplitFolder> splits = std::exchange(roles.splits, {});
  for (SplitFolder& split : splits) {
    const bool is_split = split.split != Split::kTrain && split.has_folders && repeats(tree, split, roles.classes);
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
             printable(b.path.filename()), "/; expected one folder of ", name_of(a.split), " files, rename the other");
}

/// Boxes and masks in pictures lie beside them, in folders that are no classes.
void refuse_detection(const fs::path& root, const std::vector<fs::path>& folders) {
  const std::set<std::string> names = names_of(folders);
  for (const char* other : {"labels", "annotations", "masks"})
    if (folders.size() <= 4 && names.contains("images") && names.contains(other))
      fail(ErrorCode::kInvalidArgument, printable(root), ": images/ and ", other,
           "/ look like pictures with boxes or masks, not like classes; expected a folder per class");
}

/// Folders that all hold the same two or more folders, or nearly, are rather splits than classes.
void refuse_unnamed_splits(const Tree& tree, const std::vector<fs::path>& folders) {
  if (folders.size() < 2) return;
  std::set<std::string> all, common = names_of(tree.folders(folders.front()));
  for (const fs::path& folder : folders) {
    const std::set<std::string> inner = names_of(tree.folders(folder));
    all.insert(inner.begin(), inner.end());
    std::erase_if(common, [&](const std::string& name) { return !inner.contains(name); });
  }
  if (common.size() < 2 || 2 * common.size() < all.size()) return;  // a rare class may lack in one
  const std::string inner = base::list(base::words_of(common, std::identity()), ", ");
  fail(ErrorCode::kInvalidArgument, printable(tree.root()), ": its folders ", in_words(folders),
       " all hold the same folders (", base::excerpt(inner),
       "), so they look like splits and not like classes; name them train/, val/ and test/, or give one of "
       "them alone. If they are the classes, name the files in a manifest");
}

/// Whether every class has its own train/, test/ and so on.
bool are_classes_with_splits(const Tree& tree, const std::vector<fs::path>& folders) {
  bool has_train = false;
  for (const fs::path& folder : folders) {
    const std::vector<fs::path> inner = tree.folders(folder);
    if (inner.empty()) return false;
    for (const fs::path& split : inner) {
      const auto named = split_of(split.filename().native());
      if (!named) return false;
      has_train |= named == Split::kTrain;
    }
  }
  return has_train && folders.size() > 1;
}

/// Folders of which some, but not all, hold nothing but splits: whether the others are to train on, who knows?
void refuse_some_with_splits(const Tree& tree, const std::vector<fs::path>& folders) {
  const auto holds_splits = [&](const fs::path& folder) {
    std::set<Split> splits;
    for (const fs::path& inner : tree.folders(folder)) {
      const auto named = split_of(inner.filename().native());
      if (!named) return false;
      splits.insert(*named);
    }
    return splits.size() > 1;
  };
  const auto other = std::ranges::find_if_not(folders, holds_splits);
  const auto one = std::ranges::find_if(folders, holds_splits);
  if (one != folders.end() && other != folders.end())
    fail(ErrorCode::kInvalidArgument, printable(tree.root()), ": its folder ", printable(one->filename()),
         "/ holds splits (", in_words(tree.folders(*one)), "), but ", printable(other->filename()),
         "/ does not; give every class the same, or have the splits above the classes");
}

/// Archives put lists and programs beside the one folder of files: none of these is a class.
void refuse_what_lies_beside(const Tree& tree, const std::vector<fs::path>& folders) {
  constexpr auto kBeside = std::to_array<std::string_view>(
      {"meta", "metadata", "annotations", "annotation", "lists", "splits", "labels", "docs", "doc", "utils", "scripts",
       "tests", "src", "code", "tools", "parts", "attributes"});
  std::vector<fs::path> beside;
  std::optional<fs::path> files;
  for (const fs::path& folder : folders) {
    const std::string name = plain_name(folder.filename().native());
    const bool holds_files = is_container(folder) || split_name(name);
    if (std::ranges::find(kBeside, name) != kBeside.end()) {
      beside.push_back(folder);
    } else if (!files && holds_files) {
      files = folder;
    } else {
      return;
    }
  }
  if (!files || beside.empty()) return;
  Skipped ignored;
  std::string advice = has_class_folders(tree, *files)
                           ? "give " + printable(*files) + " if its folders are the classes"
                           : "give a folder of files for each class, or a list of the files and their classes";
  for (const fs::path& folder : beside)
    for (const fs::path& entry : tree.others(folder, ignored))
      if (is_manifest_name(entry)) advice = "give " + printable(entry) + " if it names the files and their classes";
  fail(ErrorCode::kInvalidArgument, printable(tree.root()), ": its folders ", in_words(folders),
       " look like files and what belongs to them, not like classes; ", advice);
}

void find_classes_with_splits(const std::vector<fs::path>& folders, Tree& tree, FoundFiles& found) {
  for (const fs::path& folder : folders)
    for (const fs::path& split : tree.folders(folder))
      add_files(tree.take_files_below(split, found.skipped), class_of_folder(folder.filename().native()),
                *split_of(split.filename().native()), found);
  found.layout = Layout::kSplitFolders;
  found.remarks.push_back("splits: the folders of classes each hold their own (" +
                          in_words(tree.folders(folders.front())) + ")");
}

/// Where the classes of a split begin: archives repeat its name (test_set/test_set/) or put images/ between.
fs::path inner_of(const Tree& tree, const fs::path& folder) {
  const auto inner = only_folder(tree, folder);
  if (!inner || tree.folders(*inner).empty()) return folder;
  const std::string name = plain_name(inner->filename().native());
  const bool repeats_it = split_name(name).has_value() || name == plain_name(folder.filename().native());
  return repeats_it || is_container(*inner) ? *inner : folder;
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

void find_split(const SplitFolder& split, Tree& tree, FoundFiles& found) {
  const std::string name = printable(split.path.lexically_relative(tree.root())) + "/";
  if (auto listed = tree.listed(split.path, split.split, found)) {
    check_listed_classes(*listed, found, name);
    std::ranges::move(*listed, std::back_inserter(found.of(split.split)));
  } else if (split.has_folders) {
    add_classes_in(inner_of(tree, split.path), tree, split.split, found);
  } else {
    const std::size_t count = tree.take_files_below(split.path, found.skipped).size();
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

void find_splits(const Roles& roles, Tree& tree, FoundFiles& found) {
  constexpr std::string_view kBeside = "entries beside train/, val/ and test/";
  found.layout = Layout::kSplitFolders;
  check_one_each(tree.root(), roles.splits);
  found.remarks.push_back(splits_text(roles, tree.root()));
  add_classes(roles.classes, tree, Split::kTrain, found);
  for (const SplitFolder& split : roles.splits) {
    refuse_detection(split.path, tree.folders(split.path));
    find_split(split, tree, found);
  }
  for (const fs::path& folder : roles.unused) found.skipped.add(kBeside, folder);
  for (const fs::path& entry : tree.others(tree.root(), found.skipped))
    if (!found.lists.contains(entry)) found.skipped.add(kBeside, entry);
}

}  // namespace

FoundFiles find_folders(Tree& tree, const KnownClasses& classes) {
  FoundFiles found;
  const Roles roles = roles_of(tree);
  if (!roles.splits.empty()) {
    find_splits(roles, tree, found);
    return found;
  }
  refuse_detection(tree.root(), roles.classes);
  const auto is_known = [&](const fs::path& folder) {
    return std::ranges::find(*classes, class_of_folder(folder.filename().native())) != classes->end();
  };
  if (are_classes_with_splits(tree, roles.classes)) {
    find_classes_with_splits(roles.classes, tree, found);
  } else {
    const bool are_known = classes && !roles.classes.empty() && std::ranges::all_of(roles.classes, is_known);
    if (!are_known) {
      refuse_unnamed_splits(tree, roles.classes);
      refuse_some_with_splits(tree, roles.classes);
      refuse_what_lies_beside(tree, roles.classes);
    }
    add_classes_in(tree.root(), tree, Split::kTrain, found);
  }
  return found;
}

}  // namespace byteformer::data
