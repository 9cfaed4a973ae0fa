// Tokens, windows and merges: engine, training, costs, ONNX and explain against the oracle, for any kernel, window,
// shift, masking, merges and length.
#include "nn/geometry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "backprop/merge.hpp"
#include "backprop/stem.hpp"
#include "backprop/window_plan.hpp"
#include "interop/import_export.hpp"
#include "model/cost.hpp"
#include "model/remembered_run.hpp"
#include "support/effort.hpp"
#include "support/onnx_interpreter.hpp"
#include "support/oracle.hpp"
#include "support/random_model.hpp"
#include "support/run_model.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::test {
namespace {

using File = std::vector<std::uint8_t>;
using Windows = std::set<VisibleRows>;

/// What the oracle says of one file.
struct Truth {
  std::size_t num_tokens;
  std::vector<std::size_t> rows;  // that come to each layer, and last to the head
  std::vector<Windows> windows;   // of each layer
  std::vector<double> logits;
};

Truth truth_of(const format::ModelConfig& config, const format::Tensors& tensors, const File& file) {
  OracleStages oracle = oracle_forward(config, tensors, config.masking, file);
  Truth truth{oracle.stages.front().second.size(), {}, std::move(oracle.windows), std::move(oracle.logits)};
  truth.rows.push_back(truth.num_tokens);
  for (const auto& [stage, rows] : oracle.stages) {
    if (stage.starts_with("merge_")) truth.rows.back() = rows.size();
    if (stage.starts_with("block_")) truth.rows.push_back(rows.size());
  }
  return truth;
}

nn::WindowGeometry windows_of(const format::ModelConfig& config, std::size_t layer) {
  return {config.window_sizes[layer], config.window_shifts[layer], config.masking};
}

VisibleRows visible(std::span<const std::int32_t> rows, std::size_t num_filler) {
  return {{rows.begin(), rows.end()}, num_filler};
}

/// The windows that the engine cuts out of a stream of rows of which the first `late` come last.
Windows cut_by_engine(const nn::WindowGeometry& geometry, std::size_t late, std::size_t num_rows) {
  nn::WindowCutter cutter(geometry, late, 1);
  const std::size_t num_late = std::min(late, num_rows);
  nn::PackedRows in(1);
  for (std::size_t i = 0; i < num_rows; ++i) in.append(1)[0] = static_cast<float>((num_late + i) % num_rows);
  in.segments = {{num_rows - num_late, num_late, true}};
  base::ThreadPool pool(1);
  cutter.push(in, pool);
  Windows windows;
  for (const nn::Window& window : cutter.windows()) {
    std::vector<std::int32_t> rows;
    for (const std::int32_t at : cutter.order().subspan(window.begin, window.num_rows))
      rows.push_back(static_cast<std::int32_t>(cutter.rows()[static_cast<std::size_t>(at) * cutter.row_size()]));
    EXPECT_TRUE(windows.insert(visible(rows, window.num_filler)).second) << "a window twice";
  }
  return windows;
}

void check_layers(const format::ModelConfig& config, const Truth& truth) {
  std::size_t late = 0;
  for (std::size_t layer = 0; layer < truth.windows.size(); ++layer) {
    const nn::WindowGeometry geometry = windows_of(config, layer);
    const std::size_t num_rows = truth.rows[layer];
    ASSERT_EQ(geometry.num_windows(num_rows), truth.windows[layer].size());
    for (const auto& [rows, num_filler] : truth.windows[layer])
      for (const std::size_t row : rows) {
        const nn::WindowRows window = geometry.window(geometry.window_of(row, num_rows), num_rows);
        ASSERT_EQ(window.num_rows(), rows.size());
        ASSERT_EQ(window.num_filler, num_filler);
      }
    ASSERT_EQ(cut_by_engine(geometry, late, num_rows), truth.windows[layer]) << "engine, " << late << " late rows";

    const std::int64_t file_rows[] = {static_cast<std::int64_t>(num_rows)};
    const backprop::WindowPlan plan = backprop::cut_windows(file_rows, geometry);
    Windows planned;
    for (const nn::Window& window : plan.windows)
      planned.insert(visible(std::span(plan.rows).subspan(window.begin, window.num_rows), window.num_filler));
    ASSERT_EQ(planned, truth.windows[layer]) << "training";

    late = geometry.num_late(late);
    if (!config.downsample[layer]) continue;
    const backprop::MergePlan pairs = backprop::pair_rows(file_rows);
    ASSERT_EQ(pairs.num_merged(), truth.rows[layer + 1]);
    ASSERT_EQ(nn::WindowGeometry::pairs().num_windows(num_rows), truth.rows[layer + 1]);
    late = nn::WindowGeometry::pairs().num_windows(late);
  }
}

void check_costs(const format::ModelConfig& config, const Truth& truth, std::size_t num_bytes) {
  const model::FileCost cost = model::file_cost(config, static_cast<std::int64_t>(num_bytes));
  const auto count = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  ASSERT_EQ(cost.num_tokens, count(truth.num_tokens));
  const std::int64_t hidden = config.hidden_size;
  for (std::size_t layer = 0; layer < cost.layers.size(); ++layer) {
    const model::LayerCost& of_layer = cost.layers[layer];
    ASSERT_EQ(of_layer.num_rows, count(truth.rows[layer]));
    ASSERT_EQ(of_layer.num_windows, count(truth.windows[layer].size()));
    std::int64_t num_pairs = 0, num_filler = 0;
    for (const auto& [rows, filler] : truth.windows[layer]) {
      num_pairs += count(rows.size() * (rows.size() + filler));
      num_filler += count(filler);
    }
    if (config.masking == Masking::kReleased) {
      ASSERT_EQ(of_layer.num_filler_rows, num_filler);
    }
    const std::int64_t merge = config.downsample[layer] ? 2 * count(truth.rows[layer + 1]) * hidden * hidden : 0;
    const std::int64_t of_row = 4 * hidden * hidden + 2 * hidden * config.intermediate_size;
    ASSERT_EQ(of_layer.total_as_run, of_layer.num_rows * of_row + 2 * num_pairs * hidden + merge);
  }
}

/// Rows that the layers compute where bytes [begin, end) change.
std::uint64_t rows_to_compute(const format::ModelConfig& config, const Truth& truth, const ByteRange& range) {
  const auto taps = static_cast<std::uint64_t>(std::max<std::int64_t>(1, config.conv_kernel_size));
  const std::uint64_t stride = config.conv_kernel_size == 0 ? 1 : taps / 2;
  std::set<std::size_t> changed;
  for (std::uint64_t t = 0; t < truth.num_tokens; ++t)
    if (range.begin < range.end && t * stride < range.end && range.begin < t * stride + taps) changed.insert(t);
  std::uint64_t total = 0;
  for (std::size_t layer = 0; layer < truth.windows.size(); ++layer) {
    std::set<std::size_t> reached;
    for (const auto& [rows, filler] : truth.windows[layer])
      if (std::ranges::any_of(rows, [&](std::size_t row) { return changed.contains(row); }))
        reached.insert(rows.begin(), rows.end());
    total += reached.size();
    changed.clear();
    for (const std::size_t row : reached) changed.insert(config.downsample[layer] ? row / 2 : row);
  }
  return total;
}

void check_explain(const model::ByteFormer& model, const Truth& truth, const File& file, Random& random) {
  base::ThreadPool pool(1);
  const model::RememberedRun remembered(model, file, pool);
  ASSERT_EQ(remembered.num_rows(), std::accumulate(truth.rows.begin(), truth.rows.end() - 1, std::uint64_t{0}));
  model::Rerun rerun(remembered);
  const auto begin = pick(random, 0, static_cast<std::int64_t>(file.size()));
  const auto end = pick(random, begin, std::min<std::int64_t>(begin + 40, static_cast<std::int64_t>(file.size())));
  const ByteRange range{static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end)};
  rerun.run(std::span(&range, 1), 7);
  ASSERT_EQ(rerun.num_rows(), rows_to_compute(model.config(), truth, range));
}

void check_tokens(const format::ModelConfig& config, const Truth& truth, const File& file) {
  const nn::TokenGeometry tokens(config.conv_kernel_size, config.masking);
  ASSERT_EQ(tokens.num_tokens(std::uint64_t{file.size()}), truth.num_tokens);
  const std::span<const std::uint8_t> files[] = {file};
  ASSERT_EQ(backprop::pack_ids(tokens, files).num_tokens(), truth.num_tokens);
}

TEST(Geometry, IsThatOfTheOracleForWhoeverComputesCountsOrExports) {
  Random random(11);
  base::ThreadPool pool(1);
  const TemporaryFolder folder;
  for (int trial = 0; trial < effort(100); ++trial) {
    format::ModelConfig config = random_config(random);
    config.masking = trial % 2 == 0 ? Masking::kReleased : Masking::kMasked;
    const auto tensors = random_tensors(config, random);
    const model::ByteFormer model(config, tensors, config.masking, kernels::default_kernels(), pool);
    model::Workspace ws = model.make_workspace(pool);
    const auto exported = folder / "model.onnx";
    interop::export_onnx({folder.path(), config, *tensors}, exported);
    for (const std::int64_t most : {40, 40, 300}) {
      const File file = random_file(random, static_cast<std::size_t>(pick(random, 1, most)));
      const Truth truth = truth_of(config, *tensors, file);
      SCOPED_TRACE(std::to_string(file.size()) + " bytes, trial " + std::to_string(trial) + ", " +
                   format::to_json(config));
      check_tokens(config, truth, file);
      check_layers(config, truth);
      check_costs(config, truth, file.size());
      check_explain(model, truth, file, random);
      ASSERT_LT(relative_error(run_file(model, ws, file), truth.logits), 2e-5) << "engine";
      ASSERT_LT(relative_error(run_onnx(exported, file), truth.logits), 1e-5) << "ONNX";
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace byteformer::test
