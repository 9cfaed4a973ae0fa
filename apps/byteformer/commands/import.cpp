// `byteformer import`: published weights and a configuration become a model folder.
#include <fmt/format.h>

#include <memory>

#include "base/file_io.hpp"
#include "commands/commands.hpp"
#include "interop/import_export.hpp"
#include "model/weights.hpp"
#include "output/text.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kDetails =
    R"(WEIGHTS is a checkpoint that torch.save wrote (read without executing anything in it) or a safetensors
file. CONFIG is a config.json or a published YAML file; what it does not say is taken from the shapes of the
weights.

Examples:
  byteformer import weights.pt --config config.yaml -o models/tiny
  byteformer import weights.pt --config config.json --labels labels.txt -o models/tiny
  byteformer import w.safetensors --config config.json --masking masked -o models/tiny)";

using plan::Request;

struct Options {
  std::optional<std::string> weights, config, labels, masking, output;
};

int import_model(const Options& options, Console& console) {
  interop::ImportOptions request;
  request.weights = options.weights.value();
  request.config = options.config.value();
  if (options.labels) request.labels = *options.labels;
  request.masking = masking_of(options.masking);
  request.output = options.output.value();
  const format::ModelConfig config = interop::import_model(request);
  console.out << fmt::format("{}: {} layers, hidden size {}, kernel {}, {} classes, {} parameters, masking {}\n",
                             base::printable(request.output), config.num_hidden_layers, config.hidden_size,
                             config.conv_kernel_size, grouped(config.num_labels),
                             grouped(model::num_parameters(config)), format::to_string(config.masking));
  return kExitOk;
}

}  // namespace

Action add_import(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_text(line, "WEIGHTS", options->weights, "WEIGHTS", "Weights: .pt or .safetensors").required();
  add_text(line, names_of(&Request::config), options->config, "CONFIG", "Configuration: config.json or published YAML")
      .required();
  add_text(line, "--labels", options->labels, "FILE", "Names of the classes, one per line");
  add_choice(line, names_of(&Request::masking), options->masking, {"released", "masked"},
             "Meaning of padding that the weights were trained with (wins over CONFIG)");
  add_text(line, names_of(&Request::output), options->output, "DIR", "Model folder to create; must not exist")
      .required();
  line.details = kDetails;
  return [options](Console& console) { return import_model(*options, console); };
}

}  // namespace byteformer::cli
