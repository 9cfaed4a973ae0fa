// Finding a data set: which layout it has, the order of its classes, what is wrong with it.
#include "data/data_set.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "data/archives.hpp"
#include "data/layouts.hpp"
#include "format/json.hpp"

namespace byteformer::data {
namespace {

namespace fs = std::filesystem;
using base::excerpt;
using base::fail;
using base::joined;
using base::printable;
using Labels = std::map<std::string, int>;

bool are_of_a_model(const fs::path& folder, const DataSetOptions& options) {
  return options.classes &&
         std::ranges::find(*options.classes, class_of_folder(folder.filename().native())) != options.classes->end();
}

bool has_splits(const fs::path& folder) {
  return std::ranges::any_of(visible_folders(folder),
                             [](const fs::path& inner) { return split_of(inner.filename().native()).has_value(); });
}

/// The task that the options ask for; else that of a model whose classes hold a word which is none of the twelve.
SpeechCommandsTask task_of(const DataSetOptions& options) {
  if (options.task != SpeechCommandsTask::kAuto || !options.classes) return options.task;
  return are_twelve(*options.classes) ? SpeechCommandsTask::k12 : SpeechCommandsTask::k35;
}

FoundFiles find_in_folder(const fs::path& root, const DataSetOptions& options) {
  if (is_archive_folder(root)) return find_archive_folder(root, options.classes);
  if (is_manifest_folder(root)) return find_manifest_folder(root);
  if (is_speech_commands_archive(root)) return find_speech_commands_archive(root, task_of(options));
  Disk disk(root);
  const auto inner = only_folder(disk, root);
  const bool is_wrapped = inner && !split_name(inner->filename().native()) && !are_of_a_model(*inner, options) &&
                          (visible_folders(*inner).size() > 1 || has_splits(*inner) || only_folder(disk, *inner) ||
                           is_manifest_folder(*inner) || is_speech_commands_archive(*inner));
  if (!is_wrapped) return find_folders(disk, options.classes);
  FoundFiles found = find_in_folder(*inner, options);
  found.remarks.insert(found.remarks.begin(),
                       "the data lie in " + printable(inner->filename()) + "/, which is no class");
  return found;
}

/// Calls a class that goes by another name as the model does.
void resolve_aliases(const DataSetOptions& options, FoundFiles& found) {
  if (options.aliases.empty() || !options.classes) return;
  std::set<std::string> classes;
  for (const std::string& name : *options.classes) classes.insert(composed(name));
  std::map<std::string, std::string> by_alias;
  for (const auto& [alias, name] : options.aliases)
    if (!classes.contains(composed(alias))) by_alias.emplace(composed(alias), composed(name));
  for (std::vector<FoundFile>* files : {&found.train, &found.validation, &found.test})
    for (FoundFile& file : *files)
      if (const auto at = by_alias.find(file.class_name); at != by_alias.end()) file.class_name = at->second;
}

/// With the other names of the classes among them, by which folders are told to be classes.
DataSetOptions with_aliases_as_classes(DataSetOptions options) {
  if (!options.classes) return options;
  for (const auto& [alias, name] : options.aliases) options.classes->push_back(alias);
  return options;
}

FoundFiles find_files(const fs::path& path, const DataSetOptions& options) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found)
    if (const std::vector<fs::path> archives = expand_pattern(path.native());
        std::ranges::all_of(archives, is_archive_name))
      return find_archives(archives, options.classes);
  if (status.type() == fs::file_type::not_found) fail(ErrorCode::kNotFound, printable(path), ": does not exist");
  if (error) fail(ErrorCode::kPermissionDenied, printable(path), ": ", error.message());
  if (fs::is_directory(status)) return find_in_folder(path, options);
  if (is_manifest_name(path)) return find_manifest(path);
  if (is_archive_name(path)) return find_archives({path}, options.classes);
  fail(ErrorCode::kInvalidArgument, printable(path),
       ": is no data set; expected a folder with a folder per class, a manifest (.csv, .tsv, .jsonl) or archives "
       "(.tar)");
}

/// Real paths of files, which are resolved once a folder.
class RealPaths {
 public:
  std::string of(const fs::path& file) {
    std::error_code error;
    if (fs::is_symlink(fs::symlink_status(file, error))) {
      const fs::path real = fs::canonical(file, error);
      return error ? file.native() : real.native();
    }
    const fs::path folder = file.parent_path();
    const auto [known, is_new] = folders_.try_emplace(folder.native());
    if (is_new) {
      const fs::path real = fs::canonical(folder.empty() ? fs::path(".") : folder, error);
      known->second = (error ? folder : real).native();
    }
    return known->second + '/' + file.filename().native();
  }

 private:
  std::unordered_map<std::string, std::string> folders_;
};

/// Takes what a list names twice out of it, through a link. One file under two labels is an error, since nobody could
/// learn it; one file in two splits is a remark.
void check_real_files(FoundFiles& found, const std::string& source) {
  struct First {
    fs::path path;
    std::string class_name;
    Split split;
  };
  RealPaths real_paths;
  Skipped skipped;
  std::map<std::pair<std::string, std::optional<double>>, First> first;
  std::array<std::size_t, 3> num_shared{};
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    std::erase_if(found.of(split), [&](const FoundFile& file) {
      const auto [entry, is_new] =
          first.try_emplace({file.place ? file.path.native() : real_paths.of(file.path), file.start_s},
                            First{file.path, file.class_name, split});
      const First& other = entry->second;
      if (is_new) return false;
      if (other.class_name != file.class_name)
        fail(ErrorCode::kInvalidArgument, source, ": ", printable(other.path), " and ", printable(file.path),
             " are one file, but labelled \"", excerpt(other.class_name), "\" and \"", excerpt(file.class_name),
             "\"; remove one of them");
      if (other.split == Split::kTrain && split != Split::kTrain) ++num_shared[static_cast<std::size_t>(split)];
      if (other.split != split) return false;
      skipped.add("links to files that are there already", file.path);
      return true;
    });
  }
  skipped.append_to(found.remarks);
  for (const Split split : {Split::kValidation, Split::kTest})
    if (const std::size_t count = num_shared[static_cast<std::size_t>(split)])
      found.remarks.push_back(joined(count, " training files are in the ", name_of(split), " set too"));
}

bool is_number(std::string_view name) {
  return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Numbers come first, in their order; then other names, bytewise.
bool is_before(const std::string& a, const std::string& b) {
  const auto key = [](const std::string& name) {
    const bool is_numeric = is_number(name);
    const auto digits = is_numeric ? name.substr(std::min(name.find_first_not_of('0'), name.size() - 1)) : name;
    return std::tuple(!is_numeric, is_numeric ? digits.size() : 0, digits, name);
  };
  return key(a) < key(b);
}

/// The first of `names` in quotes, for a message.
template <typename Names>
std::string list_of(const Names& names) {
  std::string text;
  std::size_t count = 0;
  for (const std::string& name : names) {
    if (count++ == kMaxNamed) return text + joined(", ... (", std::size(names), " in all)");
    text += joined(text.empty() ? "\"" : ", \"", excerpt(name), '"');
  }
  return text;
}

/// Remarks as the reasons of a message.
std::string in_lines(const std::vector<std::string>& remarks) {
  std::string text;
  for (const std::string& remark : remarks) text += "\n  " + remark;
  return text;
}

std::set<std::string> classes_of(const std::vector<FoundFile>& files) {
  std::set<std::string> names;
  for (const FoundFile& file : files) names.insert(file.class_name);
  return names;
}

template <typename Names>
std::vector<std::string> missing_in(const std::set<std::string>& present, const Names& names) {
  std::vector<std::string> missing;
  for (const std::string& name : names)
    if (!present.contains(name)) missing.push_back(name);
  return missing;
}

/// The order of classes, after a look at what is wrong with them.
std::vector<std::string> ordered_classes(const FoundFiles& found, const DataSetOptions& options,
                                         const std::string& source) {
  std::set<std::string> names = classes_of(found.train);
  names.merge(classes_of(found.validation));
  names.merge(classes_of(found.test));
  for (const std::string& name : names)
    if (!base::is_utf8(name))
      fail(ErrorCode::kInvalidArgument, source, ": the class name \"", excerpt(name), "\" is not UTF-8, rename it");
  if (names.empty())
    fail(ErrorCode::kInvalidArgument, source, ": holds no labelled files; expected ",
         found.layout == Layout::kManifest ? "a row for each, with its path and its label"
                                           : "a folder with a folder per class",
         in_lines(found.remarks));
  if (options.classes) {
    std::set<std::string> known;
    for (const std::string& name : *options.classes) known.insert(composed(name));
    const auto unknown = missing_in(known, names);
    if (!unknown.empty())
      fail(ErrorCode::kInvalidArgument, source, ": has classes that the model lacks: ", list_of(unknown),
           "; the model's are ", list_of(*options.classes));
    return *options.classes;
  }
  if (names.size() == 1)
    fail(ErrorCode::kInvalidArgument, source, ": has one class only, ", list_of(names), "; expected at least two",
         found.layout == Layout::kSplitFolders ? " (" + found.remarks.front() + ")" : "");
  std::vector<std::string> classes(names.begin(), names.end());
  std::ranges::sort(classes, is_before);
  return classes;
}

void check_training_classes(FoundFiles& found, const std::vector<std::string>& classes, bool are_given,
                            const std::string& source) {
  if (found.train.empty())
    fail(ErrorCode::kInvalidArgument, source, ": holds no files to train on, only for validation or test",
         in_lines(found.remarks));
  const std::set<std::string> trained = classes_of(found.train);
  if (!are_given)
    if (const auto empty = missing_in(trained, found.empty_classes); !empty.empty())
      fail(ErrorCode::kInvalidArgument, source, ": no file to train on for the class", empty.size() == 1 ? " " : "es ",
           list_of(empty), "; remove the empty folder or fill it");
  std::vector<std::string> names;
  for (const std::string& name : classes) names.push_back(composed(name));
  const std::vector<std::string> untrained = missing_in(trained, names);
  std::set<std::string> judged = classes_of(found.validation);
  judged.merge(classes_of(found.test));
  std::map<std::string, std::string> by_plain_name;
  for (const std::string& name : trained) by_plain_name.emplace(plain_name(name), name);
  for (const std::string& name : untrained)
    if (const auto same = by_plain_name.find(plain_name(name)); judged.contains(name) && same != by_plain_name.end())
      fail(ErrorCode::kInvalidArgument, source, ": has the class \"", excerpt(name), "\" for validation or test and \"",
           excerpt(same->second), "\" to train on; if they are one, give it one name");
  if (!untrained.empty()) found.remarks.push_back("no training files of " + list_of(untrained));
  const auto untested = missing_in(classes_of(found.test), trained);
  if (!untested.empty() && untested.size() < trained.size())
    found.remarks.push_back("no test files of " + list_of(untested));
}

std::vector<Sample> samples_of(const std::vector<FoundFile>& files, const Labels& labels) {
  std::vector<Sample> samples;
  samples.reserve(files.size());
  for (const FoundFile& file : files)
    samples.push_back({file.path, labels.at(file.class_name), file.start_s, file.duration_s, file.place});
  std::ranges::sort(samples, {}, [](const Sample& sample) {
    return std::tuple(std::string_view(sample.path.native()), sample.start_s);
  });
  return samples;
}

}  // namespace

SpeechCommandsTask parse_task(std::string_view name) {
  if (name == "speech-commands-12") return SpeechCommandsTask::k12;
  if (name == "speech-commands-35") return SpeechCommandsTask::k35;
  fail(ErrorCode::kInvalidArgument, "the task is \"", excerpt(std::string(name)),
       "\", expected speech-commands-12 or speech-commands-35");
}

DataSet find_data_set(const fs::path& path, const DataSetOptions& options) {
  if (!(options.validation_fraction >= 0 && options.validation_fraction < 1))
    fail(ErrorCode::kInvalidArgument, "the validation fraction is ", options.validation_fraction,
         ", expected at least 0 and less than 1");
  const std::string source = printable(path);
  FoundFiles found = find_files(path, with_aliases_as_classes(options));
  resolve_aliases(options, found);
  found.skipped.append_to(found.remarks);
  if (!found.train.empty() &&
      std::ranges::all_of(found.train, [](const FoundFile& file) { return !file.place && is_archive_name(file.path); }))
    found.remarks.push_back("all files are archives, taken as they are; '*/*.tar' takes what is in them");
  DataSet data_set;
  data_set.layout = found.layout;
  data_set.has_own_validation = !found.validation.empty();
  data_set.classes = ordered_classes(found, options, source);
  check_real_files(found, source);
  if (options.task != SpeechCommandsTask::kAuto && found.layout != Layout::kSpeechCommandsArchive)
    fail(ErrorCode::kInvalidArgument, source,
         ": is not Speech Commands in its own archive (with validation_list.txt and testing_list.txt), so it has no "
         "task of that name");
  if (options.needs_training_files)
    check_training_classes(found, data_set.classes, options.classes.has_value(), source);
  if (options.split_validation && found.validation.empty() && options.validation_fraction > 0 && !found.train.empty())
    data_set.split_by = split_off_validation(found.train, found.validation, options.validation_fraction, options.seed,
                                             options.split_by_speaker);
  Labels labels;
  for (std::size_t i = 0; i < data_set.classes.size(); ++i)
    labels.emplace(composed(data_set.classes[i]), static_cast<int>(i));
  data_set.train = samples_of(found.train, labels);
  data_set.validation = samples_of(found.validation, labels);
  data_set.test = samples_of(found.test, labels);
  data_set.background = std::move(found.background);
  data_set.remarks = std::move(found.remarks);
  return data_set;
}

const std::vector<Sample>& evaluation_samples(const DataSet& data_set) noexcept {
  if (!data_set.test.empty()) return data_set.test;
  return data_set.validation.empty() ? data_set.train : data_set.validation;
}

std::string fingerprint(const DataSet& data, const fs::path& root) {
  std::uint64_t state = 0xCBF29CE484222325ULL;  // FNV-1a
  const auto hash = [&state](std::string_view text) {
    for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  };
  for (const std::string& name : data.classes) hash(name + '\n');
  for (const auto* part : {&data.train, &data.validation}) {
    for (const Sample& sample : *part) {
      hash(sample.path.lexically_relative(root).string() + '\t' + std::to_string(num_bytes_of(sample).value_or(0)) +
           '\t' + std::to_string(sample.label) + '\n');
    }
    hash("--\n");
  }
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(state));
  return text;
}

std::optional<KnownSplit> read_known_split(const fs::path& model_dir) {
  constexpr std::size_t kMostPlanBytes = 64 << 20;
  for (const char* name : {"training/plan.json", "recipe.json"}) {
    try {
      if (!base::exists(model_dir / name)) continue;
      const format::Json plan = format::from_text(base::read_text_file(model_dir / name, kMostPlanBytes));
      KnownSplit known;
      known.options.validation_fraction = plan.at("validation_fraction").get<double>();
      const auto seed = plan.at("seed").get<std::uint64_t>();
      known.options.seed = plan.value("split_seed", seed);  // plans of earlier versions have one seed for all
      known.options.split_by_speaker = plan.at("split_by") != "file";
      if (const std::string task = plan.value("task", ""); !task.empty()) known.options.task = parse_task(task);
      if (plan.contains("model")) known.num_classes = plan["model"].value("id2label", format::Json()).size();
      known.data_fingerprint = plan.at("data_fingerprint").get<std::string>();
      return known;
    } catch (const Error&) {  // damaged: as good as none
    } catch (const format::Json::exception&) {
    }
  }
  return std::nullopt;
}

std::optional<DataSet> find_as_trained(const fs::path& model_dir, const fs::path& data) {
  const std::optional<KnownSplit> known = read_known_split(model_dir);
  if (!known) return std::nullopt;
  try {
    DataSet data_set = find_data_set(data, known->options);
    if (fingerprint(data_set, data) == known->data_fingerprint) return data_set;
  } catch (const Error&) {  // of one class, say: no data to train on, but to evaluate on
  }
  return std::nullopt;
}

}  // namespace byteformer::data
