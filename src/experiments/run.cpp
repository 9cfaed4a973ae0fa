// From recipes, scales and seeds to runs, their settings and their places.
#include "experiments/run.hpp"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>

#include "base/sha256.hpp"
#include "base/text.hpp"
#include "format/json.hpp"

namespace byteformer::experiments {
namespace {

void add(const RecipeBook& book, const Run& run, std::vector<Run>& runs) {
  if (std::ranges::find(runs, run) != runs.end()) return;
  if (!run.at_scale().rekeys.empty()) add(book, rekeyed_run(book, run), runs);
  runs.push_back(run);
}

}  // namespace

std::vector<Run> schedule(const RecipeBook& book, const std::vector<const Recipe*>& recipes, Scale scale,
                          std::optional<std::int64_t> num_seeds, std::optional<std::int64_t> steps) {
  std::vector<Run> runs;
  bool has_more = true;
  for (std::size_t i = 0; has_more && (!num_seeds || static_cast<std::int64_t>(i) < *num_seeds); ++i) {
    has_more = false;
    for (const Recipe* recipe : recipes) {
      const std::vector<std::int64_t>& seeds = recipe->at(scale).seeds;
      if (i >= seeds.size()) continue;
      add(book, {recipe, scale, seeds[i], steps}, runs);
      has_more = true;
    }
  }
  return runs;
}

Run rekeyed_run(const RecipeBook& book, const Run& run) {
  return {&book.at(run.at_scale().rekeys), run.scale, run.seed, run.steps};
}

std::string to_string(const Run& run) { return base::joined(run.recipe->name, ", seed ", run.seed); }

plan::Request training_request(const Run& run, const Places& places) {
  plan::Request request = run.at_scale().train;
  request.data = (places.data / run.at_scale().data->folder).string();
  request.output = model_dir(run, places).string();
  request.seed = run.seed;
  if (!request.initialisation) request.initialisation = "released";  // as in the paper
  if (run.steps) {
    request.steps = run.steps;
    request.epochs.reset();
  }
  return request;
}

std::string training_command(const RecipeBook& book, const Run& run, const Places& places) {
  if (run.at_scale().rekeys.empty()) return plan::command_line(training_request(run, places));
  return base::joined("byteformer obfuscate rekey ", model_dir(rekeyed_run(book, run), places).string(),
                      " --key paper.key -o ", model_dir(run, places).string());
}

std::string settings_json(const RecipeBook& book, const Run& run) {
  plan::Request request = training_request(run, {});
  request.data = run.at_scale().data->name;
  request.output.reset();
  if (request.initialisation == "released") request.initialisation.reset();  // logs that stand do not name it
  auto json = format::from_text<format::OrderedJson>(plan::to_json(request));
  for (const DataSource* test : run.at_scale().tests) json["tests"].push_back(std::string(test->name));
  if (!run.at_scale().rekeys.empty())
    json["rekeys"] = format::from_text<format::OrderedJson>(settings_json(book, rekeyed_run(book, run)));
  return format::to_text(json);
}

std::string fingerprint(const RecipeBook& book, const Run& run) {
  constexpr std::size_t kDigits = 16;
  const std::string settings = settings_json(book, run);
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(settings.data());
  return base::hex(base::sha256(std::span(bytes, settings.size()))).substr(0, kDigits);
}

std::filesystem::path model_dir(const Run& run, const Places& places) {
  return places.models / to_string(run.scale) / run.recipe->name / base::joined("seed-", run.seed);
}

std::filesystem::path log_path(const Run& run, const Places& places) {
  const char* prefix = run.scale == Scale::kPaper ? "paper-seed-" : "seed-";
  return places.results / "runs" / run.recipe->name / base::joined(prefix, run.seed, ".json");
}

}  // namespace byteformer::experiments
