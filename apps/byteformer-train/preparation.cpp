// Plans a new run or finds an old one, says what there is to say of that, and compares what ranks have.
#include "preparation.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "byteformer/version.hpp"
#include "format/json.hpp"
#include "format/model_folder.hpp"
#include "kernels/kernels.hpp"
#include "plan/planner.hpp"
#include "plan/published_plan.hpp"
#include "train/run_folder.hpp"
#include "train/trainer.hpp"

namespace byteformer::train_app {
namespace {

/// What a resumed run must not change, compared with what it was started with.
void check_resume(const plan::Request& request, const plan::TrainingPlan& plan, const data::DataSet& data) {
  plan::require_same_result(request, plan);
  if (data::fingerprint(data, plan.data) != plan.data_fingerprint)
    throw Error(ErrorCode::kInvalidArgument, plan.data,
                "the files are not those that the run started with (names, sizes or labels differ); restore them, or "
                "start a new run with " +
                    plan::option_name(&plan::Request::init_from));
}

Prepared prepare_resume(const plan::Request& request) {
  Prepared prepared;
  prepared.output = *request.resume;
  prepared.is_new = false;
  prepared.plan = train::RunFolder(prepared.output).read_plan();
  // It may have moved; the fingerprint says whether it is the same.
  prepared.plan.data = request.data ? *request.data : plan::data_place(prepared.plan, prepared.output).native();
  prepared.data = data::find_data_set(prepared.plan.data, plan::split_options(prepared.plan));
  check_resume(request, prepared.plan, prepared.data);
  if (!base::exists(train::RunFolder(prepared.output).training_dir() / "checkpoint.safetensors"))
    say("note: there is no checkpoint in " + base::printable(prepared.output) + "/training: the run begins anew");
  for (const std::string& change : plan::take_changes(request, prepared.plan)) say("note: " + change);
  return prepared;
}

void plan_as_published(const plan::Request& request, const train::Runtime& runtime, Prepared& prepared) {
  plan::PublishedTraining training = plan::plan_published(request, {train::has_cuda(), runtime.num_threads, {}});
  prepared.plan = std::move(training.plan);
  if (!training.data) return;
  prepared.data = std::move(*training.data);
  for (const std::string& line : plan::data_lines(prepared.data)) say(line);
}

void plan_for_data(const plan::Request& request, const train::Runtime& runtime, Prepared& prepared) {
  const auto time_step = [&](const plan::TrainingPlan& plan, const data::DataSet& data) {
    return train::measure_step_seconds(plan, data, runtime);
  };
  const plan::Machine machine{train::has_cuda(), runtime.num_threads, format::shipped_models()};
  prepared.plan = plan::plan_for_data(request, machine, say, time_step, prepared.data);
}

/// What --auto-resume makes of a request that finds a run in its output.
plan::Request going_on(plan::Request request) {
  request.resume = std::exchange(request.output, std::nullopt);
  return request;
}

Prepared prepare_new(const plan::Request& request, const train::Runtime& runtime) {
  Prepared prepared;
  prepared.output = request.output.value_or("");
  if (request.output) {
    const train::RunFolder folder(prepared.output);
    if (request.auto_resume && folder.holds_run()) return prepare_resume(going_on(request));
    folder.require_absent();  // before work is done that would be lost
  }
  (request.config ? plan_as_published : plan_for_data)(request, runtime, prepared);
  if (request.output) plan::remember_places(prepared.plan, prepared.output);
  for (const std::string& reason : prepared.plan.reasons) say("  " + reason);
  return prepared;
}

/// What must be the same on all ranks, and what it is here.
std::string properties_of(const plan::Request& request, const train::Ranks& ranks) {
  const format::OrderedJson properties{{"version", version()},
                                       {"kernels", kernels::default_kernels().name},
                                       {"devices", train::devices_of(ranks.world())},
                                       {"request", plan::to_json(request)}};
  return format::to_text(properties);
}

/// \throws Error kInvalidArgument naming both sides and what each has
[[noreturn]] void refuse(const train::Ranks& ranks, int rank, const std::string& own, const std::string& other) {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("ranks must not differ: {} has {}, {} has {}", ranks.name(0), own, ranks.name(rank), other));
}

/// On the first rank: compares the fingerprints of the files that all found.
void require_same_data(const Prepared& prepared, train::Ranks& ranks) {
  const format::Json own{prepared.plan.data_fingerprint, prepared.plan.data,
                         prepared.data.train.size() + prepared.data.validation.size()};
  const std::vector<std::string> texts = ranks.to_first(format::to_text(own));
  for (std::size_t rank = 1; rank < texts.size(); ++rank) {
    const format::Json other = format::from_text(texts[rank]);
    const auto side = [](const format::Json& json) {
      return fmt::format("{} files in {} (fingerprint {})", json.at(2).get<std::size_t>(),
                         base::printable(json.at(1).get<std::string>()), json.at(0).get<std::string>());
    };
    if (other.at(0) != own.at(0)) refuse(ranks, static_cast<int>(rank), side(own), side(other));
  }
}

}  // namespace

void say(const std::string& line) { std::fprintf(stderr, "%s\n", base::printable(line, "\n").c_str()); }

void require_alike(const plan::Request& request, train::Ranks& ranks) {
  const std::vector<std::string> texts = ranks.to_first(properties_of(request, ranks));
  for (std::size_t rank = 1; rank < texts.size(); ++rank) {
    const format::Json own = format::from_text(texts.front()), other = format::from_text(texts[rank]);
    const auto number = static_cast<int>(rank);
    for (const auto& [key, what] :
         {std::pair("version", "version"), std::pair("kernels", "BYTEFORMER_KERNELS"), std::pair("devices", "devices")})
      if (own.at(key) != other.at(key))
        refuse(ranks, number, fmt::format("{} {}", what, own.at(key).get<std::string>()),
               fmt::format("{} {}", what, other.at(key).get<std::string>()));
    const auto differences = plan::differences(request, plan::parse_request(other.at("request").get<std::string>()));
    if (!differences.empty()) refuse(ranks, number, differences.front().first, differences.front().second);
  }
}

Prepared prepare(const plan::Request& request, const train::Runtime& runtime) {
  train::Ranks& ranks = *runtime.ranks;
  Prepared prepared;
  if (ranks.is_first()) {
    prepared = request.resume ? prepare_resume(request) : prepare_new(request, runtime);
    if (!ranks.are_many()) return prepared;
    ranks.from_first(plan::to_json(prepared.plan));
  } else {
    prepared.plan = plan::parse_plan(ranks.from_first(""), ranks.name(0));
    prepared.plan.data = request.data.value_or(prepared.plan.data);
    prepared.data = data::find_data_set(prepared.plan.data, plan::split_options(prepared.plan));
    prepared.plan.data_fingerprint = data::fingerprint(prepared.data, prepared.plan.data);
  }
  require_same_data(prepared, ranks);
  return prepared;
}

}  // namespace byteformer::train_app
