// `byteformer inspect --model`: a model's shapes and parameters, and what one file costs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "format/config.hpp"
#include "model/cost.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::cli {

/// Numbers in the model's tensors.
struct ParameterCounts {
  std::int64_t total = 0;
  std::int64_t stem = 0;             ///< embedding and convolution
  std::int64_t positions = 0;        ///< learned, or the buffer of sinusoids
  std::int64_t classifier = 0;       ///< the last linear layer
  std::vector<std::int64_t> layers;  ///< blocks with the merges that follow them
  std::int64_t without_positions_and_classifier() const { return total - positions - classifier; }
};
ParameterCounts count_parameters(const format::ModelConfig& config);

struct ModelSummary {
  std::string source;  ///< where the configuration was read
  format::ModelConfig config;
  prepare::Preprocess preprocess;  ///< what config.preprocess says
  ParameterCounts parameters;
  model::FileCost cost;

  bool fits_positions() const;
};

/// A length that says something of the model: that of a file which is prepared for it, or, where that is not known, of
/// an image of 224 x 224 pixels as the paper's TIFF; the longest that the model's positions allow if that is less.
std::int64_t typical_num_bytes(const format::ModelConfig& config, const prepare::Preprocess& preprocess);

/// \param num_bytes  of the file whose costs are counted; nothing: typical_num_bytes()
/// \throws Error as prepare::parse_preprocess()
ModelSummary summarise(const std::string& source, const format::ModelConfig& config,
                       std::optional<std::int64_t> num_bytes);

std::string summary_text(const ModelSummary& summary);
std::string summary_json(const ModelSummary& summary);

}  // namespace byteformer::cli
