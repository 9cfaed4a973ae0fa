// One run of training, from a request to a model folder.
#pragma once

#include "plan/settings.hpp"

namespace byteformer::train_app {

/// Looks at the data, plans, trains, reports. \return the exit status: 0 done, 130 interrupted and saved
/// \throws Error
int run(const plan::Request& request);

}  // namespace byteformer::train_app
