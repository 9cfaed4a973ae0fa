// Data sets in tar archives: which archive is of which split, and what labels the files in them have.
#include <algorithm>
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

/// What archives stand for, with the split that the name of each says.
using Archives = std::vector<std::pair<fs::path, std::optional<Split>>>;

std::optional<Split> split_of_archive(const fs::path& archive) {
  std::string name = archive.filename().native();
  name.resize(name.find('.'));
  const auto named = split_name(name);
  return named ? std::optional(named->split) : std::nullopt;
}

/// Whether there are entries in `folder`, and all of them are archives.
bool holds_archives_alone(const fs::path& folder) {
  Skipped ignored;
  const std::vector<fs::path> entries = visible_entries(folder, ignored);
  return !entries.empty() &&
         std::ranges::all_of(entries, [](const fs::path& entry) { return is_archive_name(entry) && is_file(entry); });
}

/// A file whose class is not known yet.
struct Unlabelled {
  FoundFile file;
  std::vector<std::string> folders;  ///< in the archive, from the outermost on
  std::optional<Split> split;        ///< of the archive
};

std::vector<std::string> folders_of(const fs::path& name) {
  std::vector<std::string> folders;
  for (const fs::path& part : name.parent_path()) folders.push_back(part.native());
  return folders;
}

/// What is beside the one file of a key that has a label, and not what the model is to read.
bool is_aside(const fs::path& name) { return name.extension() == ".txt" || name.extension() == ".id"; }

/// Collects the files of archives, then labels those that have no label of their own by their folders.
class ArchiveSearch {
 public:
  explicit ArchiveSearch(const fs::path& root) : root_(root) { found_.layout = Layout::kArchives; }

  void add(const fs::path& archive, std::optional<Split> split) {
    ArchiveListing listing = list_archive(archive);
    if (listing.damage) throw base::about(archive, *listing.damage);
    if (!listing.has_end && num_without_end_++ == 0) first_without_end_ = archive;
    std::set<std::string_view> names;
    const std::span<ArchivedFile> files = listing.files;
    for (std::size_t begin = 0, end = 0; begin < files.size(); begin = end) {
      while (end < files.size() && key_of(files[end].name) == key_of(files[begin].name)) ++end;
      std::vector<ArchivedFile*> readable;
      for (ArchivedFile& file : files.subspan(begin, end - begin)) {
        if (const std::string reason = reason_to_skip(file, names); !reason.empty())
          found_.skipped.add(reason, path_of(archive, file));
        else
          readable.push_back(&file);
      }
      add_group(archive, std::move(readable), split);
    }
  }

  FoundFiles take() {
    label_by_folders();
    if (num_without_end_ > 0)
      found_.remarks.push_back(joined(num_without_end_, num_without_end_ == 1 ? " archive lacks" : " archives lack",
                                      " the mark of an end and may be cut off, for example ",
                                      printable(first_without_end_)));
    return std::move(found_);
  }

 private:
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
  void add_group(const fs::path& archive, std::vector<ArchivedFile*> files, std::optional<Split> split) {
    if (files.empty()) return;
    if (!files.front()->label) {
      for (ArchivedFile* file : files)
        unlabelled_.push_back({found(path_of(archive, *file), *file, ""), folders_of(file->name), split});
      return;
    }
    const auto is_rest = [](const ArchivedFile* file) { return is_aside(file->name); };
    if (!std::ranges::all_of(files, is_rest)) std::erase_if(files, is_rest);
    if (files.size() > 1)
      fail(ErrorCode::kInvalidArgument, base::About{path_of(archive, *files[0]).native()}, "has one label with ",
           printable(fs::path(files[1]->name)), "; expected one file beside a label (.cls, .json)");
    found_.of(split.value_or(Split::kTrain))
        .push_back(found(path_of(archive, *files[0]), *files[0], composed(*files[0]->label)));
  }

  void label_by_folders() {
    drop_common_folders();
    const auto has_split = [](const Unlabelled& u) { return u.folders.size() > 1 && split_of(u.folders.front()); };
    const bool have_splits = std::ranges::all_of(unlabelled_, has_split);
    for (Unlabelled& u : unlabelled_) {
      if (u.folders.empty()) {
        found_.skipped.add("files in archives without a label (.cls, .json, or a folder of their class)", u.file.path);
        continue;
      }
      const auto split = have_splits ? split_of(u.folders.front()) : u.split;
      u.file.class_name = class_of_folder(u.folders[have_splits ? 1 : 0]);
      found_.of(split.value_or(Split::kTrain)).push_back(std::move(u.file));
    }
  }

  /// Archives often wrap everything in a folder of its own, which is no class.
  void drop_common_folders() {
    const auto is_in = [](const Unlabelled& u, const std::string& folder) {
      return u.folders.size() > 1 && u.folders.front() == folder;
    };
    while (!unlabelled_.empty() && !unlabelled_.front().folders.empty()) {
      const std::string first = unlabelled_.front().folders.front();
      if (split_of(first) || !std::ranges::all_of(unlabelled_, [&](const auto& u) { return is_in(u, first); })) return;
      for (Unlabelled& u : unlabelled_) u.folders.erase(u.folders.begin());
    }
  }

  const fs::path& root_;
  FoundFiles found_;
  std::vector<Unlabelled> unlabelled_;
  std::size_t num_without_end_ = 0;
  fs::path first_without_end_;
};

/// "splits: train-*.tar ..." in words, if names say any.
std::string splits_text(const Archives& archives) {
  std::map<Split, std::vector<fs::path>> of;
  for (const auto& [path, split] : archives) of[split.value_or(Split::kTrain)].push_back(path);
  std::string text;
  for (const auto& [split, paths] : of)
    text +=
        joined(text.empty() ? "" : ", ", paths.size(), paths.size() == 1 ? " archive " : " archives ", purpose(split));
  return "splits: " + text;
}

FoundFiles find(const Archives& archives, const fs::path& root) {
  ArchiveSearch search(root);
  for (const auto& [path, split] : archives) search.add(path, split);
  FoundFiles found = search.take();
  if (std::ranges::any_of(archives, [](const auto& archive) { return archive.second.has_value(); }))
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

}  // namespace

bool is_archive_folder(const fs::path& root) {
  Skipped ignored;
  const std::vector<fs::path> entries = visible_entries(root, ignored);
  return !entries.empty() && std::ranges::all_of(entries, [](const fs::path& entry) {
    if (!is_folder(entry)) return is_archive_name(entry);
    return split_of(entry.filename().native()) && holds_archives_alone(entry);
  });
}

FoundFiles find_archive_folder(const fs::path& root) {
  Archives archives;
  Skipped skipped;
  for (const fs::path& entry : visible_entries(root, skipped)) {
    if (!is_folder(entry)) {
      archives.emplace_back(entry, split_of_archive(entry));
      continue;
    }
    const auto split = split_of(entry.filename().native());
    for (const fs::path& archive : visible_entries(entry, skipped)) archives.emplace_back(archive, split);
  }
  return find(archives, root);
}

FoundFiles find_archives(const std::vector<fs::path>& paths, const fs::path& root) {
  check_all_there(paths);
  Archives archives;
  for (const fs::path& path : paths) archives.emplace_back(path, split_of_archive(path));
  return find(archives, root);
}

}  // namespace byteformer::data
