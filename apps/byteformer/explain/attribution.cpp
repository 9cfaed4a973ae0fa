// Heat from the falls of windows, and names of quantities and methods.
#include "explain/attribution.hpp"

#include <fmt/format.h>

#include "output/numbers.hpp"

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

}  // namespace byteformer::cli
