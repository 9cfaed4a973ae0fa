// The slow, obvious ByteFormer: whole file, double precision, windows rolled and padded as the paper's code does it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "byteformer/masking.hpp"
#include "format/config.hpp"
#include "format/tensors.hpp"

namespace byteformer::test {

using Rows = std::vector<std::vector<double>>;

/// The rows that a row of a layer sees, and the number of filler rows beside them.
using VisibleRows = std::pair<std::set<std::size_t>, std::size_t>;

/// Every intermediate of one file: "stem", "block_0", "merge_0", ..., "final_norm", "pooled", "logits".
struct OracleStages {
  std::vector<std::pair<std::string, Rows>> stages;
  std::vector<double> logits;
  std::vector<std::set<VisibleRows>> windows;  ///< of each layer, those of its rows
};

/// Written from the specification alone; shares no code with the engine.
OracleStages oracle_forward(const format::ModelConfig& config, const format::Tensors& tensors, Masking masking,
                            std::span<const std::uint8_t> file);

}  // namespace byteformer::test
