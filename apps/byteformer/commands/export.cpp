// `byteformer export`: a model's weights as a file that other programs read.
#include <memory>

#include "base/file_io.hpp"
#include "commands/commands.hpp"
#include "interop/import_export.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kDetails = R"(Examples:
  byteformer export models/tiny --to pt
  byteformer export models/tiny --to safetensors -o tiny.safetensors
  byteformer export models/tiny --to onnx

PyTorch reads the first with load_state_dict(torch.load("tiny.pt"), strict=True).
The last is the whole model, for ONNX Runtime and others: input `files`, uint8
[batch, bytes], files of one length and any; output `logits` [batch, classes].)";

struct Options {
  std::optional<std::string> model, to, output;
  bool force = false;
};

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
    throw UsageError(
        base::joined(base::printable(output), " exists; ", kForceOption, " replaces it, -o names another file"));
  interop::export_model(model, format_of(to), output, {.replaces = options.force});
  console.out << base::printable(output) << "\n";
  return kExitOk;
}

}  // namespace

Action add_export(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_text(line, "MODEL", options->model, "DIR", "Model folder").required();
  add_choice(line, kToOption, options->to, {"pt", "safetensors", "onnx"}, "Format of the file").required();
  add_text(line, names_of(&plan::Request::output), options->output, "FILE",
           "File to write (default: the model's name and the format)");
  add_force(line, options->force, "Replace FILE if it exists");
  line.details = kDetails;
  return [options](Console& console) { return export_model(*options, console); };
}

}  // namespace byteformer::cli
