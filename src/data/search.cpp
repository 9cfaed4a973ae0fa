// Looks through the folders of data sets: what lies in them, all files below, and what is passed over.
#include <algorithm>
#include <array>
#include <iterator>
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

}  // namespace

bool is_container(const fs::path& folder) {
  constexpr auto kNames = std::to_array<std::string_view>({"images", "image", "img", "imgs", "pictures", "photos",
                                                           "audio", "wav", "wavs", "clips", "sounds", "recordings",
                                                           "videos", "data", "files"});
  return std::ranges::find(kNames, plain_name(folder.filename().native())) != kNames.end();
}

bool has_class_folders(const Tree& tree, const fs::path& folder) {
  const std::vector<fs::path> inner = tree.folders(folder);
  const bool is_container_alone =
      inner.size() == 1 && is_container(inner.front()) && tree.folders(inner.front()).empty();
  return !inner.empty() && !is_container_alone;
}

void Skipped::add(std::string_view reason, const fs::path& path) {
  Entry& entry = reasons_.try_emplace(std::string(reason)).first->second;
  ++entry.count;
  entry.name(path);
}

void Skipped::Entry::name(const fs::path& path) {
  constexpr std::size_t kMostExamples = 3;
  first.insert(path);
  if (first.size() > kMostExamples) first.erase(std::prev(first.end()));
}

void Skipped::merge(const Skipped& other) {
  for (const auto& [reason, added] : other.reasons_) {
    Entry& entry = reasons_[reason];
    entry.count += added.count;
    for (const fs::path& path : added.first) entry.name(path);
  }
}

void Skipped::append_to(std::vector<std::string>& remarks) const {
  for (const auto& [reason, entry] : reasons_) {
    std::string text = joined("skipped ", reason, " (", entry.count, entry.count == 1 ? "): " : "), for example ");
    for (const fs::path& path : entry.first) text += (path == *entry.first.begin() ? "" : ", ") + printable(path);
    remarks.push_back(std::move(text));
  }
}

namespace {

/// The visible entries of a folder that `takes` takes, sorted. What each is the listing itself tells: no entry but a
/// link is looked up.
template <typename Takes>
std::vector<fs::path> listed_entries(const fs::path& folder, Skipped& skipped, const Takes& takes) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    std::error_code ignored;
    if (base::is_left_by_systems(path.filename()))
      skipped.add(path.filename().native().starts_with('.') ? "hidden entries" : "what systems leave behind", path);
    else if (const bool is_folder = it->is_directory(ignored);
             is_folder && base::exists(path / "training" / "plan.json"))
      skipped.add("models that were trained here", path);  // with -o inside --data
    else if (takes(is_folder))
      entries.push_back(path);
  }
  if (error) fail_to_read(folder, error);
  std::ranges::sort(entries, {}, &fs::path::native);
  return entries;
}

}  // namespace

std::vector<fs::path> visible_entries(const fs::path& folder, Skipped& skipped) {
  return listed_entries(folder, skipped, [](bool) { return true; });
}

std::vector<fs::path> visible_folders(const fs::path& folder) {
  Skipped ignored;
  return listed_entries(folder, ignored, [](bool is_folder) { return is_folder; });
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

std::optional<fs::path> only_folder(const Tree& tree, const fs::path& folder) {
  Skipped ignored;
  const std::vector<fs::path> folders = tree.folders(folder);
  const bool is_alone = folders.size() == 1 && tree.others(folder, ignored).empty();
  return is_alone ? std::optional(folders.front()) : std::nullopt;
}

std::vector<fs::path> Disk::folders(const fs::path& folder) const {
  const auto known = folders_.find(folder);
  return known != folders_.end() ? known->second : folders_.emplace(folder, visible_folders(folder)).first->second;
}

std::vector<fs::path> Disk::others(const fs::path& folder, Skipped& skipped) const {
  return listed_entries(folder, skipped, [](bool is_folder) { return !is_folder; });
}

std::vector<FoundFile> Disk::take_files_below(const fs::path& folder, Skipped& skipped) {
  std::vector<FoundFile> files;
  for (const fs::path& path : files_below(folder, skipped)) files.push_back(found_file(path, root_, ""));
  return files;
}

bool Disk::has_list(const fs::path& folder) const { return data::has_list(folder); }

std::optional<std::vector<FoundFile>> Disk::listed(const fs::path& folder, Split split, FoundFiles& found) const {
  return find_listed(folder, split, root_, found);
}

FoundFile found_file(const fs::path& path, const fs::path& root, std::string class_name) {
  return {path, path.lexically_relative(root).native(), std::move(class_name), {}, {}};
}

}  // namespace byteformer::data
