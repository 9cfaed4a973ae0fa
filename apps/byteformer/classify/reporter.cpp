// Implementation of reporter.hpp.
#include "classify/reporter.hpp"

namespace byteformer::cli {
namespace {

constexpr std::size_t kChunkBytes = 1 << 20;
constexpr std::size_t kMostWholeBytes = std::size_t{1} << 30;

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
      reports.push_back(report(input.path, is_file(input) ? std::move(*next_answer++) : classify_standard_input()));
    }
  }
  return reports;
}

FileAnswer Reporter::classify_standard_input() const {
  if (files_.reads_files_as_they_are()) return {stream_standard_input()};
  try {
    return files_.classify(read_standard_input(), "-");
  } catch (const Error& error) {
    return {error};
  }
}

std::vector<std::uint8_t> Reporter::read_standard_input() const {
  std::vector<std::uint8_t> file;
  std::size_t size = 0;
  do {
    if (size > kMostWholeBytes) throw Error(ErrorCode::kUnsupported, "-: is larger than 1 GiB");
    file.resize(size + kChunkBytes);
    standard_input_->read(reinterpret_cast<char*>(file.data() + size), static_cast<std::streamsize>(kChunkBytes));
    size += static_cast<std::size_t>(standard_input_->gcount());
  } while (*standard_input_);
  file.resize(size);
  return file;
}

FileResult Reporter::stream_standard_input() const {
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

Report Reporter::report(const std::string& path, FileAnswer answer) const {
  Report report;
  report.path = path;
  if (const Error* error = std::get_if<Error>(&answer.result)) {
    report.error = with_path(path, *error);
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
