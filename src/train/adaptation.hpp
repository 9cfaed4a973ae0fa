// Starting from the weights of another model: what fits is taken over, positions and head are adapted.
#pragma once

#include <string>

#include "format/config.hpp"
#include "train/parameters.hpp"

namespace byteformer::train {

/// Copies the weights of the model folder `init_from` into `parameters`. Learned positions beyond those it has keep
/// their start values, as does a head of other classes; classes of the same names keep their rows. \throws Error
/// kInvalidModel naming what does not fit: sizes, layers, kernel.
void adapt(Parameters& parameters, const format::ModelConfig& config, const std::string& init_from);

}  // namespace byteformer::train
