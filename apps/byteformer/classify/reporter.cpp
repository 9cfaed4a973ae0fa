// Answers inputs: files together, standard input and other streams one by one.
#include "classify/reporter.hpp"

#include "base/file_io.hpp"
#include "exit_status.hpp"
#include "system/input_stream.hpp"

namespace byteformer::cli {
std::vector<Report> Reporter::classify(const std::vector<Input>& batch) const {
  std::vector<data::Sample> samples;
  std::vector<bool> are_files;
  for (const Input& input : batch) {
    are_files.push_back(!input.error && !input.is_standard_input && !must_be_streamed(input.path));
    if (are_files.back()) samples.push_back({.path = input.path, .start_s = {}, .duration_s = {}});
  }
  std::vector<FileAnswer> answers = files_.classify(samples);
  auto next_answer = answers.begin();
  std::vector<Report> reports;
  for (std::size_t i = 0; i < batch.size(); ++i)
    reports.push_back(report(batch[i].path, batch[i].error ? FileAnswer{*batch[i].error}
                                            : are_files[i] ? std::move(*next_answer++)
                                                           : classify_stream_of(batch[i])));
  return reports;
}

FileAnswer Reporter::classify_stream_of(const Input& input) const {
  if (input.is_standard_input) return files_.classify(pieces_of(*standard_input_), "-");
  try {
    InputStream stream(input.path);
    return files_.classify(pieces_of(stream), base::printable(input.path));
  } catch (const UsageError& error) {  // of one file among many
    return {Error(ErrorCode::kIo, error.what())};
  }
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
  for (const Prediction& prediction : report.predictions) {
    const auto info = options_.label_info.find(prediction.label);
    report.infos.push_back(info == options_.label_info.end() ? nullptr : &info->second);
  }
  report.is_unknown = options_.threshold && report.predictions.front().score < *options_.threshold;
  if (options_.with_logits) report.logits = std::move(output.logits);
  if (options_.with_features) report.features = std::move(output.features);
  return report;
}

}  // namespace byteformer::cli
