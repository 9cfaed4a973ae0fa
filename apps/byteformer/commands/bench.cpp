// `byteformer bench`: how fast a model is on this machine, and how much of the machine it uses.
#include <fmt/format.h>

#include <memory>
#include <random>

#include "base/file_io.hpp"
#include "bench/measurement.hpp"
#include "cli.hpp"
#include "commands/commands.hpp"
#include "common/interrupt.hpp"
#include "data/loader.hpp"
#include "exit_status.hpp"
#include "format/model_folder.hpp"
#include "inspect/model_summary.hpp"
#include "model/cost.hpp"
#include "obfuscation/model_keys.hpp"
#include "output/numbers.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kDetails =
    R"(Files are prepared as the model expects them, as `byteformer classify` does, before anything is measured. They are
classified from memory, in turn, round and round. "GFLOP/s" counts what is really computed
(`byteformer inspect`, "as run"); the peak that it is compared with is measured in the same run by multiply-adds
in registers on as many threads.

Examples:
  byteformer bench --model models/cifar10
  byteformer bench --model models/cifar10 --threads 1 --bytes 1024
  byteformer bench --model models/cifar10 --batch-size 32 --seconds 10 photos/*.jpg)";

constexpr std::int64_t kMaxBytes = std::int64_t{1} << 32;

struct Options {
  ModelOptions model;
  std::optional<std::int64_t> num_bytes, num_iterations, num_seconds, batch_size;
  std::vector<std::string> paths, keys;
  bool json = false, as_is = false;
};

using Files = std::vector<std::vector<std::uint8_t>>;

std::vector<std::uint8_t> random_bytes(std::size_t size) {
  std::mt19937_64 random(1);  // the same bytes in every run
  std::vector<std::uint8_t> bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

std::vector<std::uint8_t> read_file(const std::string& path) {
  base::InputFile file(path);
  if (file.size() > static_cast<std::uint64_t>(kMaxBytes))
    throw UsageError(fmt::format("{}: files of up to {} are measured, and this one has {}", base::printable(path),
                                 memory_size(static_cast<std::uint64_t>(kMaxBytes)), memory_size(file.size())));
  if (file.size() == 0) throw Error(ErrorCode::kEmptyFile, path, "is empty");
  std::vector<std::uint8_t> bytes(file.size());
  file.read(bytes);
  return bytes;
}

Files read_files(const Options& options, const prepare::Preprocess& preprocess) {
  Files files;
  for (const std::string& path : options.paths)
    files.push_back(preprocess.takes_files_as_they_are()
                        ? read_file(path)
                        : data::load_prepared({.path = path, .start_s = {}}, preprocess).bytes);
  return files;
}

/// How given files are to be prepared: random bytes need no key.
prepare::Preprocess preprocess_of(const Options& options) {
  if (options.as_is) return {};
  const std::string& dir = options.model.dir.value();
  return options.paths.empty() ? prepare::read_preprocess(dir) : read_preprocess(dir, options.keys, kAsIsHint);
}

std::string describe(const Options& options, const Files& files) {
  std::size_t num_bytes = 0;
  for (const auto& file : files) num_bytes += file.size();
  if (options.paths.empty()) return counted(static_cast<std::int64_t>(num_bytes), "random byte");
  const std::string what = files.size() == 1 ? base::printable(options.paths.front())
                                             : counted(static_cast<std::int64_t>(files.size()), "file");
  return what + ", " + counted(static_cast<std::int64_t>(num_bytes), "byte");
}

std::vector<std::int64_t> costs(const format::ModelConfig& config, const Files& files) {
  std::vector<std::int64_t> multiply_adds;
  for (const auto& file : files)
    multiply_adds.push_back(model::file_cost(config, static_cast<std::int64_t>(file.size())).total_as_run);
  return multiply_adds;
}

int bench(const Options& options, Console& console) {
  const Classifier classifier = load_classifier(options.model);
  format::ModelConfig config = format::read_config(options.model.dir.value());
  config.masking = classifier.masking();
  BenchPlan plan;
  plan.num_iterations = options.num_iterations.value_or(0);
  plan.min_seconds = static_cast<double>(options.num_seconds.value_or(3));
  plan.batch_size = static_cast<std::size_t>(options.batch_size.value_or(1));
  const prepare::Preprocess preprocess = preprocess_of(options);
  watch_for_interrupt();
  try {
    const Files files = options.paths.empty() ? Files{random_bytes(static_cast<std::size_t>(
                                                    options.num_bytes.value_or(typical_num_bytes(config, preprocess))))}
                                              : read_files(options, preprocess);
    const BenchSetting setting{*options.model.dir,
                               describe(options, files),
                               classifier.kernels_name(),
                               std::string(format::to_string(classifier.masking())),
                               std::string(to_string(classifier.precision())),
                               classifier.num_threads(),
                               plan.batch_size};
    const Measurement measurement = measure(classifier, files, costs(config, files), plan);
    console.out << (options.json ? bench_json(setting, measurement) : bench_text(setting, measurement));
  } catch (const Error& error) {  // of a file; the model is loaded
    complain(console, error);
    return kExitInputFailed;
  }
  return interrupted() ? kExitInterrupted : kExitOk;
}

}  // namespace

Action add_bench(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_model_options(line, options->model);
  add_paths(line, "FILE", options->paths, "Files to classify (default: random bytes)");
  add_number(line, "--bytes", options->num_bytes, {1, kMaxBytes},
             "Length of the random file (default: of one that is prepared for the model, else 150668, or what fits)")
      .excludes("FILE");
  const DeclaredOption as_is =
      add_flag(line, "--as-is", options->as_is, "Read the bytes as they are, even if the model expects another form");
  add_key_option(line, options->keys).excludes(as_is);
  const DeclaredOption iterations =
      add_number(line, "-n,--iterations", options->num_iterations, {1, 10'000'000}, "Number of calls to measure");
  add_number(line, "--seconds", options->num_seconds, {1, 86'400}, "How long to measure (default: 3)")
      .excludes(iterations);
  add_number(line, "-b,--batch-size", options->batch_size, {1, 1'000'000}, "Files in one call (default: 1)");
  add_flag(line, "--json", options->json, "Write JSON");
  set_details(line, kDetails);
  return [options](Console& console) { return bench(*options, console); };
}

}  // namespace byteformer::cli
