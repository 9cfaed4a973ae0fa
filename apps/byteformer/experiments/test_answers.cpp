// Has the engine answer the test files of a data set.
#include "experiments/test_answers.hpp"

#include <cstddef>
#include <utility>
#include <vector>

#include "base/file_io.hpp"
#include "byteformer/classifier.hpp"
#include "classify/sample_classifier.hpp"
#include "common/interrupt.hpp"
#include "data/data_set.hpp"
#include "evaluation/examination.hpp"
#include "output/progress_bar.hpp"
#include "prepare/preprocess.hpp"

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

}  // namespace

TestAnswers answer_tests(const std::filesystem::path& model_dir, const std::filesystem::path& data_dir,
                         const AnsweringOptions& options, Console& console) {
  LoadOptions load;
  load.num_threads = options.num_threads;
  const Classifier classifier = Classifier::load(model_dir, load);
  const data::DataSet data_set = find_data(data_dir, classifier);
  const std::vector<data::Sample>& samples = data::evaluation_samples(data_set);
  if (&samples == &data_set.train)
    throw Error(ErrorCode::kInvalidArgument, data_dir.native(),
                "has neither test nor validation files to judge a model by");
  const SampleClassifier files(classifier, prepare::read_preprocess(model_dir));
  ProgressBar progress(console, samples.size(), options.has_progress);
  Examiner examiner(classifier.labels().size(), kBatchSize, progress);
  Examination examination = examiner.examine(files, samples, [](const Failure&) {});
  if (interrupted()) throw Interrupted{};
  return {&samples == &data_set.test ? "test" : "validation", std::move(examination.answers),
          static_cast<std::int64_t>(examination.failures.size())};
}

}  // namespace byteformer::cli
