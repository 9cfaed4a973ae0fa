// Implementation of survey.hpp.
#include "data/survey.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "encode/image.hpp"
#include "encode/sound.hpp"

namespace byteformer::data {
namespace {

void look_at_file(const Sample& sample, Survey& survey) {
  base::InputFile file(sample.path);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(file.size()));
  bytes.resize(file.read(bytes));
  const std::string source = base::printable(sample.path);
  if (const auto image = encode::image_kind(bytes)) {
    const encode::Image decoded = encode::decode_image(bytes, source);
    ++survey.kinds[std::string(*image)];
    ++survey.num_images;
    survey.all_images_equal &=
        survey.widths.empty() || (decoded.width == survey.widths.front() && decoded.height == survey.heights.front());
    survey.widths.push_back(decoded.width);
    survey.heights.push_back(decoded.height);
    survey.shorter_sides.push_back(std::min(decoded.width, decoded.height));
  } else if (const auto sound = encode::sound_kind(bytes)) {
    const encode::Sound decoded = encode::decode_sound(bytes, source);
    ++survey.kinds[std::string(*sound)];
    ++survey.num_sounds;
    survey.durations_s.push_back(static_cast<double>(decoded.samples.size()) / decoded.sample_rate);
    survey.sample_rates.push_back(decoded.sample_rate);
  } else {
    ++survey.kinds["other"];
  }
  survey.bytes.push_back(static_cast<std::int64_t>(bytes.size()));
  ++survey.num_looked_at;
}

/// FNV-1a.
void hash(std::uint64_t& state, std::string_view text) {
  for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
}

}  // namespace

Survey look_at(const std::vector<Sample>& samples, std::size_t most_files) {
  Survey survey;
  const std::size_t count = std::min(samples.size(), most_files);
  for (std::size_t i = 0; i < count; ++i) {
    try {
      look_at_file(samples[samples.size() * i / count], survey);
    } catch (const Error&) {  // training will name it
    }
  }
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
