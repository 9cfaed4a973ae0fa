// Picks the shipped model that a training starts from, and says what files a start reads.
#include "plan/start.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::plan {
namespace {

constexpr double kFarTooLong_s = 20;

/// What a start cannot give otherwise than it is: sizes and weights of the model, and the bytes that it reads.
bool leaves_model_open(const Request& request) {
  return request.recipe.value_or("auto") == "auto" && !request.config && !request.preset && !request.hidden_size &&
         !request.layers && !request.heads && !request.intermediate_size && !request.kernel && !request.window &&
         !request.positions && !request.masking && !request.initialisation && !request.transforms;
}

template <typename T>
bool is_open_or(const std::optional<T>& asked, const T& value) {
  return !asked || *asked == value;
}

bool suits(const Request& request, const data::Survey& survey, const prepare::Preprocess& form) {
  if (form.image)  // smaller pictures would be enlarged, and cost more than they gain
    return data::quantile(survey.shorter_sides, 0.5) >= form.image->crop.value_or(1) &&
           is_open_or(request.encode, std::string(prepare::to_string(form.image->encoding.format))) &&
           !request.resize && !request.crop && !request.quality;
  return is_open_or(request.encode, std::string(prepare::to_string(form.sound->encoding.format))) &&
         is_open_or<std::int64_t>(request.sample_rate, form.sound->sample_rate.value_or(0)) &&
         is_open_or(request.sample_format, std::string(media::to_string(form.sound->encoding.sample_format)));
}

/// Its name among the shipped models; empty where none knows such files.
std::string_view start_for(const data::Survey& survey) {
  if (survey.sound_share() >= kClearMajority) return "speech-commands";
  if (survey.image_share() >= kClearMajority) return "photos";
  return {};
}

}  // namespace

bool is_own_start(const TrainingPlan& plan) { return !plan.init_from.empty() && !plan.asked.init_from; }

std::optional<double> usual_duration(const data::Survey& survey) {
  const double low = data::quantile(survey.durations_s, 0.05), high = data::quantile(survey.durations_s, 0.95);
  const bool are_alike = high < 1.5 * low;
  if (!are_alike && survey.durations_s.back() <= kFarTooLong_s) return {};
  return std::min(10.0, std::ceil(high * 10) / 10);
}

std::optional<prepare::Preprocess> preprocess_of_start(const Request& request, const data::Survey& survey,
                                                       const TrainingPlan& plan) {
  if (plan.init_from.empty() || request.encode == "as-is") return {};
  prepare::Preprocess preprocess = prepare::read_preprocess(plan.init_from);
  if (is_own_start(plan) && preprocess.sound &&
      data::quantile(survey.durations_s, 0.95) > preprocess.sound->duration_s.value_or(0))
    preprocess.sound->duration_s = usual_duration(survey);  // people's sounds are not cut to those of a start
  if (!request.transforms && bytes::find_without_key(preprocess.transforms) != nullptr)
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("{} {}: it reads files that are obfuscated with a secret key, which training does not have; {} "
                    "says what to do with the bytes instead",
                    option_name(&Request::init_from), base::printable(plan.init_from),
                    option_name(&Request::transforms)));
  return preprocess;
}

prepare::ImagePreparation as_asked(prepare::ImagePreparation image, const Request& request) {
  if (request.resize) image.resize = static_cast<int>(*request.resize);
  if (request.crop) image.crop = static_cast<int>(*request.crop);
  if (request.quality) image.encoding.quality = static_cast<int>(*request.quality);
  return image;
}

prepare::SoundPreparation as_asked(prepare::SoundPreparation sound, const Request& request) {
  if (request.sample_rate) sound.sample_rate = static_cast<int>(*request.sample_rate);
  if (request.duration_s) sound.duration_s = request.duration_s;
  if (request.sample_format) sound.encoding.sample_format = media::parse_sample_format(*request.sample_format);
  return sound;
}

void choose_start(const Request& request, const data::Survey& survey, const Machine& machine, TrainingPlan& plan) {
  if (request.init_from || machine.shipped_models.empty() || !leaves_model_open(request)) return;
  const std::string_view name = start_for(survey);
  if (name.empty()) return;
  const std::filesystem::path model = machine.shipped_models / name;
  if (!base::exists(model) || !suits(request, survey, prepare::read_preprocess(model))) return;
  plan.init_from = model.native();
  plan.reasons.push_back(fmt::format(
      "the weights start as those of the model {} that comes with this program, which learned files of the same kind "
      "({} none starts from nothing)",
      name, option_name(&Request::init_from)));
}

}  // namespace byteformer::plan
