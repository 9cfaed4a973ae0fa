// A model as an ONNX file that other runtimes execute.
#pragma once

#include <filesystem>

#include "base/file_io.hpp"
#include "format/model_folder.hpp"

namespace byteformer::interop {

/// Writes `model` to `output` atomically, as ONNX of operator set 17: input `files`, uint8 [batch, bytes], files of one
/// length and any; output `logits`, float32 [batch, classes]. The graph computes what the model's configuration says in
/// its meaning of masking, for every length of which its positions suffice. Weights keep names and shapes of the state
/// dict. Labels, temperature and preparation stand in the metadata, under the keys of config.json.
/// \throws Error kInvalidModel, kIo, kPermissionDenied; kUnsupported beyond 2 GB, the most that such a file holds.
void export_onnx(const format::ModelFolder& model, const std::filesystem::path& output,
                 const base::WriteOptions& options = {});

}  // namespace byteformer::interop
