// The data sets of recipes, and where each may lie.
#include "experiments/data_source.hpp"

#include <algorithm>
#include <array>
#include <system_error>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "plan/settings.hpp"

namespace byteformer::experiments {
namespace {

constexpr std::string_view kScript =
    "`scripts/unpack_data.sh FOLDER_OF_ARCHIVES` brings it, and says where the archives come from";

constexpr auto kSources = std::to_array<DataSource>({
    {"mnist", "MNIST, 28x28 pixels", "mnist28_png", MediaKind::kPictures, kScript},
    {"cifar10", "CIFAR-10, 32x32 pixels", "cifar10_jpg", MediaKind::kPictures, kScript},
    {"fsdd", "Free Spoken Digit Dataset, 8 kHz", "fsdd", MediaKind::kSounds, kScript},
    {"digits", "MNIST and the Free Spoken Digit Dataset together", "digits-joint", MediaKind::kBoth, kScript},
    {"imagenet", "ImageNet (ILSVRC 2012)", "imagenet", MediaKind::kPictures,
     "you must have it: train/ and val/, each with a folder of pictures for each of 1,000 classes"},
    {"speech_commands", "Speech Commands v2, 12 classes", "speech_commands_v2", MediaKind::kSounds,
     "you must have it: the archive as it is published, or its manifests {train,validation,test}_manifest.json"},
    {"imagenet_and_speech", "ImageNet and Speech Commands v2 together", "imagenet-speech", MediaKind::kBoth,
     "you must have both, in one folder: train/ and val/ with the folders of all 1,012 classes"},
});

}  // namespace

std::span<const DataSource> data_sources() noexcept { return kSources; }

const DataSource* find_data_source(std::string_view name) noexcept {
  const auto* found = std::ranges::find(kSources, name, &DataSource::name);
  return found == kSources.end() ? nullptr : found;
}

std::filesystem::path locate(const DataSource& source, const std::filesystem::path& data_dir) {
  std::filesystem::path folder = data_dir / source.folder;
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored))
    base::fail(ErrorCode::kNotFound, base::About{folder.native()}, "is not there: ", source.title, ". ",
               source.how_to_get, " (", plan::option_name(&plan::Request::data), " names the folder that holds ",
               source.folder, ")");
  return folder;
}

}  // namespace byteformer::experiments
