// What a person asks of training: the options of `byteformer train`, as the command hands them to the trainer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace byteformer::plan {

/// Everything that is not set is chosen from the data, or by the recipe.
struct Request {
  std::optional<std::string> data, output, resume, init_from;
  std::optional<std::string> config;  ///< a published configuration (YAML), whose settings hold where none is given
  bool dry_run = false;
  bool json = false;       ///< with dry_run: the plan as JSON
  bool overwrite = false;  ///< replace what stands at `output`
  bool no_progress = false;

  std::optional<std::string> recipe;  ///< "auto" or "published"
  std::optional<std::string> preset;  ///< "nano", "micro", "tiny", "small", "base", "huge"
  std::optional<std::int64_t> hidden_size, layers, heads, intermediate_size;
  std::optional<std::int64_t> kernel, window;
  std::optional<std::string> masking, positions;  ///< "learned" or "sinusoidal"

  std::optional<std::string> encode;  ///< a prepare::FileFormat's name, or "as-is"
  std::optional<std::int64_t> quality, resize, crop, sample_rate;
  std::optional<std::string> sample_format;
  std::optional<double> duration_s;
  std::optional<std::string> augment;  ///< "auto", "published" or "none"
  std::optional<std::int64_t> max_bytes;
  std::optional<std::string> transforms;  ///< of the encoded bytes: JSON, as `transforms` of Preprocess

  std::optional<double> epochs, time_s;
  std::optional<std::int64_t> steps, batch_size, warmup_steps, seed;
  std::optional<double> learning_rate, min_learning_rate, weight_decay, label_smoothing, clip_norm, ema_momentum;
  std::optional<double> dropout, stochastic_depth, validation_fraction;
  std::optional<std::string> schedule;        ///< "epoch" or "step": how often the cosine moves
  std::optional<std::string> initialisation;  ///< "auto", "filter-bank", "released" or "normal"
  std::optional<std::string> split_by;        ///< "auto", "speaker" or "file"
  std::optional<std::string> balance;         ///< "auto", "on" or "off"

  std::optional<std::string> device;     ///< "auto", "cpu" or "cuda"
  std::optional<std::string> precision;  ///< "float32", "bf16" or "fp16"
  std::optional<std::int64_t> threads, workers, token_budget;
};

/// Fills what `request` leaves open from `defaults`. \returns for each option that was given otherwise than there,
/// which, what and what not: "--kernel 8, not 32".
std::vector<std::string> fill_in(Request& request, const Request& defaults);

/// As JSON text, keys as above; what is not set is absent.
std::string to_json(const Request& request);

/// The command line that asks for it.
std::string command_line(const Request& request);

/// \throws Error kInvalidArgument for unknown keys and wrong types.
Request parse_request(const std::string& json);

}  // namespace byteformer::plan
