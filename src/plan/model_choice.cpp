// Chooses a kernel, windows and a size of model that fit the files.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <span>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "format/model_folder.hpp"
#include "interop/partial_config.hpp"
#include "nn/geometry.hpp"
#include "plan/start.hpp"
#include "plan/planner.hpp"

namespace byteformer::plan {
namespace {

using prepare::FileFormat;

constexpr double kSoundTokensPerSecond = 250;
constexpr std::int64_t kWholeFileTokens = 512;  // up to here one window holds the file

/// Smaller than the published ones.
constexpr interop::Preset kSmallPresets[] = {{"nano", 96, 4, 3, 384}, {"micro", 128, 6, 4, 512}};

const interop::Preset& preset_of(const std::string& name) {
  using Presets = std::span<const interop::Preset>;
  for (const Presets presets : {Presets(kSmallPresets), Presets(interop::kPresets)})
    for (const interop::Preset& p : presets)
      if (name == p.name) return p;
  throw Error(ErrorCode::kInvalidArgument,
              option_name(&Request::preset) + " must be nano, micro, tiny, small, base or huge, not `" + name + "`");
}

/// Bytes between tokens: about `tokens` of them, and each picture row a whole number of tokens or the other way round.
std::int64_t image_stride(std::int64_t row_bytes, std::int64_t num_bytes, std::int64_t tokens) {
  constexpr std::int64_t kMost = 48;
  const double wanted = std::min<double>(kMost, static_cast<double>(num_bytes) / static_cast<double>(tokens));
  std::int64_t best = 3;
  for (std::int64_t s = 3; s <= kMost; s += 3)
    if (row_bytes % s == 0 &&
        std::abs(std::log(static_cast<double>(s) / wanted)) < std::abs(std::log(static_cast<double>(best) / wanted)))
      best = s;
  return best;
}

/// At most, of files with nothing but a picture.
std::int64_t header_bytes(FileFormat format) {
  if (format == FileFormat::kFhwc || format == FileFormat::kFchw) return 0;
  return format == FileFormat::kTiff ? 512 : 4096;
}

std::int64_t sample_bytes(media::SampleFormat format) {
  constexpr std::int64_t kBytes[] = {4, 4, 2, 1};
  return kBytes[static_cast<int>(format)];
}

/// Bytes of the longest file that the model will see, where the longest sound takes `sound_s` seconds and the longest
/// file that is taken as it is has `raw_bytes`.
std::int64_t longest_file(const data::Survey& survey, const TrainingPlan& plan, double sound_s,
                          std::int64_t raw_bytes) {
  std::int64_t longest = 0;
  if (plan.preprocess.image) {
    const auto& image = *plan.preprocess.image;
    const std::int64_t width = image.crop.value_or(data::quantile(survey.widths, 1));
    const std::int64_t height = image.crop.value_or(data::quantile(survey.heights, 1));
    longest = width * height * 3 + header_bytes(image.encoding.format);  // compressed ones are shorter
  }
  if (plan.preprocess.sound) {
    const auto& sound = *plan.preprocess.sound;
    const double seconds = sound.duration_s.value_or(sound_s);
    const auto bytes = static_cast<double>(sample_bytes(sound.encoding.sample_format));
    const int rate = sound.sample_rate.value_or(data::quantile(survey.sample_rates, 1));
    longest = std::max(longest, static_cast<std::int64_t>(seconds * rate * bytes) + 128);
  }
  if (plan.preprocess.is_bytes()) longest = raw_bytes;
  return longest;
}

/// What the pieces and a mask leave of a file, which is all that the model sees of it.
std::int64_t left_by_transforms(const TrainingPlan& plan, std::int64_t num_bytes) {
  const auto& [pieces, shuffle, mask, noise, permutations] = plan.preprocess.transforms;
  if (pieces) num_bytes = std::min(num_bytes, static_cast<std::int64_t>(pieces->total()));
  if (!mask) return num_bytes;
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(mask->keep_frac * static_cast<double>(num_bytes)));
}

/// About as many tokens as without the mask. What is left of rows and samples has no period that tokens could meet.
std::int64_t stride_under_mask(std::int64_t stride, double keep_frac) {
  constexpr std::int64_t kLeast = 2;  // the published camera's
  const double wanted = std::max(1.0, static_cast<double>(stride) * keep_frac);
  return std::max(std::min(kLeast, stride), std::int64_t{1} << std::lround(std::log2(wanted)));
}

std::int64_t stride_of_whole_files(const data::Survey& survey, const TrainingPlan& plan) {
  if (plan.preprocess.image) {  // also of the joint kind: sounds have no rows that tokens should meet
    const auto& image = *plan.preprocess.image;
    const FileFormat format = image.encoding.format;
    const std::int64_t width = image.crop.value_or(data::quantile(survey.widths, 1));
    const std::int64_t height = image.crop.value_or(data::quantile(survey.heights, 1));
    if (format == FileFormat::kJpeg || format == FileFormat::kPng) return width * height <= 1024 ? 2 : 4;
    return image_stride(format == FileFormat::kFchw ? width : 3 * width, 3 * width * height, 128);
  }
  if (plan.preprocess.sound) {
    if (plan.preprocess.sound->encoding.format == FileFormat::kMp3) return 4;
    const double stride = *plan.preprocess.sound->sample_rate / kSoundTokensPerSecond;
    return std::clamp<std::int64_t>(std::llround(stride), 4, 64) *
           sample_bytes(plan.preprocess.sound->encoding.sample_format);
  }
  const std::int64_t typical = plan.max_bytes > 0 ? plan.max_bytes : data::quantile(survey.bytes, 0.95);
  return static_cast<std::int64_t>(
      std::bit_ceil(static_cast<std::uint64_t>(std::clamp<std::int64_t>(typical / 512, 2, 16))));
}

std::int64_t chosen_stride(const data::Survey& survey, const TrainingPlan& plan) {
  const std::int64_t stride = stride_of_whole_files(survey, plan);
  const auto& mask = plan.preprocess.transforms.mask;
  return mask ? stride_under_mask(stride, mask->keep_frac) : stride;
}

/// Tokens of long files as a model with a kernel sees them.
struct FileTokens {
  std::int64_t whole_bytes = 0, seen_bytes = 0;  ///< of a long file, also after the transforms
  std::int64_t usual = 0;                        ///< of a long file
  std::int64_t with_room = 0;  ///< of the longest, made longer by augmentation, and room for what was not seen

  FileTokens(std::int64_t kernel, const data::Survey& survey, const TrainingPlan& plan) {
    // The most of both maskings; an odd kernel is refused later.
    const nn::TokenGeometry geometry(kernel / 2 * 2, Masking::kMasked);
    const auto tokens_of = [&](std::int64_t bytes) {
      return static_cast<std::int64_t>(geometry.num_tokens(static_cast<std::uint64_t>(bytes)));
    };
    whole_bytes = longest_file(survey, plan, data::quantile(survey.durations_s, 1), data::quantile(survey.bytes, 1));
    seen_bytes = left_by_transforms(plan, whole_bytes);
    usual = tokens_of(seen_bytes);
    const std::int64_t most =
        tokens_of(left_by_transforms(plan, longest_file(survey, plan, survey.longest_s, survey.most_bytes)));
    const bool has_any_length = plan.preprocess.sound && !plan.preprocess.sound->duration_s;
    with_room = has_any_length ? std::max(4 * usual, most + most / 2) : std::max(usual + usual / 4, most + most / 4);
  }
};

/// Makes a model that training starts from long enough for the files, which may be longer than those that it knows.
void make_room(const FileTokens& files, TrainingPlan& plan) {
  format::ModelConfig& config = plan.config;
  if (config.position_embedding != format::PositionEmbedding::kLearned) return;
  if (files.usual <= config.max_position_embeddings) return;
  plan.reasons.push_back(fmt::format("the files take up to {} tokens, and {} has positions for {}: these repeat",
                                     files.usual, base::printable(plan.init_from), config.max_position_embeddings));
  config.max_position_embeddings = files.with_room;
  // Windows that held a whole file hold a part of it now, and where they meet has to change between layers.
  if (std::ranges::any_of(config.window_shifts, [](std::int64_t shift) { return shift != 0; })) return;
  for (std::size_t i = 1; i < config.window_shifts.size(); i += 2) config.window_shifts[i] = config.window_sizes[i] / 2;
}

void choose_layers(format::PartialConfig& config, std::int64_t window, std::int64_t num_tokens) {
  const std::int64_t layers = *config.num_hidden_layers;
  std::vector<std::int64_t> sizes, shifts;
  std::vector<bool> merges;
  for (std::int64_t i = 0; i < layers; ++i) {
    sizes.push_back(window);
    // Where one window holds the file there is nothing to shift.
    shifts.push_back(i % 2 == 1 && num_tokens > window ? window / 2 : 0);
    merges.push_back(i < 2);
  }
  config.window_sizes = sizes;
  config.window_shifts = shifts;
  config.downsample = merges;
}

/// Sizes that are asked for and that the start, whose weights have one shape, has otherwise.
void refuse_other_sizes(const Request& request, const TrainingPlan& plan) {
  const format::ModelConfig& start = plan.config;
  std::vector<std::string> others;
  const auto look = [&](auto member, bool differs) {
    if (const auto text = option_text(setting(member), request); text && differs) others.push_back(*text);
  };
  const auto is_other = [](const std::optional<std::int64_t>& asked, std::int64_t size) { return asked != size; };
  if (request.preset) {
    const interop::Preset& p = preset_of(*request.preset);
    look(&Request::preset, p.hidden_size != start.hidden_size || p.num_hidden_layers != start.num_hidden_layers ||
                               p.num_attention_heads != start.num_attention_heads ||
                               p.intermediate_size != start.intermediate_size);
  }
  look(&Request::hidden_size, is_other(request.hidden_size, start.hidden_size));
  look(&Request::layers, is_other(request.layers, start.num_hidden_layers));
  look(&Request::heads, is_other(request.heads, start.num_attention_heads));
  look(&Request::intermediate_size, is_other(request.intermediate_size, start.intermediate_size));
  look(&Request::kernel, is_other(request.kernel, start.conv_kernel_size));
  look(&Request::window, std::ranges::any_of(start.window_sizes, [&](auto w) { return is_other(request.window, w); }));
  look(&Request::positions, request.positions != format::to_string(start.position_embedding));
  look(&Request::initialisation, request.initialisation != "auto");
  if (others.empty()) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("{}: the weights of {} ({}) have a shape and values already; leave {} out, or start from "
                          "nothing ({} none)",
                          base::list(others, ", "), base::printable(plan.init_from), option_name(&Request::init_from),
                          others.size() == 1 ? "it" : "them", option_name(&Request::init_from)));
}

/// \throws Error kInvalidArgument for sizes that contradict each other: they were asked for.
format::ModelConfig completed(const format::PartialConfig& config) try {
  return format::complete(config, "the model");
} catch (const Error& error) {
  throw Error(ErrorCode::kInvalidArgument, error.what());
}

}  // namespace

void apply_sizes(const Request& request, const std::string& preset, format::PartialConfig& config) {
  const interop::Preset& p = preset_of(request.preset.value_or(preset));
  config.hidden_size = request.hidden_size.value_or(p.hidden_size);
  config.num_hidden_layers = request.layers.value_or(p.num_hidden_layers);
  config.num_attention_heads = request.heads.value_or(p.num_attention_heads);
  config.intermediate_size =
      request.intermediate_size.value_or(request.hidden_size ? 4 * *request.hidden_size : p.intermediate_size);
}

void take_initial_model(const Request& request, TrainingPlan& plan) {
  plan.config = format::read_config(plan.init_from);
  refuse_other_sizes(request, plan);
  plan.config.masking = request.masking ? format::parse_masking(*request.masking) : plan.config.masking;
}

void complete_model(const std::vector<std::string>& classes, TrainingPlan& plan) {
  plan.config.labels = classes;
  plan.config.num_labels = static_cast<std::int64_t>(classes.size());
  plan.config.temperature = 1;
  plan.config.unknown_below = 0;  // was found for other classes, or other weights
  std::erase_if(plan.config.label_info, [&](const auto& info) { return !std::ranges::count(classes, info.first); });
  plan.config.preprocess = prepare::to_json(plan.preprocess);
  format::validate(plan.config, "the model");
  plan.reasons.push_back(
      fmt::format("model: {} layers, hidden size {}, kernel {}, windows of {} tokens, {} positions, masking {}",
                  plan.config.num_hidden_layers, plan.config.hidden_size, plan.config.conv_kernel_size,
                  plan.config.window_sizes.front(),
                  plan.config.position_embedding == format::PositionEmbedding::kLearned
                      ? fmt::format("{} learned", plan.config.max_position_embeddings)
                      : "sinusoidal",
                  format::to_string(plan.config.masking)));
}

void choose_model(const Request& request, const data::DataSet& data, const data::Survey& survey, TrainingPlan& plan) {
  const bool is_published = request.recipe == "published";
  if (!plan.init_from.empty()) {
    take_initial_model(request, plan);
    make_room(FileTokens(plan.config.conv_kernel_size, survey, plan), plan);
  } else {
    const std::string chosen = is_published || plan.device == "cuda" ? "tiny"
                               : data.train.size() < 3'000           ? "nano"
                                                                     : "micro";
    format::PartialConfig config;
    apply_sizes(request, chosen, config);
    config.num_labels = static_cast<std::int64_t>(data.classes.size());
    const std::int64_t published_kernel = plan.preprocess.sound && !plan.preprocess.image ? 16 : 32;
    config.conv_kernel_size =
        request.kernel.value_or(is_published ? published_kernel : 2 * chosen_stride(survey, plan));
    config.masking = format::parse_masking(request.masking.value_or("masked"));
    const FileTokens longest(*config.conv_kernel_size, survey, plan);
    if (plan.preprocess.transforms.mask)
      plan.reasons.push_back(
          fmt::format("the mask leaves {} of the {} bytes of a long file: the model is made for what is left",
                      longest.seen_bytes, longest.whole_bytes));
    const std::int64_t tokens = longest.usual;
    const bool is_deep = *config.num_hidden_layers >= 12;
    if (is_published && is_deep) {
      config.window_size = request.window.value_or(128);  // shifts and merges as published, whatever the window
    } else if (!is_deep || request.window) {
      const std::int64_t whole = (tokens + 63) / 64 * 64;
      choose_layers(config, request.window.value_or(whole <= kWholeFileTokens ? whole : 128), tokens);
      if (is_deep) config.downsample.reset();
    }
    const bool varies = plan.preprocess.is_bytes();
    config.position_embedding = request.positions         ? format::parse_position_embedding(*request.positions)
                                : varies && !is_published ? format::PositionEmbedding::kSinusoidal
                                                          : format::PositionEmbedding::kLearned;
    config.max_position_embeddings = is_published ? 50'000 : std::max(std::int64_t{64}, longest.with_room);
    if (config.position_embedding == format::PositionEmbedding::kSinusoidal)  // of which there is no end
      config.max_position_embeddings = std::min(*config.max_position_embeddings, format::kMostPositions);
    plan.config = completed(config);
  }
  complete_model(data.classes, plan);
}

}  // namespace byteformer::plan
