// The file as it is read, gradients by the trainer, the check by deletion, and all of it as JSON.
#include "explain/explanation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/file_io.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "output/json.hpp"
#include "output/text.hpp"
#include "system/input_stream.hpp"

namespace byteformer::cli {
namespace {

bool moves_bytes(const bytes::Transforms& transforms) {
  return transforms.pieces || transforms.shuffle || transforms.mask;
}

ExplainedFile prepared(const std::string& path, media::FileBytes file, const prepare::Preprocess& preprocess) {
  const std::string source = base::printable(path);
  if (file.empty()) throw Error(ErrorCode::kEmptyFile, source, "is empty: there is nothing to explain");
  prepare::Preprocess form = preprocess;
  form.transforms = {};
  prepare::PreparedFile in_form = prepare::prepare_if_needed(std::move(file), form, source);
  ExplainedFile explained{path, preprocess, in_form.was_prepared, std::move(in_form.bytes), {}, {}};
  explained.read = prepare::transformed(explained.encoded, preprocess, source);
  if (moves_bytes(preprocess.transforms)) explained.origins = bytes::origins(preprocess.transforms, explained.encoded);
  return explained;
}

constexpr std::uint64_t kShare = 10;  // one byte of so many is removed
constexpr std::size_t kDraws = 8;
constexpr std::uint64_t kSeed = 0;

/// The first `count` of `order`, neighbours joined.
Removal joined(std::span<const std::uint64_t> order, std::uint64_t count) {
  std::vector<std::uint64_t> positions(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
  std::ranges::sort(positions);
  Removal removal;
  for (const std::uint64_t position : positions) {
    if (removal.empty() || removal.back().end != position) removal.push_back({position, position});
    ++removal.back().end;
  }
  return removal;
}

std::vector<std::uint64_t> hottest_first(std::span<const float> heat) {
  std::vector<std::uint64_t> order(heat.size());
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  std::ranges::stable_sort(order, [&](std::uint64_t a, std::uint64_t b) { return heat[a] > heat[b]; });
  return order;
}

/// All positions, in runs of `run_bytes` in random order.
std::vector<std::uint64_t> random_runs(std::uint64_t num_bytes, std::uint64_t run_bytes, base::Random& random) {
  std::vector<std::uint64_t> begins;
  for (std::uint64_t begin = 0; begin < num_bytes; begin += run_bytes) begins.push_back(begin);
  random.shuffle(std::span(begins));
  std::vector<std::uint64_t> order;
  for (const std::uint64_t begin : begins)
    for (std::uint64_t i = begin; i < std::min(begin + run_bytes, num_bytes); ++i) order.push_back(i);
  return order;
}

double score_of(const ExplanationReport& report, const Output& output) {
  return static_cast<double>(report.classifier.scores(output)[static_cast<std::size_t>(report.attribution.label)]);
}

void write_windows(JsonWriter& json, const ExplanationReport& report) {
  const Explanation& occlusion = *report.attribution.occlusion;
  json.field("method", "occlusion").field("span", occlusion.span).field("step", occlusion.step).key("fill");
  if (report.fill) {
    json.value(static_cast<int>(*report.fill));
  } else {
    json.value(std::nan(""));  // null
  }
  json.field("rows_computed", occlusion.num_rows);
  json.field("rows_of_whole_runs", report.num_whole_rows * occlusion.windows.size()).key("windows").begin_array();
  for (std::size_t i = 0; i < occlusion.windows.size(); ++i) {
    json.begin_object().field("begin", occlusion.windows[i].begin).field("end", occlusion.windows[i].end);
    json.field("fall", occlusion.falls[i]).field("score", score_of(report, occlusion.without[i].output)).end_object();
  }
  json.end_array();
}

void write_gradients(JsonWriter& json, const Attribution& attribution) {
  double sum = 0;
  for (const float heat : attribution.heat) sum += static_cast<double>(heat);
  json.field("method", "integrated-gradients").field("steps", attribution.gradients->steps);
  json.field("value_without_bytes", attribution.gradients->value_without).field("sum_of_heat", sum);
}

void write_deletion(JsonWriter& json, const ExplanationReport& report) {
  const DeletionCheck& check = report.check;
  json.key("deletion").begin_object().field("bytes", check.num_bytes).field("run", check.run_bytes);
  json.field("score", check.score).field("score_without_hottest", check.score_without_hottest);
  json.field("score_without_random_runs", check.score_without_runs);
  json.field("score_without_random_bytes", check.score_without_bytes);
  const Prediction best = report.classifier.top_k(check.without_hottest, 1).front();
  json.field("answer_without_hottest", best.label).end_object();
}

}  // namespace

std::vector<float> ExplainedFile::in_file_order(std::span<const float> values) const {
  if (origins.empty()) return {values.begin(), values.end()};
  std::vector<float> ordered(encoded.size(), std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < origins.size(); ++i) ordered[origins[i]] = values[i];
  return ordered;
}

ExplainedFile open_explained_file(const std::string& path, const prepare::Preprocess& preprocess, std::istream* input) {
  return prepared(path, path == "-" ? read_all(pieces_of(*input), "-") : read_whole_input(path), preprocess);
}

std::string_view name_of(Quantity quantity) noexcept { return quantity == Quantity::kLogit ? "logit" : "log-odds"; }

std::string method_text(const ExplanationReport& report) {
  if (const auto& gradients = report.attribution.gradients) {
    double sum = 0;
    for (const float heat : report.attribution.heat) sum += static_cast<double>(heat);
    return fmt::format(
        "integrated gradients of the {} in {} steps from no bytes ({:.3f}) to the file ({:.3f}): they add "
        "up to {:.3f} of {:.3f}",
        name_of(report.attribution.quantity), gradients->steps, gradients->value_without, report.attribution.value, sum,
        report.attribution.value - gradients->value_without);
  }
  const Explanation& occlusion = *report.attribution.occlusion;
  const std::uint64_t whole_runs = report.num_whole_rows * occlusion.windows.size();
  return fmt::format("{} of {}, one every {}, {}: {:.0f} % of the rows of whole runs were computed",
                     counted(occlusion.windows.size(), "window"), counted(occlusion.span, "byte"),
                     grouped(occlusion.step),
                     report.fill ? fmt::format("replaced by the value {}", *report.fill) : std::string("removed"),
                     100 * static_cast<double>(occlusion.num_rows) / static_cast<double>(whole_runs));
}

std::optional<DeletionCheck> check_by_deletion(const Occluder& occluder, const Attribution& attribution,
                                               std::uint64_t run_bytes, const RemovalOptions& options) {
  DeletionCheck check;
  check.whole = occluder.output();
  check.num_bytes = std::max<std::uint64_t>(1, check.whole.num_bytes / kShare);
  check.run_bytes = std::min(run_bytes, check.num_bytes);
  base::Random random(kSeed);
  std::vector<Removal> removals{joined(hottest_first(attribution.heat), check.num_bytes)};
  for (const std::uint64_t length : {check.run_bytes, std::uint64_t{1}})
    for (std::size_t draw = 0; draw < kDraws; ++draw)
      removals.push_back(joined(random_runs(check.whole.num_bytes, length, random), check.num_bytes));
  const std::vector<OccludedOutput> outputs = occluder.without(removals, options);
  if (outputs.size() < removals.size()) return std::nullopt;

  const auto score = [&](const Output& output) {
    return static_cast<double>(occluder.classifier().scores(output)[static_cast<std::size_t>(attribution.label)]);
  };
  const auto mean_score = [&](std::size_t first) {
    double sum = 0;
    for (std::size_t draw = 0; draw < kDraws; ++draw) sum += score(outputs[first + draw].output);
    return sum / static_cast<double>(kDraws);
  };
  check.without_hottest = outputs[0].output;
  check.score = score(check.whole);
  check.score_without_hottest = score(check.without_hottest);
  check.score_without_runs = mean_score(1);
  check.score_without_bytes = mean_score(1 + kDraws);
  return check;
}

std::string explanation_json(const ExplanationReport& report) {
  const Attribution& attribution = report.attribution;
  JsonWriter json;
  json.begin_object().field("path", base::escape_bytes(report.file.path)).field("bytes", report.file.read.size());
  json.field("tokens", report.check.whole.num_tokens);
  if (report.file.was_prepared || !report.file.preprocess.transforms.empty()) json.field("prepared", true);
  json.field("label", report.label()).field("index", attribution.label).field("score", report.check.score);
  json.field("of", name_of(attribution.quantity)).field("value", attribution.value);
  if (attribution.occlusion) {
    write_windows(json, report);
  } else {
    write_gradients(json, attribution);
  }
  write_deletion(json, report);
  const std::vector<float> heat = report.heat();
  return json.key("heat").array(heat).end_object().text() + "\n";
}

std::vector<std::size_t> hottest_rows(std::span<const float> heat, std::size_t max_rows) {
  const std::size_t num_rows = (heat.size() + kDumpRowBytes - 1) / kDumpRowBytes;
  std::vector<double> sums(num_rows);
  for (std::size_t i = 0; i < heat.size(); ++i)
    if (std::isfinite(heat[i])) sums[i / kDumpRowBytes] += std::abs(static_cast<double>(heat[i]));
  std::vector<std::size_t> rows(num_rows);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::ranges::stable_sort(rows, [&](std::size_t a, std::size_t b) { return sums[a] > sums[b]; });
  rows.resize(std::min(max_rows, num_rows));
  std::ranges::sort(rows);
  return rows;
}

std::string offset_text(std::size_t offset) { return fmt::format("{:08x}", offset); }

std::string hex_dump(std::span<const std::uint8_t> file, std::span<const std::size_t> rows, const DumpStyle& style) {
  std::string text;
  std::size_t next = 0;  // byte
  for (const std::size_t row : rows) {
    const std::size_t begin = row * kDumpRowBytes;
    if (begin != next) text += style.gap;
    next = begin + kDumpRowBytes;
    std::string letters;
    text += style.offset(offset_text(begin)) + "  ";
    for (std::size_t i = begin; i < next; ++i) {
      text += i < file.size() ? style.byte(i) : "   ";
      if (i < file.size()) letters += file[i] >= 0x20 && file[i] < 0x7F ? static_cast<char>(file[i]) : '.';
    }
    text += " " + style.letters(letters) + "\n";
  }
  return next < file.size() ? text + style.gap : text;
}

}  // namespace byteformer::cli
