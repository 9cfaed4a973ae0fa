// One run of training, from a request to a model folder.
#pragma once

#include "data/training_request.hpp"

namespace byteformer::train_app {

/// Looks at the data, plans, trains, reports. \return the exit status: 0 done, 130 interrupted and saved
/// \throws Error
int run(const data::TrainingRequest& request);

}  // namespace byteformer::train_app
