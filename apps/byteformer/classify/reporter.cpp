// Classifies a batch of inputs and ranks the answers.
#include "classify/reporter.hpp"

#include "base/file_io.hpp"

namespace byteformer::cli {
namespace {

bool is_file(const Input& input) { return !input.error && !input.is_standard_input; }

}  // namespace

std::vector<Report> Reporter::classify(const std::vector<Input>& batch) const {
  std::vector<data::Sample> samples;
  for (const Input& input : batch)
    if (is_file(input)) samples.push_back({.path = input.path, .start_s = {}});
  std::vector<FileAnswer> answers = files_.classify(samples);
  auto next_answer = answers.begin();
  std::vector<Report> reports;
  for (const Input& input : batch) {
    if (input.error) {
      reports.push_back(report(input.path, {*input.error}));
    } else {
      reports.push_back(report(
          input.path, is_file(input) ? std::move(*next_answer++) : files_.classify(pieces_of(*standard_input_), "-")));
    }
  }
  return reports;
}

Report Reporter::report(const std::string& path, FileAnswer answer) const {
  Report report;
  report.path = path;
  if (const Error* error = std::get_if<Error>(&answer.result)) {
    report.error = base::about(path, *error);
    return report;
  }
  Output& output = std::get<Output>(answer.result);
  report.was_prepared = answer.was_prepared;
  report.num_bytes = output.num_bytes;
  report.num_tokens = output.num_tokens;
  report.predictions = classifier_.top_k(output, options_.top_k);
  report.is_unknown = options_.threshold && report.predictions.front().score < *options_.threshold;
  if (options_.with_logits) report.logits = std::move(output.logits);
  if (options_.with_features) report.features = std::move(output.features);
  return report;
}

}  // namespace byteformer::cli
