// Runs of a file without some bytes: the bits of whole runs, for the price of the windows that differ.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "byteformer/error.hpp"
#include "model/remembered_run.hpp"
#include "support/effort.hpp"
#include "support/linear_kernels.hpp"
#include "support/random_model.hpp"
#include "support/run_model.hpp"

namespace byteformer::test {
namespace {

using File = std::vector<std::uint8_t>;

constexpr std::uint8_t kSilent = 77;

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

/// Random weights that say as little of the byte kSilent as of no byte, so that a whole run over bytes shows what a
/// whole run without bytes would give.
std::shared_ptr<const format::Tensors> tensors_with_silence(const format::ModelConfig& config, Random& random) {
  const auto base = random_tensors(config, random);
  struct Storage {
    std::shared_ptr<const format::Tensors> base;
    std::vector<float> embedding;
  };
  auto storage = std::make_shared<Storage>();
  storage->base = base;
  storage->embedding = format::to_float32(base->by_name.at("embeddings.weight"), "embeddings.weight");
  std::fill_n(storage->embedding.begin() + kSilent * config.hidden_size, config.hidden_size, 0.0f);
  auto tensors = std::make_shared<format::Tensors>(*base);
  tensors->by_name.at("embeddings.weight").bytes = std::as_bytes(std::span(storage->embedding));
  tensors->storage = storage;
  return tensors;
}

File without(File file, std::span<const ByteRange> ranges, std::uint8_t value) {
  for (const ByteRange& range : ranges)
    std::fill(file.begin() + static_cast<std::ptrdiff_t>(range.begin),
              file.begin() + static_cast<std::ptrdiff_t>(range.end), value);
  return file;
}

/// How many rows the layers have to compute if these bytes change, by the definition: windows of rolled, padded rows.
std::uint64_t expected_rows(const model::ByteFormer& model, std::size_t num_bytes, std::span<const ByteRange> ranges) {
  const format::ModelConfig& config = model.config();
  const bool is_masked = model.masking() == Masking::kMasked;
  const auto kernel = static_cast<std::size_t>(std::max<std::int64_t>(1, config.conv_kernel_size));
  const std::size_t stride = config.conv_kernel_size == 0 ? 1 : kernel / 2;
  std::size_t num_rows = model.stem().tokens().num_tokens(num_bytes);
  std::set<std::size_t> changed;
  for (std::size_t t = 0; t < num_rows; ++t)
    for (const ByteRange& range : ranges)
      if (range.begin < range.end && t * stride < range.end && range.begin < t * stride + kernel) changed.insert(t);
  std::uint64_t total = 0;
  for (std::size_t layer = 0; layer < config.downsample.size(); ++layer) {
    const auto size = static_cast<std::size_t>(config.window_sizes[layer]);
    const std::size_t padded = (num_rows + size - 1) / size * size;
    const std::size_t shift = static_cast<std::size_t>(config.window_shifts[layer]) % size;
    const auto window_of = [&](std::size_t row) {
      const std::size_t window = (row + padded - shift) % padded / size;
      return is_masked && row < shift ? padded / size : window;
    };
    std::set<std::size_t> windows, rows;
    for (const std::size_t row : changed) windows.insert(window_of(row));
    for (std::size_t row = 0; row < num_rows; ++row)
      if (windows.contains(window_of(row))) rows.insert(row);
    total += rows.size();
    changed = std::move(rows);
    if (!config.downsample[layer]) continue;
    std::set<std::size_t> pairs;
    for (const std::size_t row : changed) pairs.insert(row / 2);
    changed = std::move(pairs);
    num_rows = (num_rows + 1) / 2;
  }
  return total;
}

std::vector<ByteRange> random_ranges(Random& random, std::size_t num_bytes) {
  const auto length = static_cast<std::int64_t>(num_bytes);
  std::vector<ByteRange> ranges;
  const std::int64_t count = pick(random, 0, 3) == 0 ? pick(random, 0, 4) : 1;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t begin = pick(random, 0, length);
    const std::int64_t most = pick(random, 0, 1) == 0 ? length - begin : std::min<std::int64_t>(40, length - begin);
    ranges.push_back({static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(begin + pick(random, 0, most))});
  }
  return ranges;
}

void check_reruns(const model::ByteFormer& model, const File& file, Random& random, int num_reruns) {
  base::ThreadPool one(1), some(static_cast<int>(pick(random, 1, 4)));
  model::Workspace ws = model.make_workspace(one);
  const model::RememberedRun remembered(model, file, some);
  ASSERT_TRUE(same_bits(remembered.result().logits, run_file(model, ws, file)));
  model::Rerun rerun(remembered);
  for (int i = 0; i < num_reruns; ++i) {
    const std::vector<ByteRange> ranges = random_ranges(random, file.size());
    const bool is_removed = pick(random, 0, 1) == 0;
    const auto value = is_removed ? kSilent : static_cast<std::uint8_t>(pick(random, 0, 255));
    rerun.run(ranges, is_removed ? nn::ByteStem::kPadding : value);
    ASSERT_TRUE(same_bits(rerun.result().logits, run_file(model, ws, without(file, ranges, value))))
        << "rerun " << i << " of " << file.size() << " bytes, " << format::to_string(model.masking()) << "\n"
        << format::to_json(model.config());
    ASSERT_TRUE(same_bits(rerun.result().features, ws.results.features));
    ASSERT_EQ(rerun.num_rows(), expected_rows(model, file.size(), ranges)) << format::to_json(model.config());
  }
}

void check_models(const NamedKernels& kernels, std::uint64_t seed, int num_models, int num_reruns) {
  Random random(seed);
  for (int trial = 0; trial < num_models; ++trial) {
    const format::ModelConfig config = random_config(random);
    const auto tensors = tensors_with_silence(config, random);
    const std::int64_t stride = std::max<std::int64_t>(1, config.conv_kernel_size / 2);
    for (const Masking masking : {Masking::kReleased, Masking::kMasked}) {
      base::ThreadPool one(1);
      const model::ByteFormer model(config, tensors, masking, kernels.kernels, one);
      for (const std::int64_t most : {std::int64_t{60}, config.max_position_embeddings * stride}) {
        check_reruns(model, random_file(random, static_cast<std::size_t>(pick(random, 1, most))), random, num_reruns);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

class RerunTest : public ::testing::TestWithParam<NamedKernels> {};

TEST_P(RerunTest, GivesTheBitsOfWholeRunsForTheRowsThatDiffer) { check_models(GetParam(), 5, effort(25), 8); }

RC_GTEST_PROP(RerunProperty, AnySeedGivesTheBitsOfWholeRuns, (std::uint64_t seed)) {
  const auto kernels = all_linear_kernels();
  check_models(kernels[seed % kernels.size()], seed, 1, 3);
  RC_ASSERT(!::testing::Test::HasFatalFailure());
}

INSTANTIATE_TEST_SUITE_P(Kernels, RerunTest, ::testing::ValuesIn(all_linear_kernels()),
                         [](const auto& test) { return test.param.name; });

/// The paper's 150,668-byte TIFF through the tiny model's windows, with fewer channels.
TEST(Rerun, OfALongFileComputesASmallPart) {
  format::ModelConfig config;
  config.hidden_size = 16;
  config.num_attention_heads = 2;
  config.intermediate_size = 16;
  config.num_hidden_layers = 12;
  config.conv_kernel_size = 32;
  config.max_position_embeddings = 10'000;
  for (int layer = 0; layer < 12; ++layer) {
    config.window_sizes.push_back(128);
    config.window_shifts.push_back(layer % 2 == 0 ? 0 : 64);
    config.downsample.push_back(layer == 0 || (layer % 2 == 1 && layer < 10));
  }
  config.num_labels = 2;
  config.labels = {"a", "b"};
  Random random(3);
  base::ThreadPool pool(2);
  const model::ByteFormer model(config, random_tensors(config, random), Masking::kReleased, kernels::default_kernels(),
                                pool);
  const File file = random_file(random, 150'668);
  const model::RememberedRun remembered(model, file, pool);
  EXPECT_EQ(remembered.num_rows(), 9415U + 4708 + 2 * 2354 + 2 * 1177 + 2 * 589 + 2 * 295 + 2 * 148);
  model::Rerun rerun(remembered);
  const ByteRange range{75'000, 75'032};
  rerun.run(std::span(&range, 1), nn::ByteStem::kPadding);
  EXPECT_EQ(rerun.num_rows(), expected_rows(model, file.size(), std::span(&range, 1)));
  EXPECT_LT(6 * rerun.num_rows(), remembered.num_rows());
}

TEST(Rerun, RefusesWhatCannotBeRun) {
  Random random(4);
  format::ModelConfig config = random_config(random);
  config.conv_kernel_size = 8;
  config.position_embedding = format::PositionEmbedding::kLearned;
  base::ThreadPool pool(1);
  const model::ByteFormer model(config, random_tensors(config, random), Masking::kMasked, kernels::default_kernels(),
                                pool);
  const auto code_for = [&](std::size_t num_bytes) {
    try {
      const model::RememberedRun run(model, File(num_bytes), pool);
      return ErrorCode::kInternal;
    } catch (const Error& error) {
      return error.code();
    }
  };
  EXPECT_EQ(code_for(0), ErrorCode::kEmptyFile);
  EXPECT_EQ(code_for(4 * 1200 + 1), ErrorCode::kTooManyTokens);
}

}  // namespace
}  // namespace byteformer::test
