// Chooses what files become: the form in which a model reads them, and what is said of it.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "plan/planner.hpp"
#include "plan/start.hpp"

namespace byteformer::plan {
namespace {

using prepare::FileFormat;

constexpr int kSmallPicture = 64;           // pixels: up to here pictures keep their size
constexpr std::int64_t kPieceBytes = 8192;  // longer files of no known kind are cut to pieces for training on a CPU

int to_int(std::int64_t number) { return static_cast<int>(number); }

prepare::ImagePreparation image_preparation(const Request& request, const data::Survey& survey,
                                            const TrainingPlan& plan) {
  prepare::ImagePreparation image;
  const bool is_published = request.recipe == "published";
  const int typical = data::quantile(survey.shorter_sides, 0.5);
  const int affordable = is_published || plan.device == "cuda" ? 224 : kSmallPicture;
  const int crop = to_int(request.crop.value_or(is_published ? 224 : std::min(affordable, typical)));
  // Pictures of one small size are used whole; of larger ones the published margin is cut off.
  const bool keeps_size = survey.all_images_equal && crop == typical;
  image.crop = crop;
  image.resize = to_int(request.resize.value_or(keeps_size ? crop : crop * 8 / 7));
  image.encoding.format = is_published ? FileFormat::kTiff : FileFormat::kFhwc;
  image.encoding.quality = to_int(request.quality.value_or(100));
  return image;
}

prepare::SoundPreparation sound_preparation(const Request& request, const data::Survey& survey) {
  prepare::SoundPreparation sound;
  const bool is_published = request.recipe == "published";
  const int common_rate = data::quantile(survey.sample_rates, 0.5);
  sound.sample_rate = to_int(request.sample_rate.value_or(std::min(16'000, common_rate)));
  sound.duration_s = request.duration_s ? request.duration_s : is_published ? 1 : usual_duration(survey);
  sound.encoding.format = FileFormat::kWav;
  sound.encoding.sample_format = request.sample_format
                                     ? media::parse_sample_format(*request.sample_format)
                                     : (is_published ? media::SampleFormat::kInt16 : media::SampleFormat::kUint8);
  return sound;
}

void tell(const prepare::ImagePreparation& image, TrainingPlan& plan) {
  std::string sizes;
  if (image.resize) sizes += fmt::format("shorter side to {} pixels, ", *image.resize);
  sizes += image.crop ? fmt::format("{0}x{0} from the middle", *image.crop) : "whole";
  plan.reasons.push_back(
      fmt::format("pictures: {} ({}, {})", sizes, option_name(&Request::resize), option_name(&Request::crop)));
}

void tell(const prepare::SoundPreparation& sound, TrainingPlan& plan) {
  plan.reasons.push_back(fmt::format(
      "sounds: {}, {} samples, {} ({}, {}, {})",
      sound.sample_rate ? fmt::format("{} Hz", *sound.sample_rate) : "each at its own rate",
      media::to_string(sound.encoding.sample_format),
      sound.duration_s ? fmt::format("{:.2f} s", *sound.duration_s) : "each at its own length",
      option_name(&Request::sample_rate), option_name(&Request::sample_format), option_name(&Request::duration_s)));
}

/// Why files are re-encoded.
std::string reason_of_form(const TrainingPlan& plan, const std::optional<prepare::Preprocess>& initial) {
  const auto& [image, sound, transforms] = plan.preprocess;
  const std::string form = "each is re-encoded as " + prepare::describe(plan.preprocess);
  if (initial && ((image && initial->image) || (sound && initial->sound))) {
    if (image == initial->image && sound == initial->sound)
      return form + ", as " + base::printable(plan.init_from) + " expects it";
    return fmt::format("{}; {} expects {}", form, base::printable(plan.init_from), prepare::describe(*initial));
  }
  const bool is_compressed =
      (image && image->encoding.format == FileFormat::kJpeg) || (sound && sound->encoding.format == FileFormat::kMp3);
  return form + (is_compressed ? ": compressed bytes take far longer to learn than uncompressed ones"
                               : ": uncompressed bytes are learned far faster (" + option_name(&Request::encode) +
                                     " as-is takes files as they are)");
}

/// \throws Error kInvalidArgument
bytes::Transforms asked_transforms(const std::string& json) try {
  return prepare::parse_transforms(json, option_name(&Request::transforms));
} catch (const Error& error) {
  throw Error(ErrorCode::kInvalidArgument, error.what());
}

/// Options for pictures where there are none, and the like.
void tell_of_vain(const Request& request, TrainingPlan& plan) {
  std::vector<std::string> vain;
  const auto look = [&](auto member, bool has_effect) {
    if (const auto text = option_text(setting(member), request); text && !has_effect) vain.push_back(*text);
  };
  const auto& [image, sound, transforms] = plan.preprocess;
  const bool is_wav = sound && sound->encoding.format == FileFormat::kWav;
  look(&Request::quality, image && image->encoding.format == FileFormat::kJpeg);
  look(&Request::sample_format, is_wav);
  look(&Request::resize, image.has_value());
  look(&Request::crop, image.has_value());
  look(&Request::sample_rate, sound.has_value());
  look(&Request::duration_s, sound.has_value());
  const std::string augment = request.augment.value_or("auto");
  look(&Request::augment, image || augment == "auto" || augment == "none" || (sound && augment == "published"));
  look(&Request::max_bytes, plan.preprocess.is_bytes() || request.max_bytes == 0);
  if (!vain.empty())
    plan.reasons.push_back(fmt::format("without effect on these files: {}", base::list(vain, ", ")));
}

}  // namespace

void apply_format(const Request& request, TrainingPlan& plan) {
  if (!request.encode || request.encode == "as-is") return;
  const FileFormat format = prepare::parse_file_format(*request.encode);
  if (prepare::is_image(format) && plan.preprocess.image) {
    plan.preprocess.image->encoding.format = format;
  } else if (!prepare::is_image(format) && plan.preprocess.sound) {
    plan.preprocess.sound->encoding.format = format;
  } else {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{}: the data are no {}", *option_text(setting(&Request::encode), request),
                            prepare::is_image(format) ? "pictures" : "sounds"));
  }
}

bool takes_bytes(const Request& request, const TrainingPlan& plan) {
  if (request.encode) return *request.encode == "as-is";
  return !plan.init_from.empty() && prepare::read_preprocess(plan.init_from).is_bytes();
}

void choose_preprocess(const Request& request, const data::Survey& survey, TrainingPlan& plan) {
  const double images = survey.image_share(), sounds = survey.sound_share();
  const std::optional<prepare::Preprocess> initial = preprocess_of_start(request, survey, plan);
  if (images + sounds >= kClearMajority && !takes_bytes(request, plan)) {
    // Weights for 8 kHz hear nothing at 16, so what training starts from decides before the data do.
    if (images > 0.02)
      plan.preprocess.image =
          initial && initial->image ? as_asked(*initial->image, request) : image_preparation(request, survey, plan);
    if (sounds > 0.02)
      plan.preprocess.sound =
          initial && initial->sound ? as_asked(*initial->sound, request) : sound_preparation(request, survey);
  }
  if (plan.preprocess.image) tell(*plan.preprocess.image, plan);
  if (plan.preprocess.sound) tell(*plan.preprocess.sound, plan);
  apply_format(request, plan);
  if (!plan.preprocess.is_bytes()) {
    plan.reasons.push_back(reason_of_form(plan, initial));
  } else {
    plan.reasons.push_back("files are taken as they are");
    const bool is_small_machine = plan.device == "cpu";
    if (is_small_machine && data::quantile(survey.bytes, 0.95) > kPieceBytes) plan.max_bytes = kPieceBytes;
  }
  if (request.transforms) {
    plan.preprocess.transforms = asked_transforms(*request.transforms);
    if (!plan.preprocess.transforms.empty())
      plan.reasons.push_back("bytes: " + prepare::describe(plan.preprocess.transforms) + " (" +
                             option_name(&Request::transforms) + ")");
  } else if (initial && !initial->transforms.empty()) {
    plan.preprocess.transforms = initial->transforms;
    plan.reasons.push_back(fmt::format("bytes: {}, as {} expects them ({})",
                                       prepare::describe(plan.preprocess.transforms), base::printable(plan.init_from),
                                       option_name(&Request::transforms)));
  }
  if (plan.preprocess.is_bytes()) plan.max_bytes = request.max_bytes.value_or(plan.max_bytes);
  tell_of_vain(request, plan);
  if (plan.max_bytes > 0)
    plan.reasons.push_back(
        fmt::format("longer files are cut to a random piece of {} bytes in training, never in "
                    "validation ({})",
                    plan.max_bytes, option_name(&Request::max_bytes)));
}

}  // namespace byteformer::plan
