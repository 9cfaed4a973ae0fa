// Writes pictures and sounds in one form below a folder: which file goes where, and who comes first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/thread_pool.hpp"
#include "classify/inputs.hpp"
#include "output/output_files.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::cli {

struct EncodeOptions {
  std::filesystem::path output;  ///< folder
  prepare::Preprocess form;      ///< each file goes by what it is; without a part it keeps its ending
  bool keeps_form = false;       ///< what is in form already is copied, as a model reads it; else encoded anew
  bool overwrites = false;
  int num_threads = 0;  ///< 0: one a processor
};

class FileEncoder {
 public:
  explicit FileEncoder(EncodeOptions options);

  /// Encodes `batch` on all threads; one result an input, in their order. An output belongs to the first input, of all
  /// batches, that can be encoded. After Ctrl-C the rest of the batch is left alone.
  std::vector<OutputResult> encode(const std::vector<Input>& batch);

 private:
  struct Task;

  Task plan(const Input& input) const;
  std::vector<Task*> claim(const std::vector<Task*>& tasks, std::vector<Task*>& deferred) const;
  void run(Task& task) const;
  bool flows(const std::filesystem::path& input) const;
  void run_piecewise(Task& task) const;
  std::filesystem::path extension_of(const std::filesystem::path& input) const;
  media::FileBytes encoded(const std::filesystem::path& input) const;

  EncodeOptions options_;
  OutputFolder folder_;
  WrittenOutputs written_;
  base::ThreadPool pool_;
};

}  // namespace byteformer::cli
