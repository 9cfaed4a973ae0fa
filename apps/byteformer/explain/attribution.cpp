// Removals by the engine, gradients by the trainer, and the check by deletion.
#include "explain/attribution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/random.hpp"
#include "byteformer/error.hpp"
#include "output/numbers.hpp"
#include "system/external_program.hpp"

namespace byteformer::cli {

namespace {

std::string number(std::uint64_t n) { return grouped(static_cast<std::int64_t>(n)); }
std::string bytes(std::uint64_t n) { return counted(static_cast<std::int64_t>(n), "byte"); }

}  // namespace

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
                     counted(static_cast<std::int64_t>(occlusion.windows.size()), "window"), bytes(occlusion.span),
                     number(occlusion.step),
                     report.fill ? fmt::format("replaced by the value {}", *report.fill) : std::string("removed"),
                     100 * static_cast<double>(occlusion.num_rows) / static_cast<double>(whole_runs));
}

GradientAnswer integrated_gradients(const std::filesystem::path& model_dir, std::span<const std::uint8_t> file,
                                    const GradientRequest& request) {
  const std::filesystem::path trainer =
      find_trainer("integrated gradients need", "; or use --method occlusion, which needs nothing else");
  const std::string answer = run_filter(trainer, {kIntegratedGradients, to_json(request), model_dir.native()}, file);
  GradientAnswer gradients = parse_gradient_answer(answer);
  if (gradients.heat.size() != file.size())
    throw Error(ErrorCode::kInternal, "byteformer-train answered for another number of bytes than it was given");
  return gradients;
}

namespace {

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

}  // namespace

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

}  // namespace byteformer::cli
