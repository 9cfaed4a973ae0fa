// Keeps the bytes that no token has used up, and sums rows of the byte table in tasks of a few tokens.
#include "nn/byte_stem.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "byteformer/error.hpp"

namespace byteformer::nn {
namespace {

constexpr std::size_t kTaskTokens = 64;

std::size_t table_size(std::size_t hidden_size, const TokenGeometry& tokens) {
  return tokens.taps() * ByteStem::kVocabulary * kernels::padded(hidden_size);
}

}  // namespace

ByteStem::ByteStem(const kernels::Kernels& kernels, const ByteStemView& view, std::size_t hidden_size,
                   const TokenGeometry& tokens, Positions positions, base::ThreadPool& pool, base::PageArena* arena)
    : kernels_(&kernels),
      hidden_size_(hidden_size),
      tokens_(tokens),
      positions_(std::move(positions)),
      table_(table_size(hidden_size, tokens), arena) {
  BF_DCHECK_EQ(view.embedding.size(), kVocabulary * hidden_size);
  BF_DCHECK_EQ(view.convolution.size(), view.convolution.empty() ? 0 : hidden_size * hidden_size * tokens.taps());
  BF_DCHECK(!view.convolution.empty() || tokens.taps() == 1);
  build_byte_table(kernels, view.embedding.data(), view.convolution.empty() ? nullptr : view.convolution.data(),
                   hidden_size, tokens_.taps(), table_.data(), pool);
}

std::size_t ByteStem::arena_bytes(std::size_t hidden_size, const TokenGeometry& tokens) noexcept {
  return base::PageArena::rounded(table_size(hidden_size, tokens) * sizeof(float));
}

void ByteStem::sum_rows(const std::uint16_t* ids, std::uint64_t first, std::size_t count, WorkerScratch& scratch,
                        float* out) const {
  const std::size_t row_size = kernels::padded(hidden_size_);
  for (std::size_t done = 0; done < count; done += kTaskTokens) {
    const std::size_t tokens = std::min(kTaskTokens, count - done);
    sum_task(ids + (first + done) * tokens_.stride(), first + done, tokens, scratch, out + done * row_size);
  }
}

void ByteStem::sum_task(const std::uint16_t* ids, std::uint64_t first, std::size_t tokens, WorkerScratch& scratch,
                        float* out) const {
  BF_DCHECK(tokens > 0 && tokens <= kTaskTokens);
  BF_DCHECK(std::all_of(ids, ids + tokens_.num_ids(tokens), [](std::uint16_t id) { return id < kVocabulary; }));
  const std::size_t row_size = kernels::padded(hidden_size_);
  kernels_->sum_table_rows({.table = table_.data(),
                            .kernel_size = tokens_.taps(),
                            .vocab = kVocabulary,
                            .stride = tokens_.stride(),
                            .row_size = row_size,
                            .ids = ids,
                            .tokens = tokens,
                            .positions = positions_.rows(first, tokens, scratch.normed.get(tokens * row_size)),
                            .out = out});
}

void ByteStem::check_tokens(std::uint64_t num_tokens) const {
  const auto limit = max_tokens();
  if (!limit || num_tokens <= *limit) return;
  throw Error(ErrorCode::kTooManyTokens,
              "needs " + std::to_string(num_tokens) + " tokens, but the model has learned positions for " +
                  std::to_string(*limit) +
                  "; shorten the file, or use a model with a larger kernel, more positions or sinusoidal ones");
}

void ByteStem::take(std::span<const std::uint8_t>& bytes, std::size_t max_rows, ByteStemState& state, Workers& workers,
                    PackedRows& out) const {
  if (out.num_rows >= max_rows) return;
  const std::size_t most_ids = tokens_.num_ids(max_rows - out.num_rows);
  const std::size_t taken = std::min(bytes.size(), most_ids - std::min(most_ids, state.num_ids));
  if (state.ids.size() < state.num_ids + taken) state.ids.resize(state.num_ids + taken);
  std::copy_n(bytes.begin(), taken, state.ids.begin() + static_cast<std::ptrdiff_t>(state.num_ids));
  bytes = bytes.subspan(taken);
  state.num_ids += taken;
  state.num_bytes += taken;
  if (const std::size_t complete = tokens_.num_complete(state.num_ids); complete > 0)
    sum_tokens(complete, state, workers, out);
}

void ByteStem::finish(ByteStemState& state, Workers& workers, PackedRows& out) const {
  BF_DCHECK_LE(state.num_ids, state.ids.size());
  if (state.num_bytes == 0) throw Error(ErrorCode::kEmptyFile, "is empty: there is nothing to classify");
  BF_DCHECK_LE(state.num_tokens, tokens_.num_tokens(state.num_bytes));
  const auto remaining = static_cast<std::size_t>(tokens_.num_tokens(state.num_bytes) - state.num_tokens);
  if (remaining > 0) {
    const std::size_t needed = tokens_.num_ids(remaining);
    if (state.ids.size() < needed) state.ids.resize(needed);
    std::fill(state.ids.begin() + static_cast<std::ptrdiff_t>(state.num_ids),
              state.ids.begin() + static_cast<std::ptrdiff_t>(std::max(needed, state.num_ids)), kPadding);
    state.num_ids = needed;
    sum_tokens(remaining, state, workers, out);
  }
  if (out.segments.empty() || out.segments.back().ends) out.segments.emplace_back();
  out.segments.back().ends = true;
  state.num_ids = 0;
  state.num_bytes = 0;
  state.num_tokens = 0;
}

void ByteStem::sum_tokens(std::size_t count, ByteStemState& state, Workers& workers, PackedRows& out) const {
  BF_DCHECK_LE(tokens_.num_ids(count), state.num_ids);
  BF_DCHECK_EQ(out.buffer.row_size(), kernels::padded(hidden_size_));
  check_tokens(state.num_tokens + count);
  const std::size_t row_size = kernels::padded(hidden_size_);
  float* rows = out.append(count);
  workers.reserve(std::min(kTaskTokens, count) * row_size, 0, 0);
  workers.pool.parallel_for((count + kTaskTokens - 1) / kTaskTokens, [&](std::size_t task, int worker) noexcept {
    const std::size_t first = task * kTaskTokens;
    const std::size_t tokens = std::min(kTaskTokens, count - first);
    sum_task(state.ids.data() + first * tokens_.stride(), state.num_tokens + first, tokens, workers.of(worker),
             rows + first * row_size);
  });
  positions_.release(state.num_tokens, count);
  if (out.segments.empty() || out.segments.back().ends) out.segments.emplace_back();
  out.segments.back().num_rows += count;
  state.num_tokens += count;
  const std::size_t used = std::min(count * tokens_.stride(), state.num_ids);
  std::copy(state.ids.begin() + static_cast<std::ptrdiff_t>(used),
            state.ids.begin() + static_cast<std::ptrdiff_t>(state.num_ids), state.ids.begin());
  state.num_ids -= used;
}

}  // namespace byteformer::nn
