// Makes the layers of the tensors of a checkpoint, one layer after another; sends rounds of rows through them, and says
// how much memory that takes.
#include "model/byteformer.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <string>
#include <utility>

#include "base/aligned_buffer.hpp"
#include "base/check.hpp"
#include "base/file_io.hpp"
#include "model/weights.hpp"

namespace byteformer::model {
namespace {

bool is_aligned_float32(const format::TensorView& tensor) {
  return tensor.dtype == format::DType::kF32 &&
         reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % alignof(float) == 0;
}

std::span<const float> as_floats(const format::TensorView& tensor) {
  return {reinterpret_cast<const float*>(tensor.bytes.data()), tensor.bytes.size() / sizeof(float)};
}

/// Turns the tensors of a checkpoint into layers, under the names of the published state dict: those that
/// check_layout() has accepted; checks that their numbers are finite. One thread at a time.
///
/// Every function throws Error kInvalidModel where they are not. Of a file only one layer is in memory at a time,
/// beside what is packed.
class WeightLoader {
 public:
  WeightLoader(const format::ModelConfig& config, const format::Tensors& tensors, nn::LinearKernels kernels)
      : config_(config), tensors_(tensors), kernels_(kernels) {}

  /// What all layers' packed weights take of an arena.
  static std::size_t arena_bytes(const format::ModelConfig& config, nn::LinearKernels kernels) noexcept;

  /// `positions` receives the rows where they cannot be used as they lie in the file; it must outlive the stem.
  nn::ByteStem stem(Masking masking, base::ThreadPool& pool, std::vector<float>& positions);
  nn::EncoderBlock block(std::size_t layer);
  nn::TokenMerge merge(std::size_t layer);
  nn::MeanHead head();

 private:
  std::span<const float> get(const std::string& name);
  nn::LayerNormView norm(const std::string& name);
  nn::LinearView linear(const std::string& name);
  nn::Positions positions(std::vector<float>& storage);
  void expect(std::initializer_list<std::string> prefixes);  // makes room for tensors whose names begin so
  void release();                                            // forgets what get() returned

  const format::ModelConfig& config_;
  const format::Tensors& tensors_;
  nn::LinearKernels kernels_;
  base::PageArena room_{0};                          // for one layer of a file
  std::deque<base::AlignedBuffer<std::byte>> read_;  // what was read into it, until release()
  std::deque<std::vector<float>> converted_;         // tensors that are not aligned float32, until release()
};

std::size_t WeightLoader::arena_bytes(const format::ModelConfig& config, nn::LinearKernels kernels) noexcept {
  const auto hidden = static_cast<std::size_t>(config.hidden_size);
  const auto intermediate = static_cast<std::size_t>(config.intermediate_size);
  const auto of = [&](std::size_t in, std::size_t out) { return nn::Linear::arena_bytes(kernels, in, out); };
  const std::size_t block =
      of(hidden, 3 * hidden) + of(hidden, hidden) + of(hidden, intermediate) + of(intermediate, hidden);
  std::size_t total = nn::ByteStem::arena_bytes(hidden, {config.conv_kernel_size, config.masking});
  for (const bool merges : config.downsample) total += block + (merges ? of(2 * kernels::padded(hidden), hidden) : 0);
  return total + nn::Linear::arena_bytes(*kernels.full, hidden, static_cast<std::size_t>(config.num_labels));
}

std::span<const float> WeightLoader::get(const std::string& name) {
  BF_CHECK(tensors_.by_name.contains(name));  // check_layout() has seen it
  format::TensorView tensor = tensors_.by_name.find(name)->second;
  if (tensors_.file != nullptr && !tensor.bytes.empty()) {
    auto& copy = read_.emplace_back(tensor.bytes.size(), &room_);
    tensors_.file->read(tensor.bytes, copy.data());
    tensor.bytes = copy.span();
  }
  check_finite(name, tensor, tensors_.source);
  if (is_aligned_float32(tensor)) return as_floats(tensor);
  return converted_.emplace_back(format::to_float32(tensor, name));
}

void WeightLoader::expect(std::initializer_list<std::string> prefixes) {
  constexpr std::size_t kUnit = std::size_t{2} << 20;  // a huge page
  if (tensors_.file == nullptr) return;
  std::size_t total = 0;
  for (const std::string& prefix : prefixes) {
    auto tensor = tensors_.by_name.lower_bound(prefix);
    for (; tensor != tensors_.by_name.end() && tensor->first.starts_with(prefix); ++tensor)
      total += base::PageArena::rounded(tensor->second.bytes.size());
  }
  if (total >= kUnit / 4) total = (total + kUnit - 1) / kUnit * kUnit;
  if (total > room_.size()) room_ = base::PageArena(total);
}

void WeightLoader::release() {
  converted_.clear();
  read_.clear();
  room_.clear();
}

nn::LayerNormView WeightLoader::norm(const std::string& name) {
  return {.weight = get(name + ".weight"), .bias = get(name + ".bias")};
}

nn::LinearView WeightLoader::linear(const std::string& name) {
  return {.weight = get(name + ".weight"), .bias = get(name + ".bias")};
}

constexpr std::size_t kWorthMapping = std::size_t{4} << 20;  // bytes of positions

nn::Positions WeightLoader::positions(std::vector<float>& storage) {
  const auto hidden = static_cast<std::size_t>(config_.hidden_size);
  const std::string name = "pos_embed.pos_embed.pos_embed";
  std::span<const float> rows;
  if (const auto found = tensors_.by_name.find(name); found != tensors_.by_name.end()) {
    if (tensors_.file != nullptr) base::populate_pages(found->second.bytes);
    check_finite(name, found->second, tensors_.source);
    // Few positions are copied: then nothing is read from the file any more, which may be overwritten.
    if (!is_aligned_float32(found->second) || found->second.bytes.size() <= kWorthMapping)
      storage = format::to_float32(found->second, name);
    if (tensors_.file != nullptr) base::release_pages(found->second.bytes);
    rows = storage.empty() ? as_floats(found->second) : std::span<const float>(storage);
  }
  if (config_.position_embedding == format::PositionEmbedding::kLearned)
    return nn::Positions::learned(rows, hidden, tensors_.file != nullptr && storage.empty());
  return nn::Positions::sinusoidal(rows, static_cast<std::size_t>(config_.max_position_embeddings), hidden);
}

nn::ByteStem WeightLoader::stem(Masking masking, base::ThreadPool& pool, std::vector<float>& positions_storage) {
  expect({"embeddings.", "token_reduction_net."});
  nn::ByteStemView view{.embedding = get("embeddings.weight"), .convolution = {}};
  if (config_.conv_kernel_size > 0) view.convolution = get("token_reduction_net.weight");
  nn::ByteStem stem(*kernels_.full, view, static_cast<std::size_t>(config_.hidden_size),
                    {config_.conv_kernel_size, masking}, positions(positions_storage), pool, kernels_.arena);
  release();
  return stem;
}

nn::EncoderBlock WeightLoader::block(std::size_t layer) {
  const std::string prefix = "transformer." + std::to_string(layer) + ".";
  const auto hidden = static_cast<std::size_t>(config_.hidden_size);
  const auto eps = static_cast<float>(config_.layer_norm_eps);
  expect({prefix});
  const nn::AttentionView attention{.norm = norm(prefix + "pre_norm_mha.0"),
                                    .qkv = linear(prefix + "pre_norm_mha.1.qkv_proj"),
                                    .out = linear(prefix + "pre_norm_mha.1.out_proj")};
  const nn::FeedForwardView feed_forward{.norm = norm(prefix + "pre_norm_ffn.0"),
                                         .up = linear(prefix + "pre_norm_ffn.1"),
                                         .down = linear(prefix + "pre_norm_ffn.4")};
  nn::EncoderBlock block(
      nn::WindowAttention(kernels_, attention, hidden, static_cast<std::size_t>(config_.num_attention_heads), eps),
      nn::FeedForward(kernels_, feed_forward, hidden, static_cast<std::size_t>(config_.intermediate_size), eps));
  release();
  return block;
}

nn::TokenMerge WeightLoader::merge(std::size_t layer) {
  const std::string prefix = "downsamplers.downsample_" + std::to_string(layer) + ".";
  expect({prefix});
  const nn::TokenMergeView view{.reduction = {.weight = get(prefix + "reduction.weight"), .bias = {}},
                                .norm = norm(prefix + "norm")};
  nn::TokenMerge merge(kernels_, view, static_cast<std::size_t>(config_.hidden_size),
                       static_cast<float>(config_.layer_norm_eps));
  release();
  return merge;
}

nn::MeanHead WeightLoader::head() {
  expect({"post_transformer_norm.", "classifier."});
  nn::MeanHead head(kernels_, norm("post_transformer_norm"), linear("classifier"),
                    static_cast<std::size_t>(config_.hidden_size), static_cast<std::size_t>(config_.num_labels),
                    static_cast<float>(config_.layer_norm_eps));
  release();
  return head;
}

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
  std::size_t total = x_.buffer.capacity() * x_.buffer.row_size() * sizeof(float) + workers_.shared.num_bytes() +
                      workers_.finished.num_bytes();
  for (const nn::WorkerScratch& scratch : workers_.scratch) total += scratch.num_bytes();
  for (const StageState& stage : stages_)
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
    ws.stages_.push_back({nn::WindowCutter(windows(layer), late, hidden), std::nullopt});
    late = windows(layer).num_late(late);
    if (!stages_[layer].merge) continue;
    ws.stages_.back().pairs.emplace(nn::WindowGeometry::pairs(), late, hidden);
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
  BF_DCHECK_EQ(ws.stages_.size(), stages_.size());  // a workspace is made for one model
  BF_DCHECK(ws.x_.is_whole());
  const auto observe = [&ws](const char* stage, std::size_t layer) {
    if (ws.observer) ws.observer(stage + std::to_string(layer), ws.x_);
  };
  const std::size_t least_rows = flush ? 0 : kLeastReadyRows * static_cast<std::size_t>(ws.workers_.pool.num_threads());
  if (ws.observer) ws.observer("stem", ws.x_);
  for (std::size_t layer = 0; layer < stages_.size(); ++layer) {
    const Stage& stage = stages_[layer];
    auto& [windows, pairs] = ws.stages_[layer];
    windows.push(ws.x_, ws.workers_.pool);
    ws.x_.clear();
    if (windows.num_ready() < least_rows) return;  // the rows wait until a pass is worth its while
    stage.block(windows, ws.workers_);
    windows.emit_rows(ws.x_, ws.workers_.pool);
    observe("block_", layer);
    if (!stage.merge) continue;
    pairs->push(ws.x_, ws.workers_.pool);
    pairs->emit_windows((*stage.merge)(*pairs, ws.workers_), ws.x_, ws.workers_.pool);
    observe("merge_", layer);
  }
  head_(ws.x_, ws.mean_, ws.workers_, ws.results);
  ws.x_.clear();
}

void ByteFormer::feed(std::span<const std::uint8_t> bytes, Workspace& ws) const {
  const std::size_t round = kRoundTokens * static_cast<std::size_t>(ws.workers_.pool.num_threads());
  while (!bytes.empty()) {
    stem_.take(bytes, round, ws.stem_, ws.workers_, ws.x_);
    if (ws.x_.num_rows >= round) forward(ws, false);
  }
}

void ByteFormer::end_file(Workspace& ws) const { stem_.finish(ws.stem_, ws.workers_, ws.x_); }

void ByteFormer::flush(Workspace& ws) const {
  BF_DCHECK_EQ(ws.stem_.num_bytes, 0);  // no file is open
  forward(ws, true);
}

void ByteFormer::reset(Workspace& ws) const {
  ws.x_.clear();
  ws.stem_ = {};
  ws.mean_ = {};
  ws.results.clear();
  for (auto& [windows, pairs] : ws.stages_) {
    windows.clear();
    if (pairs) pairs->clear();
  }
}

}  // namespace byteformer::model
