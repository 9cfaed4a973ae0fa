// Costs against the numbers of the specification and against windows counted one by one.
#include "model/cost.hpp"

#include <gtest/gtest.h>

#include "byteformer/error.hpp"

namespace byteformer::model {
namespace {

format::ModelConfig tiny(Masking masking) {
  format::ModelConfig config;
  config.conv_kernel_size = 32;
  config.num_labels = 1'000;
  config.masking = masking;
  config.window_sizes.assign(12, 128);
  config.downsample.assign(12, false);
  for (const std::size_t layer : {0, 1, 3, 5, 7, 9}) config.downsample[layer] = true;
  for (int layer = 0; layer < 12; ++layer) config.window_shifts.push_back(layer % 2 == 0 ? 0 : 64);
  return config;
}

double millions(std::int64_t count) { return static_cast<double>(count) / 1e6; }

TEST(FileCost, OfAReleasedTiffIsThatOfTheSpecification) {
  const FileCost cost = file_cost(tiny(Masking::kReleased), 150'668);
  EXPECT_EQ(cost.num_tokens, 9'415);
  LayerCost sum;
  std::vector<std::int64_t> padded;
  for (const LayerCost& layer : cost.layers) {
    padded.push_back(layer.num_rows + layer.num_filler_rows);
    sum.qkv += layer.qkv;
    sum.scores += layer.scores;
    sum.values += layer.values;
    sum.out += layer.out;
    sum.feed_forward += layer.feed_forward;
    sum.merge += layer.merge;
  }
  EXPECT_EQ(padded, (std::vector<std::int64_t>{9472, 4736, 2432, 2432, 1280, 1280, 640, 640, 384, 384, 256, 256}));
  EXPECT_NEAR(millions(sum.qkv), 2'675.4, 0.05);
  EXPECT_NEAR(millions(sum.scores), 594.5, 0.05);
  EXPECT_NEAR(millions(sum.values), 594.5, 0.05);
  EXPECT_NEAR(millions(sum.out), 891.8, 0.05);
  EXPECT_NEAR(millions(sum.feed_forward), 7'134.5, 0.05);
  EXPECT_NEAR(millions(sum.merge), 683.5, 0.05);
  EXPECT_NEAR(millions(cost.head), 0.2, 0.05);
  EXPECT_NEAR(millions(cost.stem_dense), 11'106.4, 0.05);
  EXPECT_NEAR(millions(cost.stem_table_adds), 57.8, 0.05);
  EXPECT_NEAR(millions(cost.table_build), 303, 0.5);
  EXPECT_NEAR(millions(cost.total_published), 23'681, 0.5);
  EXPECT_NEAR(millions(cost.total_byte_table), 12'575, 0.5);
  EXPECT_NEAR(millions(cost.total_as_run), 12'111, 0.5);
  EXPECT_NEAR(millions(cost.total_as_run + cost.stem_dense), 23'217, 0.5);
}

TEST(FileCost, OfAMaskedTiffIsThatOfTheSpecification) {
  const FileCost cost = file_cost(tiny(Masking::kMasked), 150'668);
  EXPECT_EQ(cost.num_tokens, 9'417);
  EXPECT_NEAR(millions(cost.total_published), 23'684, 0.5);
  EXPECT_NEAR(millions(cost.total_byte_table), 12'575, 0.5);
  EXPECT_LT(cost.total_as_run, cost.total_byte_table);
}

TEST(FileCost, CountsMaskedPiecesAsTheyAreCut) {
  auto config = tiny(Masking::kMasked);
  for (const std::int64_t shift : {0, 1, 5, 7, 12, 64}) {
    config.window_sizes.assign(12, 7);
    config.window_shifts.assign(12, shift);
    for (std::int64_t num_bytes = 1; num_bytes < 800; num_bytes += 16) {
      const LayerCost layer = file_cost(config, num_bytes).layers[0];
      std::int64_t num_pieces = 0;
      std::int64_t num_pairs = 0;
      std::int64_t piece = 0;
      for (std::int64_t row = 0; row < layer.num_rows; ++row) {
        ++piece;
        const bool cut_follows = row + 1 == layer.num_rows || (row + 1 - shift % 7) % 7 == 0;
        if (!cut_follows) continue;
        ++num_pieces;
        num_pairs += piece * piece;
        piece = 0;
      }
      ASSERT_EQ(layer.num_windows, num_pieces) << shift << " " << num_bytes;
      const std::int64_t rows_cost = layer.num_rows * (4 * 192 * 192 + 2 * 192 * 768);
      ASSERT_EQ(layer.total_as_run, rows_cost + 2 * num_pairs * 192 + layer.merge) << shift << " " << num_bytes;
    }
  }
}

TEST(FileCost, WithoutConvolutionHasNoStem) {
  auto config = tiny(Masking::kReleased);
  config.conv_kernel_size = 0;
  const FileCost cost = file_cost(config, 1'000);
  EXPECT_EQ(cost.num_tokens, 1'000);
  EXPECT_EQ(cost.stem_dense, 0);
  EXPECT_EQ(cost.total_published, cost.total_byte_table);
}

TEST(FileCost, RefusesWhatItCannotCount) {
  const auto config = tiny(Masking::kReleased);
  const auto code_of = [&](std::int64_t num_bytes) {
    try {
      file_cost(config, num_bytes);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code_of(0), ErrorCode::kEmptyFile);
  EXPECT_EQ(code_of(-1), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(std::numeric_limits<std::int64_t>::max()), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace byteformer::model
