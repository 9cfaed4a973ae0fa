// Data sets in tar archives: which archive is of which split, and what labels the files in them have.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "data/archives.hpp"
#include "data/layouts.hpp"

namespace byteformer::data {
namespace {

namespace fs = std::filesystem;
using base::fail;
using base::joined;
using base::printable;

constexpr const char* kWithoutLabel = "files in archives without a label (.cls, .json, or a folder of their class)";

/// Folders of archives, as if they were unpacked into one.
class ArchiveTree final : public Tree {
 public:
  explicit ArchiveTree(fs::path root) : root_(std::move(root)) {}

  void add(std::span<const std::string> folders, FoundFile file) {
    fs::path folder = root_;
    for (const std::string& name : folders) {
      Contents& outer = contents_[folder];
      folder /= name;
      outer.folders.insert(folder);
    }
    contents_[folder].files.push_back(std::move(file));
  }

  const fs::path& root() const override { return root_; }

  std::vector<fs::path> folders(const fs::path& folder) const override {
    const auto found = contents_.find(folder);
    if (found == contents_.end()) return {};
    return {found->second.folders.begin(), found->second.folders.end()};
  }

  std::vector<fs::path> others(const fs::path& folder, Skipped&) const override {
    std::vector<fs::path> paths;
    if (const auto found = contents_.find(folder); found != contents_.end())
      for (const FoundFile& file : found->second.files) paths.push_back(file.path);
    return paths;
  }

  std::vector<FoundFile> take_files_below(const fs::path& folder, Skipped& skipped) override {
    const auto found = contents_.find(folder);
    if (found == contents_.end()) return {};
    std::vector<FoundFile> files = std::exchange(found->second.files, {});
    for (const fs::path& inner : found->second.folders)
      for (FoundFile& file : take_files_below(inner, skipped)) files.push_back(std::move(file));
    return files;
  }

  // Lists in archives are not read.
  bool has_list(const fs::path&) const override { return false; }
  std::optional<std::vector<FoundFile>> listed(const fs::path&, Split, FoundFiles&) const override {
    return std::nullopt;
  }

 private:
  struct Contents {
    std::set<fs::path> folders;
    std::vector<FoundFile> files;
  };

  fs::path root_;
  std::map<fs::path, Contents> contents_;  ///< by folder
};

/// A file whose class is not known yet.
struct Unlabelled {
  FoundFile file;
  std::vector<std::string> folders;  ///< in the archive, from the outermost on
  std::size_t archive;               ///< position in the list of archives
};

struct Shard {
  fs::path path;
  std::optional<Split> split;        ///< as a folder in which it lies or its name says
  std::vector<std::string> folders;  ///< in which it lies and that say no split, from the outermost on
};

std::vector<std::string> folders_of(const fs::path& name) {
  std::vector<std::string> folders;
  for (const fs::path& part : name.parent_path())
    if (part != ".") folders.push_back(part.native());
  return folders;
}

/// The split that the outermost of `folders` says that says any.
std::optional<Split> split_in(std::span<const std::string> folders) {
  for (const std::string& folder : folders)
    if (const auto split = split_of(folder)) return split;
  return std::nullopt;
}

/// Collects the files of archives. Where some have labels beside them, these count; else their folders do.
class ArchiveSearch {
 public:
  /// \param root  from where files have their names
  ArchiveSearch(std::vector<Shard> archives, fs::path root) : archives_(std::move(archives)), root_(std::move(root)) {
    found_.layout = Layout::kArchives;
    for (std::size_t i = 0; i < archives_.size(); ++i) add(i);
  }

  FoundFiles take(const KnownClasses& classes) {
    if (has_labels_) {
      for (const Unlabelled& u : unlabelled_)
        found_.skipped.add("files without a label beside them, where others have one", u.file.path);
    } else {
      label_by_folders(classes);
    }
    if (num_without_end_ > 0)
      found_.remarks.push_back(joined(num_without_end_, num_without_end_ == 1 ? " archive lacks" : " archives lack",
                                      " the mark of an end and may be cut off, for example ",
                                      printable(first_without_end_)));
    return std::move(found_);
  }

 private:
  void add(std::size_t archive) {
    const fs::path& path = archives_[archive].path;
    ArchiveListing listing = list_archive(path);
    if (listing.damage) throw base::about(path, *listing.damage);
    if (!listing.has_end && num_without_end_++ == 0) first_without_end_ = path;
    std::set<std::string_view> names;
    const std::span<ArchivedFile> files = listing.files;
    for (std::size_t begin = 0, end = 0; begin < files.size(); begin = end) {
      while (end < files.size() && key_of(files[end].name) == key_of(files[begin].name)) ++end;
      std::vector<ArchivedFile*> readable;
      for (ArchivedFile& file : files.subspan(begin, end - begin)) {
        if (const std::string reason = reason_to_skip(file, names); !reason.empty())
          found_.skipped.add(reason, path_of(path, file));
        else
          readable.push_back(&file);
      }
      add_group(archive, std::move(readable));
    }
  }

  FoundFile found(const fs::path& path, const ArchivedFile& archived, std::string class_name) const {
    FoundFile file = found_file(path, root_, std::move(class_name));
    file.place = archived.place;
    return file;
  }

  static fs::path path_of(const fs::path& archive, const ArchivedFile& file) {
    return archive / fs::path(file.name).relative_path();
  }

  static std::string reason_to_skip(const ArchivedFile& file, std::set<std::string_view>& names) {
    if (!file.problem.empty()) return "files in archives (each " + file.problem + ")";
    if (file.place.stretch.size == 0) return "empty files";
    return names.insert(file.name).second ? "" : "files whose names stand in their archives already";
  }

  /// Files whose names agree up to the first dot: one of them is what their label is about.
  void add_group(std::size_t archive, std::vector<ArchivedFile*> files) {
    if (files.empty()) return;
    const fs::path& path = archives_[archive].path;
    if (!files.front()->label) {
      for (ArchivedFile* file : files)
        unlabelled_.push_back({found(path_of(path, *file), *file, ""), folders_of(file->name), archive});
      return;
    }
    has_labels_ = true;
    if (files.size() > 1)
      fail(ErrorCode::kInvalidArgument, base::About{path_of(path, *files[0]).native()}, "has one label with ",
           printable(fs::path(files[1]->name)), "; expected one file beside a label (.cls, .json)");
    const auto inner = split_in(folders_of(files[0]->name));
    found_.of(inner.value_or(archives_[archive].split.value_or(Split::kTrain)))
        .push_back(found(path_of(path, *files[0]), *files[0], composed(*files[0]->label)));
  }

  /// Archives of one split are looked at as one folder, whose own splits win.
  void label_by_folders(const KnownClasses& classes) {
    take_outer_folders();
    drop_own_folders();
    drop_common_folders(classes);
    const fs::path shown = archives_.size() == 1 ? archives_.front().path : root_;
    std::map<std::optional<Split>, ArchiveTree> trees;
    for (Unlabelled& u : unlabelled_) {
      if (u.folders.empty())
        found_.skipped.add(kWithoutLabel, u.file.path);
      else
        trees.try_emplace(archives_[u.archive].split, shown).first->second.add(u.folders, std::move(u.file));
    }
    unlabelled_ = {};
    for (auto& [split, tree] : trees) take(find_folders(tree, classes), split);
  }

  void take(FoundFiles part, const std::optional<Split>& split) {
    if (split && part.layout == Layout::kFolderPerClass && split != Split::kTrain)
      part.of(*split) = std::exchange(part.train, {});
    for (const Split each : {Split::kTrain, Split::kValidation, Split::kTest}) {
      std::vector<FoundFile>& files = found_.of(each);
      if (files.empty())
        files = std::move(part.of(each));  // of a million files no second list
      else
        std::ranges::move(part.of(each), std::back_inserter(files));
    }
    std::ranges::move(part.remarks, std::back_inserter(found_.remarks));
    found_.skipped.merge(part.skipped);
  }

  /// Where no folder in an archive says a class, those in which archives lie may: cat/0.tar.
  void take_outer_folders() {
    if (std::ranges::any_of(unlabelled_, [](const Unlabelled& u) { return !u.folders.empty(); })) return;
    for (Unlabelled& u : unlabelled_) u.folders = archives_[u.archive].folders;
  }

  /// shard-000.tar often holds shard-000/, with classes in it that other archives hold, too. But cat/ in cat.tar may be
  /// a class.
  void drop_own_folders() {
    std::map<std::string, std::set<std::size_t>> archives_of;
    for (const Unlabelled& u : unlabelled_) {
      if (u.folders.empty()) continue;
      if (u.folders.size() < 2 || u.folders.front() != archive_stem(archives_[u.archive].path)) return;
      archives_of[u.folders[1]].insert(u.archive);
    }
    const auto is_class = [](const auto& entry) {
      const auto& [name, archives] = entry;
      return archives.size() > 1 && !is_container(name) && !split_of(name);
    };
    if (std::ranges::any_of(archives_of, is_class)) drop_first_folders();
  }

  /// Archives often wrap everything in a folder of its own, which is no class.
  void drop_common_folders(const KnownClasses& classes) {
    const auto is_known = [&](const std::string& folder) {
      return classes && std::ranges::find(*classes, class_of_folder(folder)) != classes->end();
    };
    for (;;) {
      const auto first = std::ranges::find_if(unlabelled_, [](const auto& u) { return !u.folders.empty(); });
      if (first == unlabelled_.end()) return;
      const std::string folder = first->folders.front();
      const auto is_in = [&](const Unlabelled& u) {
        return u.folders.empty() || (u.folders.size() > 1 && u.folders.front() == folder);
      };
      if (split_of(folder) || is_known(folder) || !std::ranges::all_of(unlabelled_, is_in)) return;
      drop_first_folders();
    }
  }

  void drop_first_folders() {
    for (Unlabelled& u : unlabelled_)
      if (!u.folders.empty()) u.folders.erase(u.folders.begin());
  }

  std::vector<Shard> archives_;
  fs::path root_;
  FoundFiles found_;
  bool has_labels_ = false;
  std::vector<Unlabelled> unlabelled_;
  std::size_t num_without_end_ = 0;
  fs::path first_without_end_;
};

/// "splits: 3 archives to train on, ..." in words.
std::string splits_text(const std::vector<Shard>& archives) {
  std::array<std::size_t, 3> counts{};
  for (const Shard& archive : archives) ++counts[static_cast<std::size_t>(archive.split.value_or(Split::kTrain))];
  std::string text;
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest})
    if (const std::size_t count = counts[static_cast<std::size_t>(split)])
      text += joined(text.empty() ? "" : ", ", count, count == 1 ? " archive " : " archives ", purpose(split));
  return "splits: " + text;
}

Shard shard_below(const fs::path& root, const fs::path& path) {
  std::vector<std::string> folders = folders_of(path.lexically_relative(root));
  auto split = split_in(folders);
  if (!split)
    if (const auto named = split_name(archive_stem(path))) split = named->split;
  std::erase_if(folders, [](const std::string& folder) { return split_of(folder).has_value(); });
  return {path, split, std::move(folders)};
}

/// The innermost folder in which all of them lie.
fs::path common_folder(const std::vector<fs::path>& paths) {
  fs::path common = paths.front().parent_path();
  for (const fs::path& path : paths)
    while (std::ranges::mismatch(common, path).in1 != common.end()) common = common.parent_path();
  return common;
}

FoundFiles find_below(const fs::path& root, const std::vector<fs::path>& paths, const KnownClasses& classes) {
  std::vector<Shard> archives;
  for (const fs::path& path : paths) archives.push_back(shard_below(root, path));
  FoundFiles found = ArchiveSearch(archives, root).take(classes);
  if (std::ranges::any_of(archives, [](const Shard& archive) { return archive.split.has_value(); }))
    found.remarks.insert(found.remarks.begin(), splits_text(archives));
  return found;
}

void check_all_there(const std::vector<fs::path>& archives) {
  std::vector<std::string> missing;
  for (const fs::path& archive : archives)
    if (!base::exists(archive)) missing.push_back(printable(archive));
  if (missing.empty()) return;
  const std::size_t count = missing.size();
  missing.resize(std::min(count, kMaxNamed));
  fail(ErrorCode::kNotFound, base::list(missing, ", "), count > kMaxNamed ? ", ..." : "", ": ", count, " of ",
       archives.size(), archives.size() == 1 ? " archive" : " archives", count == 1 ? " does" : " do", " not exist");
}

/// What lies in a folder of archives.
struct Entries {
  std::vector<fs::path> archives, folders, others;
};

Entries entries_of(const fs::path& folder, Skipped& skipped) {
  Entries entries;
  for (const fs::path& entry : visible_entries(folder, skipped))
    (is_folder(entry) ? entries.folders : is_archive_name(entry) ? entries.archives : entries.others).push_back(entry);
  return entries;
}

}  // namespace

bool is_archive_folder(const fs::path& root) {
  Skipped ignored;
  const Entries entries = entries_of(root, ignored);
  const auto is_split_of_archives = [&](const fs::path& folder) {
    if (!split_of(folder.filename().native())) return false;  // folders of classes are long to list
    const Entries inner = entries_of(folder, ignored);
    return !inner.archives.empty() && inner.folders.empty();
  };
  if (entries.archives.empty() && entries.folders.empty()) return false;
  if (!std::ranges::all_of(entries.folders, is_split_of_archives)) return false;
  return entries.others.empty() || !is_manifest_folder(root);  // whose files may lie beside archives of the same
}

FoundFiles find_archive_folder(const fs::path& root, const KnownClasses& classes) {
  Skipped skipped;
  Entries entries = entries_of(root, skipped);
  for (const fs::path& folder : entries.folders) {
    const Entries inner = entries_of(folder, skipped);
    entries.archives.insert(entries.archives.end(), inner.archives.begin(), inner.archives.end());
    entries.others.insert(entries.others.end(), inner.others.begin(), inner.others.end());
  }
  for (const fs::path& other : entries.others) skipped.add("files beside archives", other);
  FoundFiles found = find_below(root, entries.archives, classes);
  found.skipped.merge(skipped);
  return found;
}

FoundFiles find_archives(const std::vector<fs::path>& archives, const KnownClasses& classes) {
  check_all_there(archives);
  return find_below(common_folder(archives), archives, classes);
}

}  // namespace byteformer::data
