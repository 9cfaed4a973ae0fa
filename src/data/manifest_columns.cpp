// Names of columns in the order in which they are preferred, and what is read from those besides path and label.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text.hpp"
#include "data/manifest_text.hpp"

namespace byteformer::data {
namespace {

using base::excerpt;
using base::fail;

/// Words with a space between them, those that are preferred first.
using Names = std::string_view;

constexpr Names kPathNames =
    "path audio_filepath file filename file_name filepath file_path image_path img_path audio_path wav_path "
    "relative_path rel_path image_file image_filename image_name img_name audio_file audio_filename wav_filename "
    "slice_file_name fname image img picture audio wav sound clip recording image_id imageid audio_id uri id name";
constexpr Names kLabelNames =
    "label command class class_name classname label_name category category_name keyword word genre species breed "
    "emotion tag target labels classes class_id classid label_id category_id y text transcript transcription "
    "predictionstring";
constexpr Names kSplitNames = "split set subset partition data_set dataset dataset_split usage phase fold";
constexpr Names kStartNames = "onset offset start start_s start_sec start_time begin begin_time";
constexpr Names kEndNames = "end end_s end_sec end_time stop stop_time";
constexpr Names kDurationNames = "duration duration_s dur";
/// What a sample is then, no reader here knows.
constexpr Names kRefusedNames =
    "xmin x_min xmax x_max bbox bounding_box boxes x1 start_ms end_ms offset_ms begin_ms start_frame end_frame "
    "start_sample num_frames frame_offset";
constexpr auto kFlags = std::to_array<std::pair<std::string_view, Split>>({{"is_train", Split::kTrain},
                                                                           {"is_valid", Split::kValidation},
                                                                           {"is_val", Split::kValidation},
                                                                           {"is_validation", Split::kValidation},
                                                                           {"is_test", Split::kTest}});

/// The name among `names` that `record` has.
std::optional<std::string_view> name_in(const Record& record, Names names) {
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(' '));
    if (record.contains(name)) return name;
    names.remove_prefix(std::min(name.size() + 1, names.size()));
  }
  return std::nullopt;
}

/// Seconds; nothing where the field is absent or empty or null, or a length of -1, which stand for "all of it".
std::optional<double> seconds(const Record& record, Names names, std::size_t line, const std::string& source) {
  const auto name = name_in(record, names);
  if (!name) return std::nullopt;
  const std::string text = trimmed(record.find(*name)->second);
  const bool is_of_length = names != kStartNames;
  if (text.empty() || (is_of_length && (text == "-1" || text == "-1.0"))) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0) || value > 1e9)
    fail(ErrorCode::kInvalidFormat, source, ':', line, ": ", *name, " is ", excerpt(text),
         ", expected a time in seconds");
  return value;
}

}  // namespace

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

std::optional<std::string_view> path_column(const Record& record) { return name_in(record, kPathNames); }
std::optional<std::string_view> label_column(const Record& record) { return name_in(record, kLabelNames); }
bool says_split(const Record& record) { return name_in(record, kSplitNames).has_value(); }

void ExtraFields::read(const Record& record, ManifestEntry& entry) {
  if (const auto name = name_in(record, kRefusedNames))
    fail(ErrorCode::kUnsupported, source_, ": has \"", *name,
         "\", which makes a sample of a part of a file in a way that is not read; cut the files first, or remove it if "
         "whole files are meant");
  read_clip(record, entry);
  splits_.push_back(split_of_record(record, entry.line));
}

void ExtraFields::read_clip(const Record& record, ManifestEntry& entry) const {
  if (record.contains("slice_file_name")) return;  // UrbanSound8K: where the slice lay in another recording
  const bool has_onset = record.contains("onset");
  entry.start_s = seconds(record, kStartNames, entry.line, source_);
  entry.duration_s = seconds(record, kDurationNames, entry.line, source_);
  const auto end_s = seconds(record, has_onset ? "offset" : kEndNames, entry.line, source_);
  if (end_s && !entry.duration_s) {
    entry.duration_s = *end_s - entry.start_s.value_or(0);
    if (*entry.duration_s <= 0)
      fail(ErrorCode::kInvalidFormat, source_, ':', entry.line, ": the clip ends at ", *end_s, " s, before it starts");
  }
  if (entry.duration_s == 0) entry.duration_s.reset();
}

ExtraFields::Said ExtraFields::split_of_record(const Record& record, std::size_t line) const {
  if (const auto name = name_in(record, kSplitNames)) {
    const std::string& text = record.find(*name)->second;
    const auto named = split_name(text);
    return {std::string(*name), text, named ? std::optional(named->split) : std::nullopt};
  }
  Said said;
  for (const auto& [name, split] : kFlags) {
    const auto field = record.find(name);
    if (field == record.end()) continue;
    const std::string value = plain_name(field->second);
    const bool is_set = value == "true" || value == "1" || value == "yes" || value == "t";
    if (!is_set && value != "false" && value != "0" && value != "no" && value != "f")
      fail(ErrorCode::kInvalidFormat, source_, ':', line, ": ", name, " is \"", excerpt(field->second),
           "\", expected true or false");
    const bool is_no_training = !is_set && split == Split::kTrain;
    said.column += (said.column.empty() ? "" : ", ") + std::string(name);
    if (is_set) said.split = split;
    if (!said.split) said.split = is_no_training ? Split::kValidation : Split::kTrain;
  }
  return said;
}

void ExtraFields::finish(Manifest& manifest) const {
  const auto num_named = std::ranges::count_if(splits_, [](const Said& said) { return said.split.has_value(); });
  if (num_named == 0) return finish_without_names(manifest);
  std::map<Split, std::size_t> counts;
  for (std::size_t i = 0; i < splits_.size(); ++i) {
    if (!splits_[i].split)
      fail(ErrorCode::kInvalidFormat, source_, ':', manifest.entries[i].line, ": ", splits_[i].column, " is \"",
           excerpt(splits_[i].text), "\", expected train, val or test, as in other lines");
    manifest.entries[i].split = splits_[i].split;
    ++counts[*splits_[i].split];
  }
  std::string text;
  for (const auto& [split, count] : counts) text += base::joined(text.empty() ? "" : ", ", count, ' ', purpose(split));
  manifest.remarks.push_back(base::joined("splits: as \"", splits_.front().column, "\" says: ", text));
}

/// Folds are groups that belong together: the last one is held out. Other values say nothing.
void ExtraFields::finish_without_names(Manifest& manifest) const {
  if (splits_.empty() || splits_.front().column.empty()) return;
  std::map<std::pair<std::size_t, std::string>, std::size_t> folds;  // shorter numbers first
  for (const Said& said : splits_) ++folds[{said.text.size(), said.text}];
  const bool are_folds = splits_.front().column == "fold" && folds.size() > 1 && folds.size() <= 100;
  if (!are_folds) {
    manifest.remarks.push_back(base::joined("\"", splits_.front().column, "\" names no train, val or test (\"",
                                            excerpt(splits_.front().text), "\"): not used"));
    return;
  }
  const std::string& last = folds.rbegin()->first.second;
  for (std::size_t i = 0; i < splits_.size(); ++i)
    manifest.entries[i].split = splits_[i].text == last ? Split::kValidation : Split::kTrain;
  manifest.remarks.push_back(base::joined("splits: fold ", excerpt(last), " of ", folds.size(), " is for validation (",
                                          folds.rbegin()->second, " files), the others to train on"));
}

}  // namespace byteformer::data
