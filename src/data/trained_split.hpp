// How the data of a model were split when it was trained.
#pragma once

#include <filesystem>
#include <optional>

#include "data/data_set.hpp"

namespace byteformer::data {

/// The data set below `data`, split as the training of the model in `model_dir` split it; nothing if the model keeps no
/// plan of its training, or if these are not the files that it was trained on.
std::optional<DataSet> find_as_trained(const std::filesystem::path& model_dir, const std::filesystem::path& data);

}  // namespace byteformer::data
