// One evaluation on the validation set, as it is shown, logged and kept.
#pragma once

#include <cstdint>

namespace byteformer::train {

struct Evaluation {
  std::int64_t step = 0;
  double train_loss = 0;  ///< mean since the last evaluation
  double loss = 0, top1 = 0, top5 = 0;
  double learning_rate = 0;
  double seconds = 0;  ///< of training so far, over all sessions
};

}  // namespace byteformer::train
