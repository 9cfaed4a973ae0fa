// How layers cut the packed rows of a batch of whole files into windows, and merges into pairs, for training.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "nn/geometry.hpp"

namespace byteformer::backprop {

/// Consecutive windows that one thread treats at a time.
struct WindowGroup {
  std::size_t first_window = 0;
  std::size_t last_window = 0;  ///< exclusive
  std::size_t begin = 0;        ///< first place in the window order
  std::size_t num_rows = 0;
};

/// The windows of one layer. Every row of the batch is in exactly one of them.
struct WindowPlan {
  std::vector<std::int32_t> rows;  ///< [all rows]: the row of the batch at each place of the window order
  std::vector<nn::Window> windows;
  std::vector<WindowGroup> groups;  ///< of about kGroupRows rows, of fewer where there are few
  std::size_t largest_group = 0;    ///< rows
  std::size_t largest_window = 0;   ///< rows
  bool has_filler = false;

  static constexpr std::size_t kGroupRows = 128;
  static constexpr std::size_t kFewestGroupRows = 32;  ///< fewer read the weights too often
};

/// Cuts files of `file_rows` rows, which lie one after another, each by itself.
WindowPlan cut_windows(std::span<const std::int64_t> file_rows, const nn::WindowGeometry& geometry);

/// Which rows become one: pairs (2t, 2t + 1) of every file; -1 stands for the zero row after an odd number.
struct MergePlan {
  std::vector<std::int32_t> pairs;        ///< [merged rows, 2]
  std::vector<std::int64_t> merged_rows;  ///< [files]

  std::size_t num_merged() const noexcept { return pairs.size() / 2; }
};

MergePlan pair_rows(std::span<const std::int64_t> file_rows);

}  // namespace byteformer::backprop
