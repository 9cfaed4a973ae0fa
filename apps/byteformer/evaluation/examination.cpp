// Puts files to the model, batch by batch.
#include "evaluation/examination.hpp"

#include <algorithm>
#include <variant>

#include "common/interrupt.hpp"

namespace byteformer::cli {

Examination Examiner::examine(const SampleClassifier& files, std::span<const data::Sample> samples,
                              const std::function<void(const Failure&)>& on_failure) {
  Examination result;
  result.answers.num_classes = num_classes_;
  for (std::size_t begin = 0; begin < samples.size() && !interrupted(); begin += batch_size_) {
    const auto batch = samples.subspan(begin, std::min(batch_size_, samples.size() - begin));
    const std::vector<FileAnswer> answers = files.classify(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      result.num_prepared += answers[i].was_prepared ? 1 : 0;
      if (const Output* output = std::get_if<Output>(&answers[i].result)) {
        result.answers.add(output->logits, batch[i].label);
        result.answered.push_back(batch[i]);
      } else {
        result.failures.push_back({batch[i].path.native(), std::get<Error>(answers[i].result)});
        on_failure(result.failures.back());
      }
    }
    progress_.show(num_done_ += batch.size());
  }
  return result;
}

}  // namespace byteformer::cli
