// Imports every golden model and exports it as .pt and safetensors, for torch_loads_exports.py to compare.
#include <cstdio>
#include <filesystem>

#include "byteformer/error.hpp"
#include "interop/import_export.hpp"

int main(int argc, char** argv) {
  using namespace byteformer::interop;
  if (argc != 3) return 2;
  const std::filesystem::path models = argv[1];
  const std::filesystem::path out = argv[2];
  try {
    for (const auto& model : std::filesystem::directory_iterator(models)) {
      const auto folder = out / model.path().filename();
      import_model({.weights = model.path() / "weights.pt",
                    .config = model.path() / "config.json",
                    .labels = std::nullopt,
                    .masking = std::nullopt,
                    .output = folder});
      export_model(folder, ExportFormat::kPt, folder / "exported.pt");
      export_model(folder, ExportFormat::kSafetensors, folder / "exported.safetensors");
    }
  } catch (const byteformer::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
