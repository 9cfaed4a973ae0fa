// `byteformer inspect`: a model's shapes and costs, or this machine.
#include <filesystem>
#include <memory>

#include "base/file_io.hpp"
#include "cli.hpp"
#include "commands/commands.hpp"
#include "exit_status.hpp"
#include "format/model_folder.hpp"
#include "inspect/model_summary.hpp"
#include "inspect/system_summary.hpp"
#include "interop/import_export.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kDetails =
    R"("Reads" is what files are prepared as before the model sees them, and what then becomes of their bytes; "Key" is the
fingerprint of a secret key that is needed for it.

The costs are multiply-adds for one file of --bytes bytes. "published" is the dense formulation of the
published code, with the rows that it appends to fill the last window; "as run" is what this engine computes: a
table of byte values in place of the convolution, and no appended rows.

Examples:
  byteformer inspect --model models/cifar10
  byteformer inspect --model config.yaml --bytes 48564
  byteformer inspect --model models/cifar10 --json | jq .file.multiply_adds
  byteformer inspect --system)";

constexpr std::int64_t kMaxBytes = std::int64_t{1} << 50;

struct Options {
  std::optional<std::string> model, masking;
  std::optional<std::int64_t> num_bytes;
  bool system = false, json = false;
};

format::ModelConfig read_config(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return format::read_config(path);
  return format::complete(interop::read_any_config(path), base::printable(path));
}

int inspect(const Options& options, Console& console) {
  if (options.system) {
    console.out << (options.json ? system_json() : system_text());
    return kExitOk;
  }
  if (!options.model) throw UsageError("--model or --system is required");
  format::ModelConfig config = read_config(*options.model);
  config.masking = parse_masking_option(options.masking).value_or(config.masking);
  const ModelSummary summary = summarise(*options.model, config, options.num_bytes);
  console.out << (options.json ? summary_json(summary) : summary_text(summary));
  return kExitOk;
}

}  // namespace

Action add_inspect(CommandLine& line) {
  auto options = std::make_shared<Options>();
  const DeclaredOption model = add_text(line, "-m,--model", options->model, "DIR|CONFIG",
                                        "Model folder, or a configuration: config.json or published YAML");
  const DeclaredOption bytes =
      add_number(line, "--bytes", options->num_bytes, {1, kMaxBytes},
                 "Length of the file (default: of one that is prepared for the model, else 150668, or what fits)");
  add_masking_option(line, options->masking);
  add_flag(line, "--system", options->system, "Show this machine: instruction sets, processors, versions")
      .excludes(model)
      .excludes(bytes);
  add_flag(line, "--json", options->json, "Write JSON, every count as a whole number");
  set_details(line, kDetails);
  return [options](Console& console) { return inspect(*options, console); };
}

}  // namespace byteformer::cli
