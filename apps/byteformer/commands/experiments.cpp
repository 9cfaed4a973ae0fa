// `byteformer experiments list` and `show`: which experiments there are, and what one of them is.
#include <algorithm>
#include <memory>

#include "cli.hpp"
#include "commands/commands.hpp"
#include "exit_status.hpp"
#include "experiments/experiment_options.hpp"
#include "experiments/overview.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kListDetails =
    R"(One line an experiment, table by table: how many runs (seeds) of the wanted scale are done, the mean accuracy of their
test files, and what the paper reports, as far as that is confirmed.

Examples:
  byteformer experiments list
  byteformer experiments list --json | jq '.[] | select(.done < .seeds) | .name'

JSON:
  [{"name","title","table","data","seeds","done","top1","paper","source"}]

"seeds" and "done" are numbers of runs; "top1" and "paper" are in percent, null where there is none.)";

constexpr const char* kShowDetails =
    R"(The question, the data, the settings, the command that trains the first seed, and what the paper says.

Examples:
  byteformer experiments show camera_0.1_k4
  byteformer experiments show camera_0.1_k4 --scale paper

JSON:
  {"name","title","table","question","scale","data","tests":[data],"seeds":[numbers],
   "rekeys","command","fingerprint","paper","source","remark"}

"paper" is the accuracy in percent that "source" reports, null where none is confirmed.)";

struct Arguments {
  ExperimentsOptions options;
  std::optional<std::string> name;
  bool json = false;
};

int list(const Arguments& arguments, Console& console) {
  const experiments::RecipeBook book = arguments.options.read_recipes();
  const auto rows = overview(book, arguments.options.wanted_scale(), arguments.options.places());
  console.out << (arguments.json ? overview_json(rows) : overview_text(rows, book));
  return kExitOk;
}

int show(const Arguments& arguments, Console& console) {
  const experiments::RecipeBook book = arguments.options.read_recipes();
  const experiments::Recipe& recipe = book.at(arguments.name.value());
  const experiments::Scale scale = arguments.options.wanted_scale();
  const experiments::Places places = arguments.options.places();
  console.out << (arguments.json ? description_json(book, recipe, scale, places)
                                 : description_text(book, recipe, scale, places));
  return kExitOk;
}

}  // namespace

Action add_experiments_list(CommandLine& line) {
  auto arguments = std::make_shared<Arguments>();
  add_scale_option(line, arguments->options);
  add_recipes_option(line, arguments->options);
  add_results_option(line, arguments->options);
  add_flag(line, "--json", arguments->json, "Write JSON");
  set_details(line, kListDetails);
  return [arguments](Console& console) { return list(*arguments, console); };
}

Action add_experiments_show(CommandLine& line) {
  auto arguments = std::make_shared<Arguments>();
  add_text(line, "NAME", arguments->name, "NAME", "Experiment").required();
  add_scale_option(line, arguments->options);
  add_recipes_option(line, arguments->options);
  add_data_option(line, arguments->options);
  add_output_option(line, arguments->options);
  add_flag(line, "--json", arguments->json, "Write JSON");
  set_details(line, kShowDetails);
  return [arguments](Console& console) { return show(*arguments, console); };
}

}  // namespace byteformer::cli
