// The model card in Markdown, and the HTML page: text, tables and inline SVG, no scripts, nothing to load.
#include "plan/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "chart/charts.hpp"
#include "chart/page.hpp"
#include "media/image.hpp"
#include "plan/filter_bank.hpp"

namespace byteformer::plan {
namespace {

using chart::escaped;

constexpr std::size_t kHardestFiles = 24;
constexpr std::size_t kMostClassesInMatrix = 40;
constexpr std::size_t kMostInlineBytes = 64 << 10;

constexpr const char* kStyle = R"(
.matrix td{width:2.2rem;text-align:center;padding:.15rem;border:1px solid var(--page)}
.files{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:.8rem}
.files div{border:1px solid var(--line);border-radius:6px;padding:.5rem;overflow-wrap:anywhere;font-size:.85rem}
.files img{image-rendering:pixelated;height:64px;display:block;margin-bottom:.3rem}
)";

constexpr const char* kCurvesNote =
    "Validation is of the averaged weights, on plain files. The training loss may lie above: it is of files that were "
    "changed at random, and of smoothed labels.";

std::string charts(const RunSummary& s) {
  if (s.history.empty()) return "<p>The run ended before its first evaluation.</p>";
  const double epoch = static_cast<double>(s.plan.schedule.steps_per_epoch);
  chart::Series train{"training", {}, {}, chart::kColors[1]}, validation{"validation", {}, {}, chart::kColors[0]},
      top1{"top-1", {}, {}, chart::kColors[0]}, top5{"top-5", {}, {}, chart::kColors[2]},
      rate{"", {}, {}, chart::kColors[3]};
  const auto add = [](chart::Series& series, double x, double y) { series.x.push_back(x), series.y.push_back(y); };
  for (const ValidationResult& e : s.history) {
    const double x = static_cast<double>(e.step) / epoch;
    add(train, x, e.train_loss);
    add(validation, x, e.loss);
    add(top1, x, 100 * e.top1);
    add(top5, x, 100 * e.top5);
    add(rate, x, e.learning_rate);
  }
  const bool has_top5 = data::shows_top5(s.plan.config.labels.size());
  return std::string("<p>") + kCurvesNote + "</p><div class=charts>" +
         chart::line_chart("Loss by epoch", {}, {train, validation}) +
         chart::line_chart("Validation accuracy, %", {}, has_top5 ? std::vector{top1, top5} : std::vector{top1}) +
         chart::line_chart("Learning rate", {}, {rate}) + "</div>";
}

std::string matrix(const RunSummary& s, const data::Metrics& metrics) {
  const auto& labels = s.plan.config.labels;
  if (labels.size() > kMostClassesInMatrix)
    return fmt::format("<p>{} classes are too many for a matrix here; <code>byteformer eval --json</code> has it.</p>",
                       labels.size());
  std::string html = "<p>Rows are truths, columns are answers.</p><table class=matrix><tr><th></th>";
  for (const std::string& label : labels) html += "<th>" + escaped(label) + "</th>";
  html += "</tr>";
  for (std::size_t truth = 0; truth < labels.size(); ++truth) {
    html += "<tr><th>" + escaped(labels[truth]) + "</th>";
    const auto samples = std::max<double>(1, static_cast<double>(metrics.per_class[truth].samples));
    for (std::size_t answer = 0; answer < labels.size(); ++answer) {
      const std::int64_t count = metrics.confusion[truth][answer];
      const double share = static_cast<double>(count) / samples;
      const char* color = truth == answer ? "11,127,171" : "200,60,50";
      html += fmt::format(R"(<td style="background:rgba({},{:.2f});color:{}">{}</td>)", color, share,
                          share > 0.55 ? "#fff" : "inherit", count > 0 ? std::to_string(count) : "");
    }
    html += "</tr>";
  }
  return html + "</table>";
}

/// The picture itself where a browser can show it; else nothing.
std::string preview(const data::Sample& sample) try {
  base::InputFile file = data::open_file(sample);
  if (file.size() > kMostInlineBytes) return "";
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(file.size()));
  bytes.resize(file.read(bytes));
  const auto kind = media::image_kind(bytes);
  if (!kind || (*kind != "jpeg" && *kind != "png" && *kind != "gif" && *kind != "webp" && *kind != "bmp")) return "";
  return fmt::format(R"(<img alt="" src="data:image/{};base64,{}">)", *kind, chart::base64(bytes));
} catch (const Error&) {
  return "";
}

std::string hardest(const RunSummary& s) {
  std::vector<std::size_t> order(s.validation.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<double> score(order.size());
  for (const std::size_t i : order)
    score[i] = data::softmax(s.validation.of(i), s.temperature)[static_cast<std::size_t>(s.validation.labels[i])];
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return score[i]; });
  std::string html = "<p>Validation files whose true class got the lowest score.</p><div class=files>";
  for (std::size_t n = 0; n < order.size() && n < kHardestFiles; ++n) {
    const std::size_t i = order[n];
    const auto answer = static_cast<std::size_t>(data::best_class(s.validation.of(i)));
    const data::Sample& sample = s.data.validation[s.validation_samples[i]];
    html += fmt::format("<div>{}{}<br><b>{}</b> ({:.0f} %), said <b>{}</b> ({:.0f} %)</div>", preview(sample),
                        escaped(base::printable(sample.path.lexically_relative(s.plan.data))),
                        escaped(s.plan.config.labels[static_cast<std::size_t>(sample.label)]), 100 * score[i],
                        escaped(s.plan.config.labels[answer]),
                        100 * data::softmax(s.validation.of(i), s.temperature)[answer]);
  }
  return html + "</div>";
}

std::string percent(std::optional<double> share) { return share ? fmt::format("{:.1f} %", 100 * *share) : "-"; }

std::string class_table(const RunSummary& s, const data::Metrics& metrics) {
  std::vector<std::int64_t> train(s.plan.config.labels.size());
  for (const data::Sample& sample : s.data.train) ++train[static_cast<std::size_t>(sample.label)];
  std::string html = "<table><tr><th>class<th>training files<th>validation files<th>recall<th>precision</tr>";
  for (std::size_t c = 0; c < train.size(); ++c)
    html += fmt::format("<tr><td>{}<td>{}<td>{}<td>{}<td>{}</tr>", escaped(s.plan.config.labels[c]), train[c],
                        metrics.per_class[c].samples, percent(metrics.per_class[c].recall),
                        percent(metrics.per_class[c].precision));
  return html + "</table>";
}

std::string items(const std::vector<std::string>& lines) {
  std::string html = "<ul>";
  for (const std::string& line : lines) html += "<li>" + escaped(line) + "</li>";
  return html + "</ul>";
}

/// `text` as a cell of a table in Markdown holds it: on one line, and read as text.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : base::printable(text)) {
    if (c == '|' || c == '<' || c == '`') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string list(const std::vector<std::string>& names, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) text += (i > 0 ? ", " : "") + cell(names[i]);
  return names.size() > most ? fmt::format("{}, and {} more", text, names.size() - most) : text;
}

std::string validation_numbers(const data::Metrics& metrics) {
  return fmt::format(
      "<div><b>{:.2f} %</b>top-1 on {} validation files</div>{}<div><b>{:.3f}</b>calibration error</div>",
      100 * metrics.top1, metrics.samples,
      data::shows_top5(metrics.per_class.size()) ? fmt::format("<div><b>{:.2f} %</b>top-5</div>", 100 * metrics.top5)
                                                 : "",
      metrics.calibration_error);
}

constexpr const char* kNotValidated =
    "Nobody knows: no files were held out for validation. `byteformer eval --model . --data DATA` judges it by files "
    "that had no part in training.\n";

/// What the validation files say of a model.
std::string validation_text(const RunSummary& s, const data::Metrics& metrics) {
  const format::ModelConfig& config = s.plan.config;
  const bool has_top5 = data::shows_top5(config.labels.size());
  std::string text = fmt::format(
      "On {} validation files{}, which chose the weights that were kept (step {}) and the temperature ({:.3f}):\n\n"
      "| top-1 | {}loss | calibration error |\n|---|---|---|{}\n| {:.2f} % | {}{:.4f} | {:.4f} |\n\n"
      "Files that had no part in training or choosing are a better judge: `byteformer eval --model . --data DATA`.\n\n",
      metrics.samples,
      s.plan.schedule.total_steps > 0 && s.data.has_own_validation ? ""
                                                                   : fmt::format(" held out by {}", s.data.split_by),
      s.best_step, s.temperature, has_top5 ? "top-5 | " : "", has_top5 ? "---|" : "", 100 * metrics.top1,
      has_top5 ? fmt::format("{:.2f} % | ", 100 * metrics.top5) : "", metrics.loss, metrics.calibration_error);
  if (data::only_guesses(metrics)) text += "**Do not use it**: " + guessing_text(s.plan) + ".\n\n";
  text += "| class | files | recall | precision |\n|---|---|---|---|\n";
  for (std::size_t c = 0; c < metrics.per_class.size() && c < 100; ++c)
    text += fmt::format("| {} | {} | {} | {} |\n", cell(config.labels[c]), metrics.per_class[c].samples,
                        percent(metrics.per_class[c].recall), percent(metrics.per_class[c].precision));
  return text;
}

}  // namespace

std::string guessing_text(const TrainingPlan& plan) {
  const auto& [image, sound, transforms] = plan.preprocess;
  std::vector<std::string> ideas;
  if ((image &&
       (image->encoding.format == prepare::FileFormat::kJpeg || image->encoding.format == prepare::FileFormat::kPng)) ||
      (sound && sound->encoding.format == prepare::FileFormat::kMp3))
    ideas.push_back(option_name(&Request::encode) + " left out: compressed bytes take far longer to learn");
  if (plan.initialisation != "filter-bank" && plan.init_from.empty() && !numbers_of(plan.config).empty())
    ideas.push_back(option_name(&Request::initialisation) + " filter-bank");
  if (plan.schedule.max_lr > kUsualRate)
    ideas.push_back(fmt::format("{} {}", option_name(&Request::learning_rate), kUsualRate));
  if (plan.batch_size > 32) ideas.push_back(option_name(&Request::batch_size) + " 32, for more steps in the same time");
  ideas.push_back(plan.asked.steps    ? "more " + option_name(&Request::steps)
                  : plan.asked.epochs ? "more " + option_name(&Request::epochs)
                                      : "a longer " + option_name(&Request::time_s));
  ideas.emplace_back("a look at the labels");
  return fmt::format(
      "on the validation files the model is no better than guessing by the frequency of the classes; what may help: {}",
      fmt::join(ideas, "; "));
}

std::string model_card(const RunSummary& s) {
  const data::Metrics metrics = data::measure(s.validation, s.temperature);
  const format::ModelConfig& config = s.plan.config;
  std::string card = fmt::format(
      "# {} classes from bytes\n\n"
      "A ByteFormer that classifies files by their bytes, without decoding them. Made by `byteformer train`.\n\n"
      "| | |\n|---|---|\n"
      "| classes | {} |\n| reads | {} |\n"
      "| model | {} layers, hidden size {}, kernel {}, windows of {} tokens, masking {} |\n"
      "| trained on | {} files, {:.1f} epochs of batches of {}, {} |\n\n",
      config.num_labels, list(config.labels, 50), prepare::describe(s.plan.preprocess), config.num_hidden_layers,
      config.hidden_size, config.conv_kernel_size, config.window_sizes.front(), format::to_string(config.masking),
      s.data.train.size(), s.plan.epochs(), s.plan.batch_size, base::duration_text(s.seconds));
  card += "## How good it is\n\n" + (metrics.samples > 0 ? validation_text(s, metrics) : kNotValidated);
  card += fmt::format("\n## How it was made\n\n```sh\n{}\n```\n\n", s.plan.command);
  for (const std::string& reason : s.plan.reasons) card += "- " + reason + "\n";
  if (!s.failures.empty()) card += fmt::format("- {} files could not be used\n", s.failures.size());
  card +=
      "\n## Limits\n\nIt knows the classes above and answers with one of them whatever it is given; `--threshold` says "
      "`unknown` below a score. It has seen files like those it was trained on: other cameras, microphones or formats "
      "need an evaluation of their own.\n";
  return base::as_utf8(card);
}

std::string html_report(const RunSummary& s) {
  const data::Metrics metrics = data::measure(s.validation, s.temperature);
  std::string html = fmt::format(
      "<h1>Training report</h1><div class=numbers>{}<div><b>{}</b>of training, {:.1f} epochs</div></div>",
      metrics.samples > 0 ? validation_numbers(metrics) : "<div><b>no</b>validation files</div>",
      base::duration_text(s.seconds),
      s.history.empty()
          ? 0
          : static_cast<double>(s.history.back().step) / static_cast<double>(s.plan.schedule.steps_per_epoch));
  if (data::only_guesses(metrics)) html += "<p><b>" + escaped(guessing_text(s.plan)) + "</b></p>";
  html += "<h2>Curves</h2>" + charts(s);
  html += "<h2>Confusion</h2>" + matrix(s, metrics);
  html += "<h2>Hardest files</h2>" + hardest(s);
  html += "<h2>Data</h2>" + class_table(s, metrics) + items(s.data.remarks);
  if (!s.failures.empty()) html += "<h2>Files that could not be used</h2>" + items(s.failures);
  html += "<h2>Plan</h2><pre>" + escaped(s.plan.command) + "</pre>" + items(s.plan.reasons);
  return chart::html_page("byteformer training report", html, kStyle);
}

}  // namespace byteformer::plan
