// `byteformer import`: published weights and a configuration become a model folder. `byteformer export`: a model's
// weights as a file that other programs read.
#include "interop/import_export.hpp"

#include <fmt/format.h>

#include <memory>

#include "base/file_io.hpp"
#include "commands/commands.hpp"
#include "model/weights.hpp"
#include "output/output_files.hpp"
#include "output/text.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kImportDetails =
    R"(WEIGHTS is a checkpoint that torch.save wrote (read without executing anything in it) or a safetensors
file. CONFIG is a config.json or a published YAML file; what it does not say is taken from the shapes of the
weights.

Examples:
  byteformer import weights.pt --config config.yaml -o models/tiny
  byteformer import weights.pt --config config.json --labels labels.txt -o models/tiny
  byteformer import w.safetensors --config config.json --masking masked -o models/tiny)";

using plan::Request;

struct Options {
  std::optional<std::string> weights, config, labels, masking;  ///< of an import
  std::optional<std::string> model, to;                         ///< of an export
  std::optional<std::string> output;
  bool force = false;
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

constexpr const char* kExportDetails = R"(Examples:
  byteformer export models/tiny --to pt
  byteformer export models/tiny --to safetensors -o tiny.safetensors
  byteformer export models/tiny --to onnx

PyTorch reads the first with load_state_dict(torch.load("tiny.pt"), strict=True).
The last is the whole network, for ONNX Runtime and others: input `files`, uint8
[batch, bytes], files of one length, at most as long as the model has positions
for; output `logits` [batch, classes]. What is done to files before (a model's
`preprocess`) is not in it: `byteformer encode --like MODEL` does that.)";

interop::ExportFormat format_of(const std::string& name) {
  if (name == "pt") return interop::ExportFormat::kPt;
  return name == "onnx" ? interop::ExportFormat::kOnnx : interop::ExportFormat::kSafetensors;
}

/// "models/tiny/" and "pt" give "tiny.pt".
std::filesystem::path default_output(const std::filesystem::path& model, const std::string& extension) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::weakly_canonical(model, error);
  std::filesystem::path name = (error ? model : absolute).filename();
  if (name.empty() || name == ".") name = "model";
  name += "." + extension;
  return name;
}

int export_model(const Options& options, Console& console) {
  const std::filesystem::path model = options.model.value();
  const std::string& to = options.to.value();
  const std::filesystem::path output =
      options.output ? std::filesystem::path(*options.output) : default_output(model, to);
  std::error_code ignored;
  if (!options.force && std::filesystem::exists(std::filesystem::symlink_status(output, ignored)))
    base::fail(ErrorCode::kAlreadyExists, base::About{output.native()}, "exists already; ", kForceOption,
               " replaces it, -o names another file");
  refuse_to_replace(output, files_of_model(model));
  interop::export_model(model, format_of(to), output, {.replaces = options.force});
  console.out << base::printable(output) << "\n";
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
  line.details = kImportDetails;
  return [options](Console& console) { return import_model(*options, console); };
}

Action add_export(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_text(line, "MODEL", options->model, "DIR", "Model folder").required();
  add_choice(line, kToOption, options->to, {"pt", "safetensors", "onnx"}, "Format of the file").required();
  add_text(line, names_of(&Request::output), options->output, "FILE",
           "File to write (default: the model's name and the format)");
  add_force(line, options->force, "Replace FILE if it exists");
  line.details = kExportDetails;
  return [options](Console& console) { return export_model(*options, console); };
}

}  // namespace byteformer::cli
