// Gathers bad files of all ranks in the order of the batch.
#include "train/bad_files.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "format/json.hpp"
#include "train/validation_set.hpp"

namespace byteformer::train {
namespace {

constexpr std::size_t kMostFailuresAlways = 10;
constexpr double kMostFailureShare = 0.05;

/// A file of a batch that could not be used.
struct BadFile {
  std::size_t place = 0;   ///< in the batch of all ranks
  std::size_t sample = 0;  ///< index into the training samples
  std::string error;
};
void to_json(format::Json& json, const BadFile& file) { json = {file.place, file.sample, file.error}; }
void from_json(const format::Json& json, BadFile& file) {
  json.at(0).get_to(file.place), json.at(1).get_to(file.sample), json.at(2).get_to(file.error);
}

std::vector<BadFile> of_all_ranks(const std::vector<BadFile>& own, Ranks& ranks) {
  if (!ranks.are_many()) return own;
  std::vector<BadFile> all;
  for (const std::string& text : ranks.to_first(format::to_text(format::Json(own))))
    std::ranges::copy(format::from_text(text).get<std::vector<BadFile>>(), std::back_inserter(all));
  std::ranges::sort(all, {}, &BadFile::place);
  return all;
}

}  // namespace

void note_bad_files(std::span<const data::LoadedFile> files, std::span<const data::Sample> samples, Ranks& ranks,
                    const std::function<void(const std::string&)>& say, std::vector<std::string>& failures) {
  std::vector<BadFile> own;
  for (const data::LoadedFile& file : files)
    if (!file.error.empty()) own.push_back({file.place, file.sample, file.error});
  for (const BadFile& file : of_all_ranks(own, ranks)) {
    // A file may fail anew each time it is augmented, with other numbers in the message.
    const std::string name = base::printable(samples[file.sample].path) + ": ";
    const bool is_known = std::ranges::any_of(failures, [&](const std::string& failure) {
      return failure == file.error || (failure.starts_with(name) && file.error.starts_with(name));
    });
    if (is_known) continue;
    failures.push_back(file.error);
    if (!say) continue;
    if (failures.size() <= kMostSkippedNamed) say("skipped: " + file.error);
    if (failures.size() == kMostSkippedNamed + 1) say("skipped: more files; the report at the end names all of them");
  }
  const auto limit =
      std::max(static_cast<double>(kMostFailuresAlways), kMostFailureShare * static_cast<double>(samples.size()));
  if (static_cast<double>(failures.size()) > limit || failures.size() == samples.size())
    base::fail(ErrorCode::kInvalidFormat, failures.size(), " of ", samples.size(),
               " training files cannot be used, which is too many; the first: ", failures.front());
}

}  // namespace byteformer::train
