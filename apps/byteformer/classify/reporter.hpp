// Turns inputs into reports: reads, classifies, ranks.
#pragma once

#include <filesystem>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "byteformer/classifier.hpp"
#include "classify/inputs.hpp"
#include "classify/report.hpp"

namespace byteformer::cli {

/// What a report shall say.
struct ReportOptions {
  int top_k = 5;
  std::optional<float> threshold;  ///< best scores below it are reported as unknown
  bool with_logits = false;
  bool with_features = false;
};

class Reporter {
 public:
  /// `standard_input` may be null where no input is standard input. Both references must outlive this.
  Reporter(const Classifier& classifier, ReportOptions options, std::istream* standard_input)
      : classifier_(classifier), options_(options), standard_input_(standard_input) {}

  /// One report an input, in their order; the files share the threads.
  /// \throws Interrupted while standard input is read.
  std::vector<Report> classify(const std::vector<Input>& batch) const;

 private:
  std::vector<FileResult> classify_files(const std::vector<std::filesystem::path>& paths) const;
  FileResult classify_standard_input() const;
  Report report(const std::string& path, FileResult result) const;

  const Classifier& classifier_;
  ReportOptions options_;
  std::istream* standard_input_;
};

}  // namespace byteformer::cli
