// Sends rounds of rows through stem, blocks, merges and head, and says how much memory that takes.
#include "model/byteformer.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "model/weight_loader.hpp"
#include "model/weights.hpp"

namespace byteformer::model {
namespace {

constexpr std::size_t kLeastReadyRows = 256;  // per thread: what is worth a pass over a layer's weights

nn::LinearKernels keeping_weights_in(base::PageArena& arena, nn::LinearKernels kernels) {
  kernels.arena = &arena;
  return kernels;
}

std::shared_ptr<const format::Tensors> checked(const format::ModelConfig& config,
                                               std::shared_ptr<const format::Tensors> tensors) {
  check_layout(config, *tensors);  // the loader checks the numbers as it reads them
  return tensors;
}

}  // namespace

std::size_t Workspace::num_bytes() const noexcept {
  std::size_t total = x.buffer.capacity() * x.buffer.row_size() * sizeof(float) + workers.shared.num_bytes() +
                      workers.finished.num_bytes();
  for (const nn::WorkerScratch& scratch : workers.scratch) total += scratch.num_bytes();
  for (const StageState& stage : stages)
    total += stage.windows.num_bytes() + (stage.pairs ? stage.pairs->num_bytes() : 0);
  return total;
}

ByteFormer::ByteFormer(const format::ModelConfig& config, std::shared_ptr<const format::Tensors> tensors,
                       Masking masking, nn::LinearKernels kernels, base::ThreadPool& pool)
    : config_(config),
      masking_(masking),
      tensors_(checked(config, std::move(tensors))),
      weights_(WeightLoader::arena_bytes(config_, kernels)),
      stem_(WeightLoader(config_, *tensors_, keeping_weights_in(weights_, kernels)).stem(masking, pool, positions_)),
      head_(WeightLoader(config_, *tensors_, keeping_weights_in(weights_, kernels)).head()) {
  WeightLoader loader(config_, *tensors_, keeping_weights_in(weights_, kernels));
  for (std::size_t layer = 0; layer < config_.downsample.size(); ++layer) {
    stages_.push_back({loader.block(layer), std::nullopt});
    if (config_.downsample[layer]) stages_.back().merge = loader.merge(layer);
  }
}

Workspace ByteFormer::make_workspace(base::ThreadPool& pool) const {
  const auto hidden = static_cast<std::size_t>(config_.hidden_size);
  Workspace ws(pool, hidden);
  std::size_t late = 0;
  for (std::size_t layer = 0; layer < stages_.size(); ++layer) {
    ws.stages.push_back({nn::WindowCutter(windows(layer), late, hidden), std::nullopt});
    late = windows(layer).num_late(late);
    if (!stages_[layer].merge) continue;
    ws.stages.back().pairs.emplace(nn::WindowGeometry::pairs(), late, hidden);
    late = nn::WindowGeometry::pairs().num_windows(late);
  }
  return ws;
}

std::size_t ByteFormer::max_workspace_bytes(int num_threads) const noexcept {
  // Every layer may hold back nearly least_rows, an unfinished window and its late rows, and hand on all of them at
  // once. Files of one token make this the worst case: their rows are never halved.
  const auto threads = static_cast<std::size_t>(num_threads);
  const auto hidden = static_cast<std::size_t>(config_.hidden_size);
  const std::size_t row_size = kernels::padded(hidden);
  const std::size_t qkv_size = kernels::padded(3 * hidden);
  const std::size_t wide_size = kernels::padded(static_cast<std::size_t>(config_.intermediate_size));
  std::size_t rows = threads * kRoundTokens + 2;
  std::size_t total = 0;
  std::size_t largest_window = 0;
  std::size_t late = 0;
  for (std::size_t layer = 0; layer < stages_.size(); ++layer) {
    const std::size_t window = windows(layer).size();
    late = windows(layer).num_late(late);
    rows += threads * kLeastReadyRows + window + late;
    total += rows * (stages_[layer].merge ? 2 : 1);
    largest_window = std::max(largest_window, window);
    if (stages_[layer].merge) late = nn::WindowGeometry::pairs().num_windows(late);
  }
  total += 2 * rows;  // x and the merged rows
  const std::size_t task_rows = nn::EncoderBlock::kMostTaskRows + largest_window;
  const std::size_t reduced_size = std::max(wide_size, 2 * row_size) / 2 + 2;  // 16 bits a value, and the row's range
  const std::size_t worker =
      task_rows * (row_size + std::max(qkv_size, wide_size) + reduced_size) +
      kernels::attention_scratch_size(largest_window, hidden / static_cast<std::size_t>(config_.num_attention_heads));
  return (nn::RowBuffer::grown(total) * row_size + threads * worker) * sizeof(float);
}

void ByteFormer::forward(Workspace& ws, bool flush) const {
  BF_DCHECK_EQ(ws.stages.size(), stages_.size());  // a workspace is made for one model
  BF_DCHECK(ws.x.is_whole());
  const auto observe = [&ws](const char* stage, std::size_t layer) {
    if (ws.observer) ws.observer(stage + std::to_string(layer), ws.x);
  };
  const std::size_t least_rows = flush ? 0 : kLeastReadyRows * static_cast<std::size_t>(ws.workers.pool.num_threads());
  if (ws.observer) ws.observer("stem", ws.x);
  for (std::size_t layer = 0; layer < stages_.size(); ++layer) {
    const Stage& stage = stages_[layer];
    auto& [windows, pairs] = ws.stages[layer];
    windows.push(ws.x, ws.workers.pool);
    ws.x.clear();
    if (windows.num_ready() < least_rows) return;  // the rows wait until a pass is worth its while
    stage.block(windows, ws.workers);
    windows.emit_rows(ws.x, ws.workers.pool);
    observe("block_", layer);
    if (!stage.merge) continue;
    pairs->push(ws.x, ws.workers.pool);
    pairs->emit_windows((*stage.merge)(*pairs, ws.workers), ws.x, ws.workers.pool);
    observe("merge_", layer);
  }
  head_(ws.x, ws.mean, ws.workers, ws.results);
  ws.x.clear();
}

void ByteFormer::feed(std::span<const std::uint8_t> bytes, Workspace& ws) const {
  const std::size_t round = kRoundTokens * static_cast<std::size_t>(ws.workers.pool.num_threads());
  while (!bytes.empty()) {
    stem_.take(bytes, round, ws.stem, ws.workers, ws.x);
    if (ws.x.num_rows >= round) forward(ws, false);
  }
}

void ByteFormer::end_file(Workspace& ws) const { stem_.finish(ws.stem, ws.workers, ws.x); }

void ByteFormer::flush(Workspace& ws) const {
  BF_DCHECK_EQ(ws.stem.num_bytes, 0);  // no file is open
  forward(ws, true);
}

void ByteFormer::reset(Workspace& ws) const {
  ws.x.clear();
  ws.stem = {};
  ws.mean = {};
  ws.results.clear();
  for (auto& [windows, pairs] : ws.stages) {
    windows.clear();
    if (pairs) pairs->clear();
  }
}

}  // namespace byteformer::model
