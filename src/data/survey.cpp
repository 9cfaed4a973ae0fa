// Reads and decodes a sample of the training files.
#include "data/survey.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iterator>
#include <utility>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "media/image.hpp"
#include "media/sound.hpp"

namespace byteformer::data {
namespace {

constexpr std::size_t kNumLargest = 8;
constexpr std::uint64_t kMostFileBytes = std::uint64_t{1} << 30;  ///< as the loader takes
constexpr std::uint64_t kMostBytesInAll = std::uint64_t{1} << 30;
constexpr std::size_t kHeadBytes = 4096;  ///< tells the kind; what is neither picture nor sound is not read further

/// \param kind becomes what the file is, as soon as its first bytes tell
void look_at_file(const Sample& sample, bool decodes, Survey& survey, std::string& kind) {
  base::InputFile file = open_file(sample);
  std::vector<std::uint8_t> bytes(kHeadBytes);
  bytes.resize(file.read(bytes));
  const auto image_kind = media::image_kind(bytes), sound_kind = media::sound_kind(bytes);
  kind = image_kind ? *image_kind : sound_kind ? *sound_kind : kind;
  const bool image = decodes && image_kind, sound = decodes && sound_kind;
  if (media::is_git_lfs_pointer(bytes)) {
    kind = "Git LFS pointer";
    throw Error(ErrorCode::kInvalidFormat,
                base::printable(sample.path) + ": stands for a file that `git lfs pull` fetches");
  }
  if (image || sound) {
    if (file.size() > kMostFileBytes)
      throw Error(ErrorCode::kUnsupported, sample.path.native(), "is larger than 1 GiB");
    const std::size_t head = bytes.size();
    bytes.resize(std::max(head, static_cast<std::size_t>(file.size())));
    bytes.resize(head + file.read(std::span(bytes).subspan(head)));
  }
  const std::string source = base::printable(sample.path);
  if (image) {
    const media::Image decoded = media::decode_image(bytes, source);
    ++survey.num_images;
    survey.all_images_equal &=
        survey.widths.empty() || (decoded.width == survey.widths.front() && decoded.height == survey.heights.front());
    survey.widths.push_back(decoded.width);
    survey.heights.push_back(decoded.height);
    survey.shorter_sides.push_back(std::min(decoded.width, decoded.height));
  } else if (sound) {
    const media::Sound decoded = media::decode_sound(bytes, source);
    ++survey.num_sounds;
    const double whole_s = static_cast<double>(decoded.samples.size()) / decoded.sample_rate;
    const double rest_s = std::max(0.0, whole_s - sample.start_s.value_or(0));
    survey.durations_s.push_back(std::min(rest_s, sample.duration_s.value_or(rest_s)));
    survey.sample_rates.push_back(decoded.sample_rate);
  }
  ++survey.kinds[kind];
  survey.first_of_medium.try_emplace(image ? "pictures" : sound ? "sounds" : "neither picture nor sound", source);
  survey.bytes.push_back(file.size());
  ++survey.num_looked_at;
}

struct SizedSample {
  std::uint64_t size;  ///< of the file on disk
  const Sample* sample;
};

/// Those of `samples` whose size is known; one of noise only if all training files are.
std::vector<SizedSample> sized(const DataSet& data, const std::vector<Sample>& samples) {
  const auto noise = std::ranges::find(data.classes, "background") - data.classes.begin();
  const auto is_noise = [&](const Sample& sample) { return sample.label == noise; };
  const bool all_are_noise = std::ranges::all_of(data.train, is_noise);
  std::vector<SizedSample> known;
  for (const Sample& sample : samples)
    if (const auto size = num_bytes_of(sample); size && (all_are_noise || !is_noise(sample)))
      known.push_back({*size, &sample});
  return known;
}

/// The largest of `files` and of those that the model will only be judged by: it is to read these, too.
std::vector<SizedSample> largest_of(const DataSet& data, std::vector<SizedSample> files) {
  for (const auto* samples : {&data.validation, &data.test})
    std::ranges::copy(sized(data, *samples), std::back_inserter(files));
  const std::size_t count = std::min(files.size(), kNumLargest);
  std::ranges::partial_sort(files, files.begin() + static_cast<std::ptrdiff_t>(count), std::greater<>(),
                            &SizedSample::size);
  files.resize(count);
  return files;
}

/// Calls look_at_file() unless the file is damaged; training will name it.
void try_to_look_at(const Sample& sample, bool decodes, Survey& survey) {
  std::string kind = "other";
  try {
    look_at_file(sample, decodes, survey, kind);
  } catch (const Error& error) {
    Survey::Failures& failures = survey.failures[kind];
    if (++failures.count == 1) failures.first = error.what();
  }
}

}  // namespace

Survey look_at(const DataSet& data, const SurveyOptions& options) {
  Survey survey;
  const std::vector<SizedSample> files = sized(data, data.train);
  const std::size_t count = std::min(files.size(), options.most_files);
  std::uint64_t num_bytes = 0;
  for (std::size_t i = 0; i < count && (i == 0 || num_bytes < kMostBytesInAll); ++i) {
    const auto& [size, sample] = files[files.size() * i / count];
    try_to_look_at(*sample, options.decodes, survey);
    num_bytes += std::min<std::uint64_t>(size, kMostFileBytes);
  }
  Survey extremes = survey;  // apart from the sample, whose quantiles they would bend
  for (const auto& [size, sample] : largest_of(data, files)) try_to_look_at(*sample, options.decodes, extremes);
  if (!extremes.bytes.empty()) survey.most_bytes = std::ranges::max(extremes.bytes);
  if (!extremes.durations_s.empty()) survey.longest_s = std::ranges::max(extremes.durations_s);
  std::ranges::sort(survey.bytes);
  std::ranges::sort(survey.widths);
  std::ranges::sort(survey.heights);
  std::ranges::sort(survey.shorter_sides);
  std::ranges::sort(survey.durations_s);
  std::ranges::sort(survey.sample_rates);
  return survey;
}

std::string Survey::disagreement() const {
  const std::map<std::string, std::size_t> counts = {
      {"pictures", num_images},
      {"sounds", num_sounds},
      {"neither picture nor sound", num_looked_at - num_images - num_sounds}};
  const auto most = std::ranges::max_element(counts, {}, [](const auto& medium) { return medium.second; });
  std::string text;
  for (const auto& [medium, count] : counts)
    if (count > 0 && medium != most->first)
      text += base::joined(text.empty() ? "" : "; ", count, " of ", num_looked_at, " files are ", medium,
                           ", for example ", first_of_medium.at(medium));
  for (const auto& [kind, failed] : failures)
    text += base::joined(text.empty() ? "" : "; ", failed.count, ' ', kind, failed.count == 1 ? " file" : " files",
                         " could not be read", failed.count == 1 ? ": " : ", for example ", failed.first);
  return text;
}

}  // namespace byteformer::data
