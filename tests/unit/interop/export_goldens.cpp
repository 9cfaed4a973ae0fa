// Imports every golden model in both meanings of masking, and exports it in every format, for the scripts beside it.
#include <cstdio>
#include <filesystem>
#include <string>

#include "byteformer/error.hpp"
#include "format/config.hpp"
#include "interop/import_export.hpp"

int main(int argc, char** argv) {
  using namespace byteformer;
  if (argc != 3) return 2;
  const std::filesystem::path models = argv[1];
  const std::filesystem::path out = argv[2];
  try {
    for (const auto& model : std::filesystem::directory_iterator(models)) {
      for (const Masking masking : {Masking::kReleased, Masking::kMasked}) {
        const auto folder = out / model.path().filename() / format::to_string(masking);
        std::filesystem::create_directories(folder.parent_path());
        interop::import_model({.weights = model.path() / "weights.pt",
                               .config = model.path() / "config.json",
                               .labels = std::nullopt,
                               .masking = masking,
                               .output = folder});
        interop::export_model(folder, interop::ExportFormat::kPt, folder / "exported.pt");
        interop::export_model(folder, interop::ExportFormat::kSafetensors, folder / "exported.safetensors");
        interop::export_model(folder, interop::ExportFormat::kOnnx, folder / "exported.onnx");
      }
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
