// `byteformer train`: a folder of labelled files becomes a model. The work is done by byteformer-train, a program
// apart.
#include <memory>
#include <string>
#include <variant>

#include "base/processors.hpp"
#include "base/text.hpp"
#include "commands/commands.hpp"
#include "format/model_folder.hpp"
#include "plan/planner.hpp"
#include "plan/published_plan.hpp"
#include "system/external_program.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kDetails =
    R"(DATA is a folder with a folder of files for each class, one with train/, val/ and test/ of such folders, a
manifest (CSV or JSON lines of path and label), or Speech Commands. Without further options the data are
looked at, and encoding, kernel, model size, batch, augmentation and length of the training are chosen and
explained; where a model that ships knows such files, training starts from its weights. MODEL becomes a model
folder; what a resume needs is kept in MODEL/training.

Examples:
  byteformer train --data photos/ -o models/mine
  byteformer train --data photos/ -o models/mine --dry-run   # only the plan
  byteformer train --data sounds/ -o models/mine --time 2h
  byteformer train --data logs/ -o models/mine --encode as-is --kernel 8
  byteformer train --resume models/mine                      # after Ctrl-C, or a crash
  byteformer train --data imagenet/ -o models/tiff --recipe published --device cuda
  byteformer train -d data -o mine --transforms '[{"type":"shuffle","mode":"reverse"}]'
  byteformer train --config run.yaml --dry-run               # a published configuration
  byteformer train --config run.yaml --data imagenet/ -o models/mine
  byteformer train --data photos/ -o models/mine --ranks 4   # processes
  srun -n 4 byteformer train -d photos/ -o models/mine --auto-resume

CONFIG is a configuration in the published form (CoreNet's YAML). The command line wins over it;
the plan says where, and names keys that have no effect. Its dry run needs no data, and none needs the trainer.

With --json standard output has an object per line, each with "event" (step, at most one per second; validation; end),
"step", "total_steps" and "epoch"; "loss", "top1" and others where they fit.

Started by torchrun, mpirun or srun, or with --ranks, processes train together: the batch is that of all, gradients are
added up, and the first one plans, writes and speaks. All need the same options and data.

A resumed run goes on bit for bit, with the threads and ranks that it was asked for. Exit status: 0 trained, 2 the
command line makes no sense, 3 failed, 130 interrupted (Ctrl-C, SIGTERM, SIGUSR1) and saved. Before its plan is made
there is nothing to save: a signal ends it.)";

/// What the trainer shows in a dry run, where there is no trainer: a plan for the CPU.
int show_plan(const plan::Request& request, Console& console) {
  if (request.output) plan::require_absent(*request.output);
  const int num_threads = base::or_processors(static_cast<int>(request.threads.value_or(0)));
  const auto say = [&](const std::string& line) { console.err << base::printable(line, "\n") << "\n"; };
  data::DataSet data;
  const plan::TrainingPlan plan =
      request.config ? plan::plan_published(request, {false, num_threads, {}}).plan
                     : plan::plan_for_data(request, {false, num_threads, format::shipped_models()}, say, {}, data);
  for (const std::string& reason : plan.reasons) say("  " + reason);
  say("note: byteformer-train is not installed here; this is a plan for the CPU");
  console.err.flush();
  if (request.json) console.out << plan::to_json(plan);
  return kExitOk;
}

int train(const plan::Request& request, Console& console) {
  using plan::Request;
  const auto option = [](plan::Member member) { return plan::option_name(member); };
  if (!request.data && !request.resume && !request.config)
    throw UsageError(option(&Request::data) + " is required (or " + option(&Request::config) + ", or " +
                     option(&Request::resume) + ")");
  if (!request.output && !request.resume && !request.dry_run)
    throw UsageError("-o is required: the model folder to create");
  if (request.output && request.resume)
    throw UsageError(option(&Request::resume) + " goes on in its own folder; leave -o out");
  if (request.dry_run && !request.resume && !find_program("byteformer-train")) return show_plan(request, console);
  become(find_trainer("train needs"), {plan::to_json(request)});
}

}  // namespace

Action add_train(CommandLine& line) {
  auto request = std::make_shared<plan::Request>();
  for (const plan::Setting& setting : plan::settings()) {
    const Target target = std::visit([&](auto member) { return Target(&((*request).*member)); }, setting.member);
    Option& option = add_setting(line, setting, target);
    for (const plan::Member other : setting.excluded) option.excluded.push_back(plan::option_name(other));
  }
  line.details = kDetails;
  return [request](Console& console) { return train(*request, console); };
}

}  // namespace byteformer::cli
