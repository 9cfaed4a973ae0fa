// Implementation of train_settings.hpp.
#include "experiments/train_settings.hpp"

#include <initializer_list>
#include <optional>
#include <string_view>

#include "experiments/recipe_transforms.hpp"

namespace byteformer::experiments {
namespace {

constexpr std::int64_t kMany = 1'000'000'000;

/// Reads keys below one prefix into the members of a request.
class Settings {
 public:
  Settings(const interop::YamlFile& yaml, const std::string& prefix) : yaml_(yaml), prefix_(prefix) {}

  void choice(const char* key, std::optional<std::string>& value, std::initializer_list<std::string_view> known) const {
    value = yaml_.choice(prefix_ + key, known, ErrorCode::kInvalidFormat);
  }
  void integer(const char* key, std::optional<std::int64_t>& value, std::int64_t low, std::int64_t high) const {
    value = yaml_.integer(prefix_ + key, low, high);
  }
  void number(const char* key, std::optional<double>& value, double low, double high) const {
    value = yaml_.number(prefix_ + key, low, high);
  }

 private:
  const interop::YamlFile& yaml_;
  const std::string& prefix_;
};

void read_files(const Settings& settings, plan::Request& r) {
  settings.choice("encode", r.encode, {"tiff", "png", "jpeg", "fhwc", "fchw", "wav", "mp3", "as-is"});
  settings.integer("quality", r.quality, 1, 100);
  settings.choice("sample_format", r.sample_format, {"float32", "int32", "int16", "uint8"});
  settings.integer("resize", r.resize, 1, 65'536);
  settings.integer("crop", r.crop, 1, 65'536);
  settings.integer("sample_rate", r.sample_rate, 1, 768'000);
  settings.number("duration_s", r.duration_s, 0.001, 3600);
  settings.choice("augment", r.augment, {"auto", "published", "none"});
  settings.choice("balance", r.balance, {"auto", "on", "off"});
  settings.choice("split_by", r.split_by, {"auto", "file", "speaker"});
  settings.number("validation_fraction", r.validation_fraction, 0, 0.9);
}

void read_model(const Settings& settings, plan::Request& r) {
  settings.choice("preset", r.preset, {"nano", "micro", "tiny", "small", "base", "huge"});
  settings.integer("hidden_size", r.hidden_size, 1, 65'536);
  settings.integer("layers", r.layers, 1, 4'096);
  settings.integer("heads", r.heads, 1, 65'536);
  settings.integer("intermediate_size", r.intermediate_size, 1, 1'000'000);
  settings.integer("kernel", r.kernel, 0, 65'536);
  settings.integer("window", r.window, 1, 65'536);
  settings.choice("positions", r.positions, {"learned", "sinusoidal"});
  settings.choice("masking", r.masking, {"masked", "released"});
  settings.choice("initialisation", r.initialisation, {"auto", "filter-bank", "released", "normal"});
  settings.number("dropout", r.dropout, 0, 0.9);
  settings.number("stochastic_depth", r.stochastic_depth, 0, 0.9);
}

void read_schedule(const Settings& settings, plan::Request& r) {
  settings.choice("recipe", r.recipe, {"auto", "published"});
  settings.number("epochs", r.epochs, 0.001, 100'000);
  settings.integer("steps", r.steps, 1, kMany);
  settings.integer("batch_size", r.batch_size, 1, 1'000'000);
  settings.number("learning_rate", r.learning_rate, 0, 10);
  settings.number("min_learning_rate", r.min_learning_rate, 0, 10);
  settings.integer("warmup_steps", r.warmup_steps, 0, kMany);
  settings.choice("schedule", r.schedule, {"step", "epoch"});
  settings.number("weight_decay", r.weight_decay, 0, 10);
  settings.number("label_smoothing", r.label_smoothing, 0, 0.99);
  settings.number("clip_norm", r.clip_norm, 0, 1e9);
  settings.number("ema_momentum", r.ema_momentum, 0, 1);
}

}  // namespace

plan::Request read_train_settings(const interop::YamlFile& yaml, const std::string& prefix) {
  plan::Request request;
  const Settings settings(yaml, prefix);
  read_files(settings, request);
  request.transforms = read_transforms(yaml, prefix + "transforms");
  read_model(settings, request);
  read_schedule(settings, request);
  return request;
}

}  // namespace byteformer::experiments
