// Data sets that manifests describe: one, one per split, or one beside the files of a split.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "data/layouts.hpp"
#include "data/manifest_text.hpp"

namespace byteformer::data {
namespace {

namespace fs = std::filesystem;
using base::fail;
using base::joined;
using base::printable;

constexpr std::size_t kMaxManifestBytes = std::size_t{1} << 30;
constexpr std::array<std::string_view, 4> kEndings = {".csv", ".tsv", ".jsonl", ".json"};
std::string ending_of(const fs::path& path) { return base::lower_case(path.extension().native()); }

std::string read_text(const fs::path& path) { return base::read_text_file(path, kMaxManifestBytes); }

Manifest parse_manifest(const fs::path& manifest) {
  const std::string ending = ending_of(manifest);
  const bool is_table = ending == ".csv" || ending == ".tsv";
  return is_table ? parse_csv_manifest(read_text(manifest), printable(manifest))
                  : parse_json_manifest(read_text(manifest), printable(manifest));
}

/// Finds what manifests name by less than its path: without its folder or ending, with \, in another Unicode form.
class Resolver {
 public:
  /// \param split of the manifest, whose folder may hold the files
  /// \param entries of the manifest; they outlive this
  Resolver(fs::path folder, std::optional<Split> split, const std::vector<ManifestEntry>& entries)
      : folder_(std::move(folder)), split_(split), entries_(entries) {}

  /// The file; a path where none is, if there is none.
  fs::path find(const std::string& name) {
    if (auto path = find_as_written(name)) return *path;
    if (!is_indexed_) make_index();
    const std::string slashes = with_slashes(name);
    for (const fs::path& container : containers_)
      if (fs::path path = (container / slashes).lexically_normal(); is_file(path)) return path;
    const fs::path path = (folder_ / name).lexically_normal();
    if (is_any_as_written_) return path;
    const std::string key = composed(fs::path(slashes).filename().native());
    for (const auto* index : {&by_name_, &by_stem_})
      if (const auto found = index->find(key); found != index->end() && !found->second.empty()) return found->second;
    return path;
  }

 private:
  static std::string with_slashes(std::string name) {
    std::ranges::replace(name, '\\', '/');
    return name;
  }

  std::optional<fs::path> find_as_written(const std::string& name) const {
    for (const std::string& written : {name, with_slashes(name)})
      if (fs::path path = (folder_ / written).lexically_normal(); is_file(path)) return path;
    return std::nullopt;
  }

  void make_index() {
    is_indexed_ = true;
    // Where some files are where it says, one that is not is missing: another of its name may be of another class.
    is_any_as_written_ = std::ranges::any_of(
        entries_, [&](const ManifestEntry& entry) { return find_as_written(entry.path).has_value(); });
    Skipped ignored;
    if (!is_folder(folder_)) return;
    for (const fs::path& entry : visible_entries(folder_, ignored))
      if (is_file(entry)) add(entry);
    constexpr std::array<std::string_view, 5> kListFolders = {"meta", "metadata", "annotations", "lists", "splits"};
    std::vector<fs::path> places = {folder_};  // ESC-50 has meta/esc50.csv beside audio/
    if (std::ranges::find(kListFolders, plain_name(folder_.filename().native())) != kListFolders.end())
      places.push_back(folder_ / "..");
    for (const fs::path& beside : places)
      for (const fs::path& entry : visible_folders(beside)) {
        const std::string name = plain_name(entry.filename().native());
        const bool is_of_split = split_ && split_of(name) == split_;
        if (!is_of_split && !is_container(entry)) continue;
        containers_.push_back(entry);
        if (!is_any_as_written_)
          for (const fs::path& file : files_below(entry, ignored)) add(file.lexically_normal());
      }
  }

  /// Two files of one name leave none of that name.
  void add(const fs::path& file) {
    for (auto [index, part] : {std::pair(&by_name_, file.filename()), std::pair(&by_stem_, file.stem())})
      if (const auto [known, is_new] = index->try_emplace(composed(part.native()), file);
          !is_new && known->second != file)
        known->second.clear();
  }

  fs::path folder_;
  std::optional<Split> split_;
  const std::vector<ManifestEntry>& entries_;
  bool is_indexed_ = false, is_any_as_written_ = false;
  std::vector<fs::path> containers_;
  std::unordered_map<std::string, fs::path> by_name_, by_stem_;
};

/// Takes the rows of one manifest, checking each file once.
class ManifestFiles {
 public:
  ManifestFiles(const fs::path& manifest, const std::vector<ManifestEntry>& entries, std::optional<Split> split,
                bool is_speech_commands, FoundFiles& found)
      : manifest_(manifest),
        is_speech_commands_(is_speech_commands),
        skipped_(found.skipped),
        resolver_(manifest.parent_path(), split, entries) {}

  /// The file of an entry; nothing if it is no sample.
  std::optional<FoundFile> found(const ManifestEntry& entry) {
    const fs::path path = resolver_.find(entry.path);
    const std::string label = is_speech_commands_ ? class_of_folder(entry.label) : composed(entry.label);
    const auto [first, is_new] = first_.try_emplace({path.native(), entry.start_s}, First{label, entry.line});
    if (!is_new) {
      if (first->second.label != label)
        fail(ErrorCode::kInvalidFormat, printable(manifest_), ':', entry.line, ": \"", base::excerpt(entry.path),
             "\" has the label \"", base::excerpt(label), "\", but line ", first->second.line, " gives it \"",
             base::excerpt(first->second.label), '"');
      skipped_.add("lines that name a file again", path);
      return std::nullopt;
    }
    std::error_code error;
    const auto num_bytes = is_file(path) ? fs::file_size(path, error) : 0;
    if (!is_file(path) || error) {
      if (++num_missing_ <= kMaxNamed)
        missing_ += joined("\n  ", printable(manifest_), ':', entry.line, ": ", printable(entry.path));
      return std::nullopt;
    }
    if (num_bytes == 0) {
      skipped_.add("empty files", path);
      return std::nullopt;
    }
    return FoundFile{path, entry.path, label, entry.start_s, entry.duration_s};
  }

  /// \throws Error naming the files that are not there.
  void check_missing() const {
    if (num_missing_ != 0)
      fail(ErrorCode::kInvalidFormat, printable(manifest_), ": names ", num_missing_,
           num_missing_ == 1 ? " file that does not exist" : " files that do not exist",
           " (paths are relative to the manifest):", missing_, num_missing_ > kMaxNamed ? "\n  ..." : "");
  }

 private:
  struct First {
    std::string label;
    std::size_t line = 0;
  };

  const fs::path& manifest_;
  bool is_speech_commands_;
  Skipped& skipped_;
  Resolver resolver_;
  std::map<std::pair<std::string, std::optional<double>>, First> first_;
  std::string missing_;
  std::size_t num_missing_ = 0;
};

/// Where no column says the split but all paths begin with folders of splits, among them training: "train/cat/1.png".
void split_by_paths(Manifest& manifest) {
  std::set<Split> splits;
  std::vector<Split> of_entries;
  for (const ManifestEntry& entry : manifest.entries) {
    std::string path = entry.path;
    std::ranges::replace(path, '\\', '/');
    const fs::path relative = fs::path(path).lexically_normal();
    const auto named =
        relative.has_parent_path() && relative.is_relative() ? split_of(relative.begin()->native()) : std::nullopt;
    if (!named) return;
    splits.insert(*named);
    of_entries.push_back(*named);
  }
  if (splits.size() < 2 || !splits.contains(Split::kTrain)) return;
  for (std::size_t i = 0; i < of_entries.size(); ++i) manifest.entries[i].split = of_entries[i];
  manifest.remarks.push_back("splits: as the folders say with which the paths begin");
}

/// Adds the files of a manifest to the splits that its entries say, else to `split`.
void add_manifest(const fs::path& path, Split split, bool is_speech_commands, FoundFiles& found) {
  Manifest manifest = parse_manifest(path);
  if (!manifest.has_labels) {
    if (split == Split::kTrain)
      fail(ErrorCode::kInvalidFormat, printable(path),
           ": no column is named label, class or category, or it is empty, so its files have no classes");
    found.remarks.push_back(printable(path.filename()) + " has no labels: not used");
    return;
  }
  if (!manifest.entries.empty() && !manifest.entries.front().split && split == Split::kTrain) split_by_paths(manifest);
  std::ranges::move(manifest.remarks, std::back_inserter(found.remarks));
  ManifestFiles files(path, manifest.entries, split, is_speech_commands, found);
  for (const ManifestEntry& entry : manifest.entries)
    if (auto file = files.found(entry)) found.of(entry.split.value_or(split)).push_back(std::move(*file));
  files.check_missing();
}

/// The one manifest of each split that `root` holds: named after it, and with `suffix` ("_manifest" in the published
/// Speech Commands, in JSON alone).
std::map<Split, fs::path> split_manifests(const fs::path& root, std::string_view suffix) {
  std::map<Split, fs::path> found;
  Skipped ignored;
  for (const fs::path& path : visible_entries(root, ignored)) {
    if (!is_manifest_name(path) || !is_file(path)) continue;
    std::string stem = path.stem().native();
    if (!suffix.empty() && (!stem.ends_with(suffix) || ending_of(path) == ".csv")) continue;
    stem.resize(stem.size() - suffix.size());
    const auto split = split_of(stem);
    if (!split) continue;
    const auto [other, is_new] = found.emplace(*split, path);
    if (!is_new)
      fail(ErrorCode::kInvalidArgument, printable(root), ": has both ", printable(other->second.filename()), " and ",
           printable(path.filename()), "; expected one manifest a split, rename the other");
  }
  return found;
}

/// Metadata that describe all files of a folder (Hugging Face).
std::optional<fs::path> metadata_in(const fs::path& folder) {
  for (const char* name : {"metadata.csv", "metadata.tsv", "metadata.jsonl"})
    if (is_file(folder / name)) return folder / name;
  return std::nullopt;
}

/// The file of labels beside Kaldi's wav.scp.
std::optional<fs::path> kaldi_labels(const fs::path& folder) {
  if (!is_file(folder / "wav.scp")) return std::nullopt;
  if (is_file(folder / "segments"))
    fail(ErrorCode::kUnsupported, printable(folder / "segments"),
         ": cuts recordings into utterances, which is not read; write each to a file of its own");
  for (const char* name : {"utt2label", "utt2class", "utt2lang", "text"})
    if (is_file(folder / name)) return folder / name;
  fail(ErrorCode::kInvalidFormat, printable(folder), ": has wav.scp, but no text or utt2label that names the classes");
}

/// Paths in wav.scp are absolute, or begin where Kaldi's commands are run: some folder above.
fs::path kaldi_path(const fs::path& folder, const std::string& path) {
  for (fs::path base = fs::absolute(folder);; base = base.parent_path()) {
    if (is_file(base / path)) return base / path;
    if (base == base.parent_path()) return folder / path;
  }
}

/// The files of a list that lies beside them, named by their places below `root`.
std::vector<FoundFile> files_of(const Manifest& manifest, const fs::path& source, Split split, const fs::path& root,
                                FoundFiles& found) {
  ManifestFiles files(source, manifest.entries, split, false, found);
  std::vector<FoundFile> listed;
  for (const ManifestEntry& entry : manifest.entries)
    if (auto file = files.found(entry)) {
      file->name = file->path.lexically_relative(root).native();
      listed.push_back(std::move(*file));
    }
  files.check_missing();
  return listed;
}

std::vector<FoundFile> find_kaldi(const fs::path& folder, const fs::path& labels, Split split, const fs::path& root,
                                  FoundFiles& found) {
  const fs::path scp = folder / "wav.scp";
  Manifest manifest = parse_kaldi(read_text(scp), read_text(labels), printable(scp));
  for (ManifestEntry& entry : manifest.entries) entry.path = kaldi_path(folder, entry.path).native();
  return files_of(manifest, scp, split, root, found);
}

/// A list of the labels of `split` in one of the folders: val_annotations.txt, val.txt, LOC_val_solution.csv, test.csv;
/// of training also labels.csv.
std::optional<fs::path> list_of_labels(Split split, const std::vector<fs::path>& folders) {
  Skipped ignored;
  for (const fs::path& folder : folders)
    for (const fs::path& path : visible_entries(folder, ignored)) {
      if (!is_file(path) || (!is_manifest_name(path) && ending_of(path) != ".txt")) continue;
      const auto named = split_name(path.stem().native());
      const bool is_for_training = !named && split == Split::kTrain && plain_name(path.stem().native()) == "labels";
      if ((named && named->split == split) || is_for_training) return path;
    }
  return std::nullopt;
}

}  // namespace

bool is_manifest_name(const fs::path& path) { return std::ranges::find(kEndings, ending_of(path)) != kEndings.end(); }

bool is_manifest_folder(const fs::path& root) {
  if (is_file(root / "wav.scp") || !split_manifests(root, "_manifest").empty()) return true;
  const std::vector<fs::path> folders = visible_folders(root);
  const bool has_splits = std::ranges::any_of(
      folders, [](const fs::path& folder) { return split_of(folder.filename().native()).has_value(); });
  const std::map<Split, fs::path> manifests = split_manifests(root, "");
  if (manifests.contains(Split::kTrain) || (!manifests.empty() && !has_splits)) return true;
  const auto metadata = metadata_in(root);
  if (!metadata) return false;
  try {
    return parse_manifest(*metadata).has_labels;
  } catch (const Error&) {  // a table of something else, beside folders of classes
    if (folders.empty()) throw;
    return false;
  }
}

FoundFiles find_manifest_folder(const fs::path& root) {
  FoundFiles found;
  found.layout = Layout::kManifest;
  if (const auto labels = kaldi_labels(root)) {
    found.train = find_kaldi(root, *labels, Split::kTrain, root, found);
    return found;
  }
  std::map<Split, fs::path> manifests = split_manifests(root, "_manifest");
  const bool is_speech_commands = !manifests.empty();
  if (is_speech_commands)
    found.layout = Layout::kSpeechCommandsManifests;
  else
    manifests = split_manifests(root, "");
  if (!manifests.contains(Split::kTrain))
    if (const auto metadata = metadata_in(root)) return find_manifest(*metadata);
  found.remarks.emplace_back();  // what follows is said after it
  for (const auto& [split, path] : manifests) {
    add_manifest(path, split, is_speech_commands, found);
    std::string& text = found.remarks.front();
    text += joined(text.empty() ? "splits: " : ", ", printable(path.filename()), ' ', purpose(split));
  }
  if (const fs::path noise = root / "_background_noise_"; is_folder(noise))
    found.background = files_below(noise, found.skipped);
  return found;
}

FoundFiles find_manifest(const fs::path& manifest) {
  FoundFiles found;
  found.layout = Layout::kManifest;
  add_manifest(manifest, Split::kTrain, false, found);
  return found;
}

bool has_list(const fs::path& folder) {
  return is_file(folder / "wav.scp") || is_file(folder / "_classes.csv") || metadata_in(folder);
}

std::optional<std::vector<FoundFile>> find_listed(const fs::path& folder, Split split, const fs::path& root,
                                                  FoundFiles& found) {
  if (const auto labels = kaldi_labels(folder)) return find_kaldi(folder, *labels, split, root, found);
  std::optional<fs::path> list = metadata_in(folder);
  if (!list && is_file(folder / "_classes.csv")) list = folder / "_classes.csv";
  const bool is_flat = !has_class_folders(Disk(root), folder);
  if (!list && (is_flat || split != Split::kTrain))
    list = list_of_labels(split, is_flat ? std::vector{folder, root} : std::vector{folder});
  if (!list) return std::nullopt;
  const Manifest manifest =
      is_manifest_name(*list) ? parse_manifest(*list) : parse_list(read_text(*list), printable(*list));
  const std::string name = printable(list->lexically_relative(root));
  if (!manifest.has_labels) {
    found.remarks.push_back(name + " has no labels: not used");
    return std::nullopt;
  }
  found.lists.insert(*list);
  found.remarks.push_back(joined(printable(folder.lexically_relative(root)), "/: labels of ", name));
  return files_of(manifest, *list, split, root, found);
}

}  // namespace byteformer::data
