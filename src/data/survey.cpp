// Implementation of survey.hpp.
#include "data/survey.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <utility>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "media/image.hpp"
#include "media/sound.hpp"

namespace byteformer::data {
namespace {

constexpr std::size_t kNumLargest = 8;
constexpr std::size_t kHeadBytes = 4096;  ///< tells the kind; what is neither picture nor sound is not read further

void look_at_file(const Sample& sample, Survey& survey) {
  base::InputFile file(sample.path);
  std::vector<std::uint8_t> bytes(kHeadBytes);
  bytes.resize(file.read(bytes));
  const auto image = media::image_kind(bytes), sound = media::sound_kind(bytes);
  if (image || sound) {
    const std::size_t head = bytes.size();
    bytes.resize(std::max(head, static_cast<std::size_t>(file.size())));
    bytes.resize(head + file.read(std::span(bytes).subspan(head)));
  }
  const std::string source = base::printable(sample.path);
  if (image) {
    const media::Image decoded = media::decode_image(bytes, source);
    ++survey.kinds[std::string(*image)];
    ++survey.num_images;
    survey.all_images_equal &=
        survey.widths.empty() || (decoded.width == survey.widths.front() && decoded.height == survey.heights.front());
    survey.widths.push_back(decoded.width);
    survey.heights.push_back(decoded.height);
    survey.shorter_sides.push_back(std::min(decoded.width, decoded.height));
  } else if (sound) {
    const media::Sound decoded = media::decode_sound(bytes, source);
    ++survey.kinds[std::string(*sound)];
    ++survey.num_sounds;
    survey.durations_s.push_back(static_cast<double>(decoded.samples.size()) / decoded.sample_rate);
    survey.sample_rates.push_back(decoded.sample_rate);
  } else {
    ++survey.kinds["other"];
  }
  survey.bytes.push_back(file.size());
  ++survey.num_looked_at;
}

/// The positions in `samples` of the files that are largest on disk.
std::vector<std::size_t> largest(const std::vector<Sample>& samples) {
  std::vector<std::pair<std::uintmax_t, std::size_t>> sizes;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(samples[i].path, error);
    if (!error) sizes.emplace_back(size, i);
  }
  const std::size_t count = std::min(sizes.size(), kNumLargest);
  std::ranges::partial_sort(sizes, sizes.begin() + static_cast<std::ptrdiff_t>(count), std::greater<>());
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < count; ++i) positions.push_back(sizes[i].second);
  return positions;
}

/// Calls look_at_file() unless the file is damaged; training will name it.
void try_to_look_at(const Sample& sample, Survey& survey) {
  try {
    look_at_file(sample, survey);
  } catch (const Error&) {
  }
}

/// FNV-1a.
void hash(std::uint64_t& state, std::string_view text) {
  for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
}

}  // namespace

Survey look_at(const std::vector<Sample>& samples, std::size_t most_files) {
  Survey survey;
  const std::size_t count = std::min(samples.size(), most_files);
  for (std::size_t i = 0; i < count; ++i) try_to_look_at(samples[samples.size() * i / count], survey);
  Survey extremes = survey;  // apart from the sample, whose quantiles they would bend
  for (const std::size_t i : largest(samples)) try_to_look_at(samples[i], extremes);
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

std::string fingerprint(const DataSet& data, const std::filesystem::path& root) {
  std::uint64_t state = 0xCBF29CE484222325ULL;
  for (const std::string& name : data.classes) hash(state, name + '\n');
  for (const auto* part : {&data.train, &data.validation}) {
    for (const Sample& sample : *part) {
      std::error_code error;
      const auto size = std::filesystem::file_size(sample.path, error);
      hash(state, sample.path.lexically_relative(root).string() + '\t' + std::to_string(error ? 0 : size) + '\t' +
                      std::to_string(sample.label) + '\n');
    }
    hash(state, "--\n");
  }
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(state));
  return text;
}

}  // namespace byteformer::data
