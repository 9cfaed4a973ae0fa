// Recipes of experiments, the settings and tables that they share, and the logs of their runs.
#include "experiments/recipe_book.hpp"
#include "experiments/run.hpp"
#include "fuzzing.hpp"

using namespace byteformer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::as_text(data, size);
  const std::vector<experiments::Table> tables = {{"order", "Byte order", "What if?", ""}};
  experiments::SharedSettingsByName settings;
  settings["mnist"].data = experiments::find_data_source("mnist");
  fuzz::survive([&] { experiments::parse_recipe(text, "recipe.yaml", "order_stride", settings, tables); });
  fuzz::survive([&] { experiments::parse_settings(text, "settings.yaml"); });
  fuzz::survive([&] { experiments::parse_tables(text, "tables.yaml"); });
  return fuzz::survive([&] {
    const experiments::RunLog log = experiments::parse_run_log(text, "seed-0.json");
    fuzz::require(experiments::to_json(experiments::parse_run_log(experiments::to_json(log), "again")) ==
                  experiments::to_json(log));
  });
}
