// The layout of the Speech Commands archive: a folder a word, lists of validation and test files, noise recordings.
#include <algorithm>
#include <array>
#include <system_error>
#include <unordered_map>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "data/layouts.hpp"
#include "data/manifest_text.hpp"
#include "media/places.hpp"

namespace byteformer::data {
namespace {

namespace fs = std::filesystem;
using base::fail;
using base::joined;
using base::printable;

constexpr std::array<std::string_view, 10> kCommands = {"yes",   "no", "up",  "down", "left",
                                                        "right", "on", "off", "stop", "go"};
constexpr std::string_view kUnknown = "unknown";
constexpr std::string_view kBackground = "background";
constexpr std::string_view kValidationList = "validation_list.txt";
constexpr std::string_view kTestList = "testing_list.txt";
constexpr double kClip_s = 1;
constexpr std::size_t kMaxListBytes = 64 << 20;
constexpr std::size_t kMaxHeaderBytes = 4096;

/// The folders of the words, with the lists; and the archive of the test set of twelve classes, where that is here,
/// too.
struct Archive {
  fs::path words;
  std::optional<fs::path> test_set;
};

bool has_lists(const fs::path& folder) { return is_file(folder / kValidationList) || is_file(folder / kTestList); }
bool is_test_set(const fs::path& folder) { return is_folder(folder / "_unknown_") && is_folder(folder / "_silence_"); }

/// What lies in `root`: the words, perhaps with the test set among them, or both beside one another.
std::optional<Archive> archive_in(const fs::path& root) {
  const std::vector<fs::path> folders = visible_folders(root);
  const auto test_set = std::ranges::find_if(folders, is_test_set);
  if (has_lists(root))
    return Archive{root, test_set == folders.end() ? std::nullopt : std::optional<fs::path>(*test_set)};
  const auto words = std::ranges::find_if(folders, has_lists);
  if (words == folders.end() || test_set == folders.end()) return std::nullopt;
  return Archive{*words, *test_set};
}

/// Files of all words, by their names in the lists ("bed/0a7c2a8d_nohash_0.wav").
using FilesByName = std::unordered_map<std::string, FoundFile>;

FilesByName files_of_words(const Archive& archive, SpeechCommandsTask task, Skipped& skipped) {
  FilesByName files;
  for (const fs::path& folder : visible_entries(archive.words, skipped)) {
    const std::string word = folder.filename().native();
    if (!is_folder(folder) || word.starts_with('_') || folder == archive.test_set) continue;
    const bool is_class = task == SpeechCommandsTask::k35 || std::ranges::find(kCommands, word) != kCommands.end();
    for (const fs::path& path : files_below(folder, skipped)) {
      FoundFile file = found_file(path, archive.words, is_class ? word : std::string(kUnknown));
      files.emplace(file.name, std::move(file));
    }
  }
  return files;
}

/// Moves the files that `list` names out of `files`. A list may name words that are not here, but no file twice.
/// \param root where the files lie; \param remarks takes how many are not here
std::vector<FoundFile> take_listed(const fs::path& list, const fs::path& root, FilesByName& files,
                                   std::vector<std::string>& remarks) {
  std::vector<FoundFile> listed;
  if (!is_file(list)) return listed;
  std::string twice, missing;
  std::size_t num_twice = 0, num_missing = 0;
  const std::string source = printable(list);
  for (const ManifestEntry& entry : parse_list(base::read_text_file(list, kMaxListBytes), source).entries) {
    const auto file = files.find(entry.path);
    if (file != files.end()) {
      listed.push_back(std::move(file->second));
      files.erase(file);
    } else if (std::error_code ignored; fs::file_size(root / entry.path, ignored) > 0 && !ignored) {
      if (++num_twice <= kMaxNamed) twice += joined("\n  ", source, ':', entry.line, ": ", base::excerpt(entry.path));
    } else if (++num_missing == 1) {
      missing = entry.path;
    }
  }
  if (num_twice != 0)
    fail(ErrorCode::kInvalidFormat, source, ": names ", num_twice, " files that stand in the lists twice:", twice,
         num_twice > kMaxNamed ? "\n  ..." : "");
  if (num_missing != 0 && listed.empty())
    fail(ErrorCode::kInvalidFormat, source, ": none of its ", num_missing, " files is here, for example ",
         base::excerpt(missing));
  if (num_missing != 0)
    remarks.push_back(joined(printable(list.filename()), " names ", num_missing,
                             num_missing == 1 ? " file that is" : " files that are", " not here or empty, for example ",
                             base::excerpt(missing), "; ", listed.size(), " are used"));
  return listed;
}

/// A tenth of the words' files, rounded up: what the data set's own code takes of unknown words and of silence.
std::size_t tenth_of_commands(const std::vector<FoundFile>& files) {
  const auto num_commands = static_cast<std::size_t>(
      std::ranges::count_if(files, [](const FoundFile& f) { return f.class_name != kUnknown; }));
  return (num_commands + 9) / 10;
}

/// Keeps as many files of other words as the task has. The data set's own code shuffles them with a seed, but in the
/// order in which the file system lists them: which it takes is defined nowhere but in the archive of the test set.
void thin_out_unknown(std::vector<FoundFile>& files) {
  const std::size_t wanted = tenth_of_commands(files);
  const auto unknown =
      std::partition(files.begin(), files.end(), [](const FoundFile& f) { return f.class_name != kUnknown; });
  std::sort(unknown, files.end(), [](const FoundFile& a, const FoundFile& b) {
    return std::pair(hash_of(a.name, 0), std::string_view(a.name)) <
           std::pair(hash_of(b.name, 0), std::string_view(b.name));
  });
  if (static_cast<std::size_t>(files.end() - unknown) > wanted) files.erase(unknown + wanted, files.end());
}

struct Recording {
  fs::path path;
  std::string name;
  double duration_s = 0;
};

std::vector<Recording> recordings_in(const fs::path& root, Skipped& skipped) {
  std::vector<Recording> recordings;
  const fs::path folder = root / "_background_noise_";
  if (!is_folder(folder)) return recordings;
  for (const fs::path& path : files_below(folder, skipped)) {
    if (path.extension() != ".wav") continue;  // the archive keeps a README there
    std::array<std::uint8_t, kMaxHeaderBytes> buffer;
    base::InputFile file(path);
    const auto header = media::parse_wav_header(std::span(buffer).first(file.read(buffer)));
    if (header && header->sample_rate > 0 && header->num_frames() > 0)
      recordings.push_back({path, path.lexically_relative(root).native(),
                            static_cast<double>(header->num_frames()) / header->sample_rate});
    else
      skipped.add("noise recordings whose header says nothing", path);
  }
  return recordings;
}

/// Adds `count` clips, evenly spaced over the part of each recording from `begin` to `end` (fractions of its length).
void add_background(std::vector<FoundFile>& files, const std::vector<Recording>& recordings, std::size_t count,
                    double begin, double end) {
  for (std::size_t r = 0; r < recordings.size(); ++r) {
    const Recording& recording = recordings[r];
    const std::size_t clips = count / recordings.size() + (r < count % recordings.size() ? 1 : 0);
    const double first_s = begin * recording.duration_s;
    const double room_s = std::max(0.0, (end - begin) * recording.duration_s - kClip_s);
    for (std::size_t i = 0; i < clips; ++i) {
      const double start_s =
          clips == 1 ? first_s : first_s + room_s * static_cast<double>(i) / static_cast<double>(clips - 1);
      files.push_back({recording.path, recording.name, std::string(kBackground), start_s, kClip_s});
    }
  }
}

/// Takes the data set's own test set of twelve classes, a folder each, for the one that its list names.
void take_test_set(const fs::path& test_set, const fs::path& root, FoundFiles& found) {
  found.test.clear();
  for (const fs::path& folder : visible_folders(test_set))
    for (const fs::path& file : files_below(folder, found.skipped))
      found.test.push_back(found_file(file, root, class_of_folder(folder.filename().native())));
  found.remarks.push_back("test: all of " + printable(test_set.filename()) + "/, the data set's own of twelve classes");
}

}  // namespace

bool are_twelve(const std::vector<std::string>& classes) {
  return std::ranges::all_of(classes, [](const std::string& name) {
    return name == kUnknown || name == kBackground || std::ranges::find(kCommands, name) != kCommands.end();
  });
}

bool is_speech_commands_archive(const fs::path& root) { return archive_in(root).has_value(); }

FoundFiles find_speech_commands_archive(const fs::path& root, SpeechCommandsTask task) {
  constexpr double kEndOfTrain = 0.8;  // of a noise recording; what follows is for validation and test, half each
  constexpr double kEndOfValidation = 0.9;
  const Archive archive = *archive_in(root);
  FoundFiles found;
  found.layout = Layout::kSpeechCommandsArchive;
  FilesByName files = files_of_words(archive, task, found.skipped);
  found.validation = take_listed(archive.words / kValidationList, archive.words, files, found.remarks);
  found.test = take_listed(archive.words / kTestList, archive.words, files, found.remarks);
  for (auto& [name, file] : files) found.train.push_back(std::move(file));
  const std::vector<Recording> recordings = recordings_in(archive.words, found.skipped);
  for (const Recording& recording : recordings) found.background.push_back(recording.path);
  if (task == SpeechCommandsTask::k35) {
    found.remarks.push_back("Speech Commands: every word is a class (speech-commands-35)");
    return found;
  }
  found.remarks.push_back(
      "Speech Commands: ten words, \"unknown\" from all others and \"background\" "
      "(speech-commands-12; the task speech-commands-35 takes every word)");
  for (auto* split : {&found.train, &found.validation, &found.test}) thin_out_unknown(*split);
  if (recordings.empty()) {
    found.remarks.push_back("no recordings in _background_noise_, so there is no class \"background\"");
  } else {
    add_background(found.train, recordings, tenth_of_commands(found.train), 0, kEndOfTrain);
    add_background(found.validation, recordings, tenth_of_commands(found.validation), kEndOfTrain, kEndOfValidation);
    add_background(found.test, recordings, tenth_of_commands(found.test), kEndOfValidation, 1);
  }
  if (archive.test_set) take_test_set(*archive.test_set, root, found);
  return found;
}

}  // namespace byteformer::data
