// Implementation of published_data_sets.hpp.
#include "interop/published_data_sets.hpp"

#include <filesystem>

namespace byteformer::interop {

std::optional<std::string> PublishedFolders::common() const {
  if (train.empty()) return std::nullopt;
  if (validation.empty() || train == validation) return train;
  const auto above = [](const std::string& folder) {
    const std::filesystem::path path = std::filesystem::path(folder).lexically_normal();
    return path.has_filename() ? path.parent_path() : path.parent_path().parent_path();
  };
  if (above(train) != above(validation) || above(train).empty()) return std::nullopt;
  return above(train).native();
}

}  // namespace byteformer::interop
