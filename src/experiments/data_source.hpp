// The data sets that recipes name: where they are looked for, and how to get them.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

namespace byteformer::experiments {

enum class MediaKind { kPictures, kSounds, kBoth };

struct DataSource {
  std::string_view name;    ///< in recipes
  std::string_view title;   ///< for people
  std::string_view folder;  ///< below the folder of all data
  MediaKind kind = MediaKind::kPictures;
  std::string_view how_to_get;  ///< a sentence
};

std::span<const DataSource> data_sources() noexcept;

/// Null if there is none of this name.
const DataSource* find_data_source(std::string_view name) noexcept;

/// Where `source` is, below `data_dir`.
/// \throws Error kNotFound naming the folder that was looked for, and how to get what belongs there.
std::filesystem::path locate(const DataSource& source, const std::filesystem::path& data_dir);

}  // namespace byteformer::experiments
