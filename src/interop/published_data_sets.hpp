// The data sets of the published runs: what a person must have to train as they did.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace byteformer::interop {

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

}  // namespace byteformer::interop
