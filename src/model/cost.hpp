// What a file costs: tokens, windows and multiply-adds by layer, without running anything.
#pragma once

#include <cstdint>
#include <vector>

#include "format/config.hpp"

namespace byteformer::model {

/// One layer's share for one file.
struct LayerCost {
  std::int64_t num_rows = 0;         ///< rows that enter the layer
  std::int64_t num_filler_rows = 0;  ///< rows the published formulation appends to fill the last window
  std::int64_t num_windows = 0;      ///< windows (or, masked, pieces) that attend
  // multiply-adds of the published dense formulation, filler included
  std::int64_t qkv = 0, scores = 0, values = 0, out = 0, feed_forward = 0, merge = 0;
  std::int64_t total_as_run = 0;  ///< multiply-adds as this engine runs it: no filler rows
};

struct FileCost {
  std::int64_t num_bytes = 0;
  std::int64_t num_tokens = 0;
  std::vector<LayerCost> layers;
  std::int64_t stem_dense = 0;       ///< multiply-adds of the convolution
  std::int64_t stem_table_adds = 0;  ///< additions that the byte table needs instead
  std::int64_t table_build = 0;      ///< multiply-adds to build the table, once per model
  std::int64_t head = 0;
  std::int64_t total_published = 0;   ///< dense, filler included
  std::int64_t total_byte_table = 0;  ///< byte table, filler included
  std::int64_t total_as_run = 0;      ///< byte table, no filler: what this engine computes
};

/// \throws Error kEmptyFile or kInvalidArgument (too large to count in 64 bits).
FileCost file_cost(const format::ModelConfig& config, std::int64_t num_bytes);

}  // namespace byteformer::model
