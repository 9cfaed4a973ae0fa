// Turns inputs into reports: reads, classifies, ranks.
#pragma once

#include <istream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "byteformer/classifier.hpp"
#include "classify/inputs.hpp"
#include "classify/report.hpp"
#include "classify/sample_classifier.hpp"

namespace byteformer::cli {

/// What a report shall say.
struct ReportOptions {
  int top_k = 5;
  std::optional<float> threshold;  ///< best scores below it are reported as unknown
  bool with_logits = false;
  bool with_features = false;
  std::map<std::string, format::LabelInfo> label_info = {};  ///< what the model says of its labels
};

class Reporter {
 public:
  /// `standard_input` may be null where no input is standard input. Both references must outlive this.
  /// \param preprocess what is done to files first; nothing: they are read as they are
  Reporter(const Classifier& classifier, ReportOptions options, std::istream* standard_input,
           prepare::Preprocess preprocess = {})
      : classifier_(classifier),
        options_(std::move(options)),
        standard_input_(standard_input),
        files_(classifier, std::move(preprocess)) {}

  /// One report an input, in their order; the files share the threads. Reports point into this object.
  /// \throws Interrupted while standard input is read or a large file streams.
  std::vector<Report> classify(const std::vector<Input>& batch) const;

  /// Of all classes.
  const std::vector<std::string>& labels() const { return classifier_.labels(); }

  /// What a person should know of the files that were prepared, `num_prepared` of them.
  std::string remark(std::size_t num_prepared) const { return files_.remark(num_prepared); }

 private:
  FileAnswer classify_stream_of(const Input& input) const;
  Report report(const std::string& path, FileAnswer answer) const;

  const Classifier& classifier_;
  ReportOptions options_;
  std::istream* standard_input_;
  SampleClassifier files_;
};

}  // namespace byteformer::cli
