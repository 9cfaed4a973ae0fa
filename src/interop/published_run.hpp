// A published configuration (CoreNet YAML) as a run of training: model, data, files, augmentation, schedule.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bytes/transforms.hpp"
#include "data/augmentation.hpp"
#include "data/training_request.hpp"
#include "format/config.hpp"
#include "interop/published_data_sets.hpp"

namespace byteformer::interop {

struct PublishedRun {
  std::string source;  ///< the file's name, for messages
  const PublishedDataSet* data_set = nullptr;
  PublishedFolders folders;
  /// What `byteformer train` has an option for, so that the command line can win. Everything that decides what is
  /// computed is set; where the file does not say, as the published code has it.
  data::TrainingRequest settings;
  format::PartialConfig model;  ///< what the file says of it
  bytes::Transforms transforms;
  data::ImageAugmentation image_augmentation;
  data::SoundAugmentation sound_augmentation;
  double warmup_init_lr = 1e-6;
  std::optional<std::int64_t> max_iterations;  ///< steps, instead of epochs
  std::int64_t batch_per_gpu = 0;              ///< files
  std::int64_t num_accumulated = 1;            ///< passes a step
  std::vector<std::string> remarks;            ///< keys without effect, and keys that nobody knows, with their lines
};

/// \param source the file's name, for messages
/// \throws Error kInvalidFormat naming `source`, line, key, what was expected and what was found, also for an unknown
///         key (with the nearest) in a section that decides what is computed; kUnsupported for a value that asks for
///         what is not built, such as another optimizer.
PublishedRun parse_published_run(std::string_view yaml, const std::string& source);

/// \throws Error as base::read_text_file() and parse_published_run().
PublishedRun read_published_run(const std::filesystem::path& path);

}  // namespace byteformer::interop
