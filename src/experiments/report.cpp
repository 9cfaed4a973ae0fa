// Implementation of report.hpp: the page around its tables.
#include "experiments/report.hpp"

#include <fmt/format.h>

#include <set>
#include <string>
#include <system_error>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "experiments/outcome.hpp"
#include "experiments/report_parts.hpp"
#include "format/text.hpp"

namespace byteformer::experiments {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIntroduction = R"(# Results

<!-- Written by `byteformer experiments report` from the logs in {0}/runs and the notes in {0}/notes: change those. -->

The experiments of *Bytes Are All You Need* ([arXiv 2306.00238](https://arxiv.org/abs/2306.00238)), asked again at a small
scale: data that a script unpacks, a small model, minutes of training on two cores. So heights do not compare with the
paper's: its models have more layers, see ImageNet or Speech Commands, and train for 300 epochs. What can be compared
are differences within a column.

Each number is the share of test files whose best class is right, in percent: the mean over the seeds, ± the sample standard
deviation where there are two seeds or more. The test files had no part in training. *Paper* is what the paper or its
released weights are known to reach, where that is confirmed; elsewhere the column is empty. Every number comes
from the logs in [{0}/runs]({0}/runs): command, settings' fingerprint, seed, machine, curve.

)";

constexpr const char* kHowTo = R"(## How to repeat this

```sh
scripts/unpack_data.sh FOLDER_OF_ARCHIVES         # says which archives, and where they come from
byteformer experiments run all                    # --resume goes on after Ctrl-C or a crash
byteformer experiments run image_tiff --seeds 1   # or one experiment
byteformer experiments show image_tiff            # its question and its command
```

Budgets are numbers of steps, never of seconds, and results do not depend on the number of threads. Times of training are
as the machine was, which may have done other work as well.
)";

/// "69 runs, 3:52 h of training, on ..., by byteformer 0.5.0"
std::string summary(const LogsByName& logs) {
  std::set<std::string> machines, versions;
  std::size_t num_runs = 0;
  double seconds = 0;
  for (const auto& [name, of_recipe] : logs)
    for (const RunLog& log : of_recipe.logs) {
      ++num_runs;
      machines.insert(log.machine);
      versions.insert(log.version);
      seconds += log.training ? log.training->seconds : 0;
    }
  if (num_runs == 0) return "Nothing has been run yet.\n\n";
  return fmt::format("{} runs so far, {} of training, on {}; byteformer {}.\n\n", num_runs,
                     format::duration_text(seconds), fmt::join(machines, " and on "), fmt::join(versions, ", "));
}

std::string page(const RecipeBook& book, const LogsByName& small, const LogsByName& paper, const Places& places) {
  const std::string folder = places.results.filename().string();
  std::string text = fmt::format(kIntroduction, folder) + summary(small);
  for (const Table& table : book.tables) {
    text += fmt::format("## {}\n\n{}\n\n", table.title, table.text);
    text += results_table(book, table, small) + plot_links(book, table, small, folder);
    if (has_runs(book, table, paper)) text += "At the paper's scale:\n\n" + results_table(book, table, paper);
    text += note(table, small, places) + commands(book, table);
  }
  return text + kHowTo;
}

}  // namespace

fs::path page_path(const Places& places) {
  fs::path path = places.results;
  return path += ".md";
}

void write_report(const RecipeBook& book, const Places& places) {
  const LogsByName small = read_logs(book, Scale::kSmall, places);
  const LogsByName paper = read_logs(book, Scale::kPaper, places);
  std::error_code error;
  fs::create_directories(places.results, error);
  if (error) format::fail(ErrorCode::kIo, base::printable(places.results), ": cannot be created: ", error.message());
  for (const Table& table : book.tables)
    if (has_runs(book, table, small)) write_plots(book, table, small, places);
  base::write_file_atomically(page_path(places), page(book, small, paper, places));
}

}  // namespace byteformer::experiments
