// Published configurations (CoreNet's YAML): the run that one describes, and its plan: what it says, what the command
// line says otherwise, and what the data are.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bytes/transforms.hpp"
#include "data/augmentation.hpp"
#include "data/data_set.hpp"
#include "format/config.hpp"
#include "plan/plan.hpp"
#include "plan/planner.hpp"
#include "plan/settings.hpp"

namespace byteformer::plan {

struct PublishedDataSet {
  std::string_view name;   ///< of `dataset.name`
  std::string_view title;  ///< "ImageNet (ILSVRC 2012)"
  bool is_sound = false;
  std::int64_t num_classes = 0;
  std::int64_t num_training_files = 0;
  std::int64_t num_gpus = 0;  ///< that the published runs used; no key says so
  std::string_view layout;    ///< of the folder that has it
};

inline constexpr std::array<PublishedDataSet, 2> kPublishedDataSets = {
    {{"imagenet", "ImageNet (ILSVRC 2012)", false, 1'000, 1'281'167, 8,
      "a folder with train/ and val/, in each a folder of pictures for each class"},
     {"speech_commands_v2", "Speech Commands v2 (12 classes)", true, 12, 36'923, 4,
      "the unpacked archive, or a folder with {train,validation,test}_manifest.json"}}};

/// Where a run's data are: the folder of training files and that of validation files, or nothing where a configuration
/// does not say.
struct PublishedFolders {
  std::string train, validation;

  /// The one folder that has both; nothing if there is none.
  std::optional<std::string> common() const;
};

struct PublishedRun {
  std::string source;  ///< the file's name, for messages
  const PublishedDataSet* data_set = nullptr;
  PublishedFolders folders;
  /// What `byteformer train` has an option for, so that the command line can win. Everything that decides what is
  /// computed is set; where the file does not say, as the published code has it.
  Request settings;
  format::PartialConfig model;  ///< what the file says of it
  bytes::Transforms transforms;
  data::ImageAugmentation image_augmentation;
  data::SoundAugmentation sound_augmentation;
  double warmup_init_lr = 1e-6;
  std::optional<std::int64_t> max_iterations;  ///< steps, instead of epochs
  std::int64_t batch_per_gpu = 0;              ///< files
  std::int64_t num_accumulated = 1;            ///< passes per step
  std::vector<std::string> remarks;            ///< keys without effect, and keys that nobody knows, with their lines
};

/// \param source the file's name, for messages
/// \throws Error kInvalidFormat naming `source`, line, key, what was expected and what was found, also for an unknown
///         key (with the nearest) in a section that decides what is computed; kUnsupported for a value that asks for
///         what is not built, such as another optimizer.
PublishedRun parse_published_run(std::string_view yaml, const std::string& source);

/// \throws Error as base::read_text_file() and parse_published_run().
PublishedRun read_published_run(const std::filesystem::path& path);

struct PublishedTraining {
  TrainingPlan plan;
  std::optional<data::DataSet> data;  ///< nothing in a dry run without the data
};

/// Reads `asked.config` and finds the data: those of the command line, else where the configuration says they are.
/// \param asked with `config`
/// \throws Error as read_published_run() and data::find_data_set(); kInvalidArgument for options that the
///         configuration rules out; kNotFound, saying what a person must have, if the data are not there and this is no
///         dry run.
PublishedTraining plan_published(const Request& asked, const Machine& machine);

/// \param data null: they are not here, and steps are counted for the whole published data set
/// \throws Error kInvalidArgument or kInvalidModel for settings that contradict each other.
TrainingPlan choose_published_plan(const Request& asked, const PublishedRun& run, const data::DataSet* data,
                                   const Machine& machine);

}  // namespace byteformer::plan
