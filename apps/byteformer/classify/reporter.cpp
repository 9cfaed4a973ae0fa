// Implementation of reporter.hpp.
#include "classify/reporter.hpp"

#include "base/file_io.hpp"

namespace byteformer::cli {
namespace {

constexpr std::size_t kChunkBytes = 1 << 20;

bool is_file(const Input& input) { return !input.error && !input.is_standard_input; }

/// An error that says of which file it speaks.
Error with_path(const std::string& path, const Error& error) {
  const std::string prefix = base::printable(path) + ": ";
  const std::string message = error.what();
  return message.starts_with(prefix) ? error : Error(error.code(), prefix + message);
}

}  // namespace

std::vector<Report> Reporter::classify(const std::vector<Input>& batch) const {
  std::vector<std::filesystem::path> paths;
  for (const Input& input : batch)
    if (is_file(input)) paths.emplace_back(input.path);
  std::vector<FileResult> results = classify_files(paths);
  auto next_result = results.begin();
  std::vector<Report> reports;
  for (const Input& input : batch) {
    if (input.error) {
      reports.push_back(report(input.path, *input.error));
    } else {
      reports.push_back(report(input.path, is_file(input) ? std::move(*next_result++) : classify_standard_input()));
    }
  }
  return reports;
}

std::vector<FileResult> Reporter::classify_files(const std::vector<std::filesystem::path>& paths) const {
  if (paths.size() != 1) return classifier_.classify_files(paths);
  try {  // one file gets all threads
    return {classifier_.classify_file(paths.front())};
  } catch (const Error& error) {
    return {error};
  }
}

FileResult Reporter::classify_standard_input() const {
  try {
    Stream stream = classifier_.stream();
    std::vector<std::uint8_t> chunk(kChunkBytes);
    do {
      standard_input_->read(reinterpret_cast<char*>(chunk.data()), static_cast<std::streamsize>(chunk.size()));
      stream.feed(Bytes(chunk).first(static_cast<std::size_t>(standard_input_->gcount())));
    } while (*standard_input_);
    return stream.finish();
  } catch (const Error& error) {
    return error;
  }
}

Report Reporter::report(const std::string& path, FileResult result) const {
  Report report;
  report.path = path;
  if (const Error* error = std::get_if<Error>(&result)) {
    report.error = with_path(path, *error);
    return report;
  }
  Output& output = std::get<Output>(result);
  report.num_bytes = output.num_bytes;
  report.num_tokens = output.num_tokens;
  report.predictions = classifier_.top_k(output, options_.top_k);
  report.is_unknown = options_.threshold && report.predictions.front().score < *options_.threshold;
  if (options_.with_logits) report.logits = std::move(output.logits);
  if (options_.with_features) report.features = std::move(output.features);
  return report;
}

}  // namespace byteformer::cli
