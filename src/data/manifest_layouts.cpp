// Data sets that are described by manifests: one, or one a split.
#include <array>
#include <map>
#include <span>
#include <system_error>
#include <utility>

#include "base/file_io.hpp"
#include "data/layouts.hpp"
#include "data/manifest_text.hpp"
#include "format/text.hpp"

namespace byteformer::data {
namespace {

namespace fs = std::filesystem;
using base::printable;
using format::fail;
using format::joined;

constexpr std::size_t kMaxManifestBytes = std::size_t{1} << 30;
constexpr std::size_t kMaxMissingNamed = 10;
constexpr std::array<std::string_view, 1> kTrainNames = {"train"};
constexpr std::array<std::string_view, 3> kValidationNames = {"val", "valid", "validation"};
constexpr std::array<std::string_view, 1> kTestNames = {"test"};
constexpr std::array<std::string_view, 3> kEndings = {".csv", ".jsonl", ".json"};

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// The one manifest of a split that `root` holds.
std::optional<fs::path> split_manifest(const fs::path& root, std::span<const std::string_view> names,
                                       std::string_view suffix) {
  std::optional<fs::path> found;
  for (const std::string_view name : names) {
    for (const std::string_view ending : kEndings) {
      if (!suffix.empty() && ending == ".csv") continue;
      const fs::path path = root / joined(name, suffix, ending);
      if (!is_file(path)) continue;
      if (found)
        fail(ErrorCode::kInvalidArgument, printable(root), ": has both ", printable(found->filename()), " and ",
             printable(path.filename()), "; expected one manifest a split, rename the other");
      found = path;
    }
  }
  return found;
}

/// Takes the rows of one manifest, checking each file once.
class ManifestFiles {
 public:
  ManifestFiles(const fs::path& manifest, bool is_speech_commands, Skipped& skipped)
      : manifest_(manifest), is_speech_commands_(is_speech_commands), skipped_(skipped) {}

  void add(const ManifestEntry& entry) {
    const fs::path path = (manifest_.parent_path() / entry.path).lexically_normal();
    const std::string label = is_speech_commands_ ? class_of_folder(entry.label) : entry.label;
    const auto [first, is_new] = first_.try_emplace({path.native(), entry.start_s}, First{label, entry.line});
    if (!is_new) {
      if (first->second.label != label)
        fail(ErrorCode::kInvalidFormat, printable(manifest_), ':', entry.line, ": \"", format::excerpt(entry.path),
             "\" has the label \"", format::excerpt(label), "\", but line ", first->second.line, " gives it \"",
             format::excerpt(first->second.label), '"');
      return skipped_.add("lines that name a file again", path);
    }
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return add_missing(entry);
    const auto num_bytes = fs::file_size(path, error);
    if (error) return add_missing(entry);
    if (num_bytes == 0) return skipped_.add("empty files", path);
    files_.push_back({path, entry.path, label, entry.start_s});
  }

  std::vector<FoundFile> take() {
    if (num_missing_ != 0)
      fail(ErrorCode::kInvalidFormat, printable(manifest_), ": names ", num_missing_,
           num_missing_ == 1 ? " file that does not exist" : " files that do not exist",
           " (paths are relative to the manifest):", missing_, num_missing_ > kMaxMissingNamed ? "\n  ..." : "");
    return std::move(files_);
  }

 private:
  struct First {
    std::string label;
    std::size_t line = 0;
  };

  void add_missing(const ManifestEntry& entry) {
    if (++num_missing_ <= kMaxMissingNamed)
      missing_ += joined("\n  ", printable(manifest_), ':', entry.line, ": ", printable(entry.path));
  }

  const fs::path& manifest_;
  bool is_speech_commands_;
  Skipped& skipped_;
  std::map<std::pair<std::string, std::optional<double>>, First> first_;
  std::vector<FoundFile> files_;
  std::string missing_;
  std::size_t num_missing_ = 0;
};

std::vector<FoundFile> read_manifest(const fs::path& manifest, bool is_speech_commands, Skipped& skipped) {
  const std::string text = base::read_text_file(manifest, kMaxManifestBytes);
  const bool is_csv = manifest.extension() == ".csv";
  const std::string source = printable(manifest);
  ManifestFiles files(manifest, is_speech_commands, skipped);
  for (const ManifestEntry& entry : is_csv ? parse_csv_manifest(text, source) : parse_json_manifest(text, source))
    files.add(entry);
  return files.take();
}

struct SplitManifests {
  std::optional<fs::path> train, validation, test;
  bool any() const { return train || validation || test; }
};

SplitManifests split_manifests(const fs::path& root, std::string_view suffix) {
  return {split_manifest(root, kTrainNames, suffix), split_manifest(root, kValidationNames, suffix),
          split_manifest(root, kTestNames, suffix)};
}

}  // namespace

bool is_manifest_folder(const fs::path& root) {
  return split_manifests(root, "_manifest").any() || split_manifests(root, "").any();
}

FoundFiles find_manifest_folder(const fs::path& root) {
  const SplitManifests speech_commands = split_manifests(root, "_manifest");
  const bool is_speech_commands = speech_commands.any();
  const SplitManifests manifests = is_speech_commands ? speech_commands : split_manifests(root, "");
  FoundFiles found;
  found.layout = is_speech_commands ? Layout::kSpeechCommandsManifests : Layout::kManifest;
  Skipped skipped;
  if (manifests.train) found.train = read_manifest(*manifests.train, is_speech_commands, skipped);
  if (manifests.validation) found.validation = read_manifest(*manifests.validation, is_speech_commands, skipped);
  if (manifests.test) found.test = read_manifest(*manifests.test, is_speech_commands, skipped);
  std::error_code ignored;
  if (const fs::path noise = root / "_background_noise_"; fs::is_directory(noise, ignored))
    found.background = files_below(noise, skipped);
  skipped.append_to(found.remarks);
  return found;
}

FoundFiles find_manifest(const fs::path& manifest) {
  FoundFiles found;
  found.layout = Layout::kManifest;
  Skipped skipped;
  found.train = read_manifest(manifest, false, skipped);
  skipped.append_to(found.remarks);
  return found;
}

}  // namespace byteformer::data
