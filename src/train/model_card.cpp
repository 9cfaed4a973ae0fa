// The model card of run_summary.hpp.
#include <fmt/format.h>

#include <algorithm>

#include "format/text.hpp"
#include "train/run_summary.hpp"

namespace byteformer::train {
namespace {

std::string list(const std::vector<std::string>& names, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) text += (i > 0 ? ", " : "") + names[i];
  return names.size() > most ? fmt::format("{}, and {} more", text, names.size() - most) : text;
}

}  // namespace

std::string model_card(const RunSummary& s) {
  const data::Metrics metrics = data::measure(s.validation, s.temperature);
  const format::ModelConfig& config = s.plan.config;
  const bool has_top5 = data::shows_top5(config.labels.size());
  std::string card = fmt::format(
      "# {} classes from bytes\n\n"
      "A ByteFormer that classifies files by their bytes, without decoding them. Made by `byteformer train`.\n\n"
      "| | |\n|---|---|\n"
      "| classes | {} |\n| reads | {} |\n"
      "| model | {} layers, hidden size {}, kernel {}, windows of {} tokens, masking {} |\n"
      "| trained on | {} files, {:.1f} epochs of batches of {}, {} |\n\n",
      config.num_labels, list(config.labels, 50), data::describe(s.plan.preprocess), config.num_hidden_layers,
      config.hidden_size, config.conv_kernel_size, config.window_sizes.front(), format::to_string(config.masking),
      s.data.train.size(), s.plan.epochs(), s.plan.batch_size, format::duration_text(s.seconds));
  card += fmt::format(
      "## How good it is\n\n"
      "On {} validation files{}, which chose the weights that were kept (step {}) and the temperature ({:.3f}):\n\n"
      "| top-1 | {}loss | calibration error |\n|---|---|---|{}\n| {:.2f} % | {}{:.4f} | {:.4f} |\n\n"
      "Files that had no part in training or choosing are a better judge: `byteformer eval --model . --data DATA`.\n\n",
      metrics.samples,
      s.plan.schedule.total_steps > 0 && s.data.has_own_validation ? ""
                                                                   : fmt::format(" held out by {}", s.data.split_by),
      s.best_step, s.temperature, has_top5 ? "top-5 | " : "", has_top5 ? "---|" : "", 100 * metrics.top1,
      has_top5 ? fmt::format("{:.2f} % | ", 100 * metrics.top5) : "", metrics.loss, metrics.calibration_error);
  card += "| class | files | recall | precision |\n|---|---|---|---|\n";
  for (std::size_t c = 0; c < metrics.per_class.size() && c < 100; ++c)
    card += fmt::format("| {} | {} | {:.1f} % | {:.1f} % |\n", config.labels[c], metrics.per_class[c].samples,
                        100 * metrics.per_class[c].recall, 100 * metrics.per_class[c].precision);
  card += fmt::format("\n## How it was made\n\n```sh\n{}\n```\n\n", s.plan.command);
  for (const std::string& reason : s.plan.reasons) card += "- " + reason + "\n";
  if (!s.failures.empty()) card += fmt::format("- {} files could not be used\n", s.failures.size());
  card +=
      "\n## Limits\n\nIt knows the classes above and answers with one of them whatever it is given; `--threshold` says "
      "`unknown` below a score. It has seen files like those it was trained on: other cameras, microphones or formats "
      "need an evaluation of their own.\n";
  return card;
}

}  // namespace byteformer::train
