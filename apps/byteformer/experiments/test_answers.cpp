// Implementation of test_answers.hpp.
#include "experiments/test_answers.hpp"

#include <algorithm>
#include <span>
#include <variant>
#include <vector>

#include "base/file_io.hpp"
#include "byteformer/classifier.hpp"
#include "classify/sample_classifier.hpp"
#include "common/interrupt.hpp"
#include "data/data_set.hpp"
#include "data/preprocess.hpp"
#include "output/progress_bar.hpp"

namespace byteformer::cli {
namespace {

constexpr std::size_t kBatchSize = 64;

data::DataSet find_data(const std::filesystem::path& data_dir, const Classifier& classifier) {
  data::DataSetOptions find;
  find.classes = classifier.labels();
  find.split_validation = false;
  find.needs_training_files = false;
  return data::find_data_set(data_dir, find);
}

void take(std::span<const data::Sample> batch, const std::vector<FileAnswer>& answers, TestAnswers& result) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (const auto* output = std::get_if<Output>(&answers[i].result))
      result.answers.add(output->logits, batch[i].label);
    else
      ++result.failures;
  }
}

}  // namespace

TestAnswers answer_tests(const std::filesystem::path& model_dir, const std::filesystem::path& data_dir,
                         const AnsweringOptions& options, Console& console) {
  LoadOptions load;
  load.num_threads = options.num_threads;
  const Classifier classifier = Classifier::load(model_dir, load);
  const data::DataSet data_set = find_data(data_dir, classifier);
  const std::vector<data::Sample>& samples = data::evaluation_samples(data_set);
  if (&samples == &data_set.train)
    throw Error(ErrorCode::kInvalidArgument,
                base::printable(data_dir) + ": has neither test nor validation files to judge a model by");
  const SampleClassifier files(classifier, data::read_preprocess(model_dir));
  TestAnswers result;
  result.split = &samples == &data_set.test ? "test" : "validation";
  result.answers.num_classes = classifier.labels().size();
  ProgressBar progress(console, samples.size(), options.has_progress);
  for (std::size_t begin = 0; begin < samples.size(); begin += kBatchSize) {
    if (interrupted()) throw Interrupted{};
    const auto batch = std::span(samples).subspan(begin, std::min(kBatchSize, samples.size() - begin));
    take(batch, files.classify(batch), result);
    progress.show(begin + batch.size());
  }
  return result;
}

}  // namespace byteformer::cli
