// The Open Inference Protocol, version 2, over REST: what a request asks for, and how an answer is written. Functions
// of texts, without sockets and without a running model. \see docs/serve.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "byteformer/classifier.hpp"
#include "serve/exchange.hpp"

namespace byteformer::serve {

inline constexpr std::string_view kInputName = "file";

/// What can be asked for; the names are "logits", "scores", "label" and "features".
enum class OutputKind { kLogits, kScores, kLabel, kFeatures };
std::string_view to_string(OutputKind kind) noexcept;

struct WantedOutput {
  OutputKind kind;
  bool is_binary = false;
  std::int64_t num_classes = 0;  ///< of the classification extension; 0: the output itself
};

struct InferRequest {
  std::string id;                                ///< comes back; empty if there is none
  std::vector<std::vector<std::uint8_t>> files;  ///< in their order; the dimension of all outputs
  std::vector<std::int64_t> shape;               ///< of the input
  std::vector<WantedOutput> outputs;             ///< all four where none is named
  std::optional<double> timeout_s;
};

/// \param header_length  value of Inference-Header-Content-Length: how much of `body` is JSON; none: all of it; 0: the
/// body is the
///        file itself
/// \throws Refusal 400 saying what is wrong.
InferRequest parse_infer_request(std::span<const std::uint8_t> body, const std::string* header_length,
                                 std::size_t max_files);

struct InferAnswer {
  std::string body;
  std::optional<std::size_t> json_length;  ///< where binary outputs follow the JSON
};

/// \param outputs  one per file of the request
InferAnswer write_infer_answer(const InferRequest& request, const std::string& model_name, const std::string& version,
                               const Classifier& classifier, std::span<const Output> outputs);

/// {"error": message}
std::string error_body(std::string_view message);

}  // namespace byteformer::serve
