// `byteformer train`: a folder of labelled files becomes a model. The work is done by byteformer-train, a program
// apart.
#include <memory>

#include "byteformer/error.hpp"
#include "commands/commands.hpp"
#include "exit_status.hpp"
#include "options.hpp"
#include "plan/published_plan.hpp"
#include "plan/settings.hpp"
#include "system/external_program.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kDetails =
    R"(DATA is a folder with a folder of files for each class, one with train/, val/ and test/ of such folders, a
manifest (CSV or JSON lines of path and label), or Speech Commands. Without further options the data are
looked at, and encoding, kernel, model size, batch, augmentation and length of the training are chosen and
explained. MODEL becomes a model folder; what a resume needs is kept in MODEL/training.

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

CONFIG is a configuration in the published form (CoreNet's YAML). The command line wins over it;
the plan says where, and names keys that have no effect. Its dry run needs neither data nor trainer.

A resumed run goes on bit for bit. Exit status: 0 trained, 2 the options make no sense, 3 failed, 130
interrupted and saved.)";

constexpr std::int64_t kMany = 1'000'000'000;

void add_data_options(CLI::App& app, plan::Request& r) {
  add_text(app, "-d,--data", r.data, "DATA", "Labelled files: a folder or a manifest");
  add_text(app, "-o,--output", r.output, "MODEL", "Model folder to create; must not exist");
  add_text(app, "--resume", r.resume, "MODEL", "Go on with a run that was stopped");
  add_text(app, "--init-from", r.init_from, "MODEL", "Start from the weights of this model (fine-tuning)");
  add_choice(app, "--encode", r.encode, {"tiff", "png", "jpeg", "fhwc", "fchw", "wav", "mp3", "as-is"},
             "Bytes that the model reads (default: by the data)");
  add_number(app, "--quality", r.quality, {1, 100}, "JPEG quality (default: 100)");
  add_choice(app, "--sample-format", r.sample_format, {"float32", "int32", "int16", "uint8"}, "Samples of WAV");
  add_number(app, "--resize", r.resize, {1, 65'536}, "Shorter side of pictures, in pixels");
  add_number(app, "--crop", r.crop, {1, 65'536}, "Square from the middle of pictures, in pixels");
  add_number(app, "--sample-rate", r.sample_rate, {1, 768'000}, "Samples a second");
  add_duration(app, "--duration", r.duration_s, "Length of sounds: cut, or filled with silence");
  add_number(app, "--max-bytes", r.max_bytes, {0, kMany},
             "Cut longer files to a random piece while training; 0: never");
  add_text(app, "--transforms", r.transforms, "JSON",
           "What becomes of the bytes: a list as in a model's \"preprocess\"");
  add_choice(app, "--augment", r.augment, {"auto", "published", "none"}, "Random changes to training files");
  add_choice(app, "--balance", r.balance, {"auto", "on", "off"},
             "Draw classes, and pictures and sounds, equally often");
  add_decimal(app, "--validation-fraction", r.validation_fraction, 0, 0.9,
              "Share held out where there is no validation set");
  add_choice(app, "--split-by", r.split_by, {"auto", "file", "speaker"}, "What is held out together");
}

void add_model_options(CLI::App& app, plan::Request& r) {
  add_choice(app, "--recipe", r.recipe, {"auto", "published"}, "Settings: chosen for the data, or those of the paper");
  add_text(app, "-c,--config", r.config, "CONFIG", "Train as a published configuration (YAML) says")
      .excludes("--recipe")
      .excludes("--resume");
  add_choice(app, "--preset", r.preset, {"nano", "micro", "tiny", "small", "base", "huge"}, "Size of the model");
  add_number(app, "--hidden-size", r.hidden_size, {1, 65'536}, "Channels");
  add_number(app, "--layers", r.layers, {1, 4'096}, "Encoder blocks");
  add_number(app, "--heads", r.heads, {1, 65'536}, "Attention heads");
  add_number(app, "--intermediate-size", r.intermediate_size, {1, 1'000'000}, "Channels inside the feed-forward");
  add_number(app, "--kernel", r.kernel, {0, 65'536}, "Bytes that a token sees; it moves by half of that");
  add_number(app, "--window", r.window, {1, 65'536}, "Tokens of an attention window");
  add_choice(app, "--positions", r.positions, {"learned", "sinusoidal"}, "Position embeddings; sinusoidal: any length");
  add_choice(app, "--masking", r.masking, {"masked", "released"}, "Meaning of padding (default: masked)");
  add_choice(app, "--initialisation", r.initialisation, {"auto", "filter-bank", "released", "normal"},
             "How the weights start (default: the stem as a filter bank where bytes are numbers)");
  add_decimal(app, "--dropout", r.dropout, 0, 0.9, "Dropout (default: 0)");
  add_decimal(app, "--stochastic-depth", r.stochastic_depth, 0, 0.9, "Chance to skip the last block (default: 0)");
}

void add_schedule_options(CLI::App& app, plan::Request& r) {
  add_duration(app, "--time", r.time_s, "Budget, such as 30m (default: 20m, or less for little data)");
  add_decimal(app, "--epochs", r.epochs, 0.001, 100'000, "Passes over the data, instead of a budget");
  add_number(app, "--steps", r.steps, {1, kMany}, "Training steps, instead of a budget")
      .excludes("--epochs")
      .excludes("--time");
  add_number(app, "--batch-size", r.batch_size, {1, 1'000'000}, "Files a step, however many passes it takes");
  add_decimal(app, "--learning-rate", r.learning_rate, 0, 10, "Its maximum (default: 0.001)");
  add_decimal(app, "--min-learning-rate", r.min_learning_rate, 0, 10, "Where the cosine ends");
  add_number(app, "--warmup-steps", r.warmup_steps, {0, kMany}, "Steps until the maximum");
  add_choice(app, "--schedule", r.schedule, {"step", "epoch"}, "How often the cosine moves");
  add_decimal(app, "--weight-decay", r.weight_decay, 0, 10, "AdamW's weight decay (default: 0.05)");
  add_decimal(app, "--label-smoothing", r.label_smoothing, 0, 0.99, "Label smoothing (default: 0.1)");
  add_decimal(app, "--clip-norm", r.clip_norm, 0, 1e9, "Largest norm of the gradients; 0: no limit");
  add_decimal(app, "--ema-momentum", r.ema_momentum, 0, 1, "Of the averaged weights, which become the model");
  add_number(app, "--seed", r.seed, {0, kMany}, "Of everything random (default: 0)");
}

void add_machine_options(CLI::App& app, plan::Request& r) {
  add_choice(app, "--device", r.device, {"auto", "cpu", "cuda"}, "Where to compute");
  add_choice(app, "--precision", r.precision, {"float32", "bf16", "fp16"},
             "Of products (default: float32, on a GPU bf16)");
  add_number(app, "-j,--threads", r.threads, {1, 1'024}, "Threads (default: one a processor)");
  add_number(app, "--workers", r.workers, {1, 1'024}, "Threads that read, decode and encode files");
  add_number(app, "--token-budget", r.token_budget, {1, kMany}, "Tokens a pass: bounds memory");
  add_flag(app, "--dry-run", r.dry_run, "Only show the plan");
  add_flag(app, "--json", r.json, "With --dry-run: the plan as JSON");
  add_flag(app, "--no-progress", r.no_progress, "No progress display");
}

/// What the trainer shows of a published configuration, where there is no trainer: a plan for the CPU.
int show_plan(const plan::Request& request, Console& console) {
  const plan::TrainingPlan plan = plan::plan_published(request, {}).plan;
  console.err << "note: byteformer-train is not installed here; this is a plan for the CPU\n";
  for (const std::string& reason : plan.reasons) console.err << "  " << reason << "\n";
  console.err.flush();
  if (request.json) console.out << plan::to_json(plan);
  return kExitOk;
}

int train(const plan::Request& request, Console& console) {
  if (!request.data && !request.resume && !request.config)
    throw UsageError("--data is required (or --config, or --resume)");
  if (!request.output && !request.resume && !request.dry_run)
    throw UsageError("-o is required: the model folder to create");
  if (request.output && request.resume) throw UsageError("--resume goes on in its own folder; leave -o out");
  if (request.json && !request.dry_run) throw UsageError("--json needs --dry-run");
  if (request.config && request.dry_run && !find_program("byteformer-train")) return show_plan(request, console);
  become(find_trainer("train needs"), {plan::to_json(request)});
}

}  // namespace

Action add_train(CLI::App& app) {
  auto request = std::make_shared<plan::Request>();
  add_data_options(app, *request);
  add_model_options(app, *request);
  add_schedule_options(app, *request);
  add_machine_options(app, *request);
  set_details(app, kDetails);
  return [request](Console& console) { return train(*request, console); };
}

}  // namespace byteformer::cli
