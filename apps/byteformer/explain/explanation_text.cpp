// An explanation for a terminal: colours where it has them, marks where it has not.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/file_io.hpp"
#include "explain/explanation.hpp"
#include "output/text.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::cli {
namespace {

constexpr std::size_t kStripMargin = 11;  // columns before the strip
constexpr std::size_t kMostStripColumns = 128;

/// Backgrounds of the 256-colour palette for half of the levels, weakest first, under white text.
constexpr std::array<int, 4> kForPalette{52, 88, 124, 196};
constexpr std::array<int, 4> kAgainstPalette{17, 18, 20, 27};

std::string coloured(int code, const std::string& text) {
  return fmt::format("\x1b[48;5;{};38;5;231m{}\x1b[0m", code, text);
}

class TextWriter {
 public:
  TextWriter(const ExplanationReport& report, const Console& console)
      : report_(report), console_(console), heat_(report.heat()), scale_(heat_) {}

  std::string text(std::size_t max_rows) const {
    std::string text = answer() + deletions() + "\n" + method_text(report_) + "\n\n" + strip();
    if (max_rows > 0) text += "\n" + dump(max_rows);
    return text;
  }

 private:
  std::string answer() const {
    const ExplainedFile& file = report_.file;
    const bool is_changed = file.was_prepared || !file.preprocess.transforms.empty();
    return fmt::format("{}: {} {}{}, {} bytes\n\n", base::printable(file.path), base::printable(report_.label()),
                       percent(report_.check.score),
                       is_changed ? ", prepared as " + prepare::describe(file.preprocess) : std::string(),
                       grouped(file.read.size()));
  }

  std::string deletions() const {
    const DeletionCheck& check = report_.check;
    Table table(
        {{"", Table::Align::kLeft}, {"score of " + base::printable(report_.label())}, {"answer", Table::Align::kLeft}});
    table.add_row({"the whole file", percent(check.score), answer_text(check.whole)});
    table.add_row({fmt::format("without its hottest tenth, {}", counted(check.num_bytes, "byte")),
                   percent(check.score_without_hottest), answer_text(check.without_hottest)});
    table.add_row({fmt::format("without a random tenth, in runs of {}", grouped(check.run_bytes)),
                   percent(check.score_without_runs)});
    table.add_row({"without a random tenth, single bytes", percent(check.score_without_bytes)});
    return table.text();
  }

  std::string answer_text(const Output& output) const {
    const Prediction best = report_.classifier.top_k(output, 1).front();
    return fmt::format("{} {}", base::printable(best.label), percent(static_cast<double>(best.score)));
  }

  std::string strip() const {
    const std::size_t columns =
        std::clamp<std::size_t>(static_cast<std::size_t>(console_.columns), kStripMargin + 16, kMostStripColumns) -
        kStripMargin - 1;
    const std::vector<Peaks> peaks = peaks_of(heat_, columns, scale_);
    std::string above = "for        ", below = "against    ";
    for (const Peaks& peak : peaks) {
      above += cell(peak.speaks_for, "31");
      below += cell(peak.speaks_against, "34");
    }
    const std::string last = grouped(heat_.size() - 1);
    const std::size_t gap = peaks.size() > last.size() + 1 ? peaks.size() - last.size() - 1 : 1;
    return above + "\n" + below + "\n" + std::string(kStripMargin, ' ') + "0" + std::string(gap, ' ') + last + "\n";
  }

  std::string cell(double share, const char* colour) const {
    static constexpr std::array kBlocks{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static constexpr std::array kMarks{" ", ".", ":", "-", "=", "+", "*", "#", "@"};
    const auto height = static_cast<std::size_t>(std::lround(share * 8));
    const std::string mark = console_.has_unicode ? kBlocks[height] : kMarks[height];
    return console_.has_colour && height > 0 ? fmt::format("\x1b[{}m{}\x1b[0m", colour, mark) : mark;
  }

  std::string dump(std::size_t max_rows) const {
    const auto same = [](const std::string& text) { return text; };
    const auto byte = [&](std::size_t i) { return styled(fmt::format("{:02x}", report_.file.encoded[i]), heat_[i]); };
    return hex_dump(report_.file.encoded, hottest_rows(heat_, max_rows), {"  ...\n", same, byte, same}) + legend();
  }

  /// A byte and the space or mark after it.
  std::string styled(const std::string& digits, float heat) const {
    const int level = scale_.level(heat), strength = (std::abs(level) + 1) / 2;  // 0 to 4
    if (std::isnan(heat)) return ".. ";
    if (strength == 0) return digits + " ";
    if (console_.has_colour)
      return coloured((level > 0 ? kForPalette : kAgainstPalette)[static_cast<std::size_t>(strength) - 1], digits) +
             " ";
    static constexpr std::string_view kForMarks = "'+*#", kAgainstMarks = ",-~=";
    return digits + (level > 0 ? kForMarks : kAgainstMarks)[static_cast<std::size_t>(strength) - 1];
  }

  std::string legend() const {
    const std::string unread =
        std::ranges::any_of(heat_, [](float h) { return std::isnan(h); }) ? "; .. is not read by the model" : "";
    const std::string scale =
        fmt::format("the strongest is {:.3g} of {}", scale_.greatest(), name_of(report_.attribution.quantity));
    if (!console_.has_colour)
      return fmt::format("\n' + * # after a byte that speaks for {}, , - ~ = against it{}; {}\n",
                         base::printable(report_.label()), unread, scale);
    std::string text = "\n";
    for (std::size_t i = 4; i-- > 0;) text += coloured(kAgainstPalette[i], " ");
    text += " against ";
    for (const int code : kForPalette) text += coloured(code, " ");
    return text + " for " + base::printable(report_.label()) + unread + "; " + scale + "\n";
  }

  const ExplanationReport& report_;
  const Console& console_;
  std::vector<float> heat_;
  HeatScale scale_;
};

}  // namespace

std::string explanation_text(const ExplanationReport& report, std::size_t max_rows, const Console& console) {
  return TextWriter(report, console).text(max_rows);
}

}  // namespace byteformer::cli
