// Packs bytes as ids, sums rows of the byte table, and takes gradients back through it.
#include "backprop/stem.hpp"

#include <algorithm>

#include "backprop/linear.hpp"
#include "base/check.hpp"
#include "nn/byte_table.hpp"

namespace byteformer::backprop {
namespace {

constexpr std::size_t kVocabulary = nn::kByteVocabulary;
constexpr std::uint16_t kPadding = 256;
constexpr std::size_t kTaskTokens = 64;

/// Adds the rows of all files to the rows of the positions that they were given.
void add_position_gradients(const StemShape& shape, const PackedIds& ids, const float* d_y, float* d_positions,
                            TrainingWorkers& workers) {
  const std::size_t c = shape.hidden_size;
  std::size_t longest = 0;
  for (const PackedIds::File& file : ids.files) longest = std::max(longest, file.num_tokens);
  workers.pool.parallel_for((longest + kTaskTokens - 1) / kTaskTokens, [&](std::size_t task, int) noexcept {
    const std::size_t first = task * kTaskTokens;
    for (const PackedIds::File& file : ids.files) {
      const std::size_t last = std::min(first + kTaskTokens, file.num_tokens);
      if (first >= last) continue;
      const float* from = d_y + (file.first_token + first) * c;
      float* to = d_positions + first * c;
      for (std::size_t i = 0; i < (last - first) * c; ++i) to[i] += from[i];
    }
  });
}

/// d_E[v] = sum_j d_T[j][v] W_j and d_W_j = d_T[j]^T E.
void add_through_table(const StemShape& shape, const StemTensors<const float*>& weights, float* d_table,
                       const StemTensors<float*>& gradients, TrainingWorkers& workers) {
  const std::size_t c = shape.hidden_size;
  const std::size_t taps = shape.tokens.taps();
  const base::AlignedBuffer<float> transposed = nn::taps_of(weights.convolution, c, taps, workers.pool);
  PooledBuffer packed = workers.buffers.take(taps * c * c);
  PooledBuffer d_taps = workers.buffers.take(taps * c * c);  // [taps, out, in]
  std::fill_n(d_taps.data(), taps * c * c, 0.0f);
  workers.pool.parallel_for(taps, [&](std::size_t j, int) noexcept {
    workers.kernels.pack(transposed.data() + j * c * c, c, c, 1, c, packed.data() + j * c * c);
  });
  constexpr std::size_t kRows = 32;
  workers.pool.parallel_for((kPadding + kRows - 1) / kRows, [&](std::size_t task, int) noexcept {
    const std::size_t first = task * kRows;
    for (std::size_t j = 0; j < taps; ++j)
      multiply(d_table + (j * kVocabulary + first) * c, std::min<std::size_t>(kRows, kPadding - first),
               {packed.data() + j * c * c, c, c}, gradients.embedding + first * c, workers.kernels,
               kernels::Epilogue::kAdd);
  });
  PooledBuffer packed_embedding = workers.buffers.take(kPadding * c);
  std::vector<WeightGradient> products(taps);
  for (std::size_t j = 0; j < taps; ++j)
    products[j] = {kPadding, c, c, d_table + j * kVocabulary * c, packed_embedding.data(), d_taps.data() + j * c * c};
  products.front().pack_x(weights.embedding, 0, kPadding, workers);
  add_later(products, workers);
  workers.finish();
  workers.pool.parallel_for(c, [&](std::size_t out, int) noexcept {
    for (std::size_t in = 0; in < c; ++in)
      for (std::size_t j = 0; j < taps; ++j)
        gradients.convolution[(out * c + in) * taps + j] += d_taps.data()[(j * c + out) * c + in];
  });
}

}  // namespace

PackedIds pack_ids(const nn::TokenGeometry& tokens, std::span<const std::span<const std::uint8_t>> files) {
  PackedIds packed;
  std::size_t first_token = 0;
  for (const std::span<const std::uint8_t> bytes : files) {
    BF_DCHECK_LT(0, bytes.size());
    const std::size_t num_tokens = tokens.num_tokens(bytes.size());
    const std::size_t num_ids = tokens.num_ids(num_tokens);
    const std::size_t first_id = packed.ids.size();
    packed.ids.resize(first_id + num_ids, kPadding);
    std::copy_n(bytes.begin(), std::min(num_ids, bytes.size()),
                packed.ids.begin() + static_cast<std::ptrdiff_t>(first_id));
    BF_DCHECK(tokens.num_complete(num_ids) == num_tokens);
    packed.files.push_back({first_id, first_token, num_tokens});
    first_token += num_tokens;
  }
  return packed;
}

void stem_forward(const StemShape& shape, const StemTensors<const float*>& weights, const PackedIds& ids,
                  StemMemory& memory, float* y, TrainingWorkers& workers) {
  const std::size_t c = shape.hidden_size;
  BF_DCHECK_EQ(c % kernels::kRowAlignment, 0);
  BF_DCHECK(weights.positions != nullptr);
  BF_DCHECK((weights.convolution != nullptr) || shape.tokens.taps() == 1);
  BF_DCHECK(std::ranges::all_of(ids.ids, [](std::uint16_t id) { return id < kVocabulary; }));
  memory = workers.buffers.take(shape.tokens.taps() * kVocabulary * c);
  nn::build_byte_table(workers.kernels, weights.embedding, weights.convolution, c, shape.tokens.taps(), memory.data(),
                       workers.pool);
  struct Task {
    const PackedIds::File* file;
    std::size_t first;
  };
  std::vector<Task> tasks;
  for (const PackedIds::File& file : ids.files)
    for (std::size_t first = 0; first < file.num_tokens; first += kTaskTokens) tasks.push_back({&file, first});
  workers.pool.parallel_for(tasks.size(), [&](std::size_t i, int) noexcept {
    const auto& [file, first] = tasks[i];
    BF_DCHECK_LE(file->first_id + shape.tokens.num_ids(file->num_tokens), ids.ids.size());
    workers.kernels.sum_table_rows({.table = memory.data(),
                                    .kernel_size = shape.tokens.taps(),
                                    .vocab = kVocabulary,
                                    .stride = shape.tokens.stride(),
                                    .row_size = c,
                                    .ids = ids.ids.data() + file->first_id + first * shape.tokens.stride(),
                                    .tokens = std::min(kTaskTokens, file->num_tokens - first),
                                    .positions = weights.positions + first * c,
                                    .out = y + (file->first_token + first) * c});
  });
}

void stem_backward(const StemShape& shape, const StemTensors<const float*>& weights, const PackedIds& ids,
                   const float* d_y, const StemTensors<float*>& gradients, TrainingWorkers& workers) {
  const std::size_t c = shape.hidden_size;
  BF_DCHECK_EQ(gradients.convolution != nullptr, weights.convolution != nullptr);
  workers.finish();
  if (gradients.positions != nullptr) add_position_gradients(shape, ids, d_y, gradients.positions, workers);
  PooledBuffer d_table = workers.buffers.take(shape.tokens.taps() * kVocabulary * c);
  workers.pool.parallel_for(shape.tokens.taps(), [&](std::size_t tap, int) noexcept {
    std::fill_n(d_table.data() + tap * kVocabulary * c, kVocabulary * c, 0.0f);
    for (const PackedIds::File& file : ids.files)
      workers.training.add_table_gradient({.d_table = d_table.data(),
                                           .vocab = kVocabulary,
                                           .row_size = c,
                                           .stride = shape.tokens.stride(),
                                           .first_tap = tap,
                                           .last_tap = tap + 1,
                                           .ids = ids.ids.data() + file.first_id,
                                           .tokens = file.num_tokens,
                                           .d_out = d_y + file.first_token * c});
  });
  if (weights.convolution == nullptr) {
    for (std::size_t i = 0; i < kPadding * c; ++i) gradients.embedding[i] += d_table.data()[i];
  } else {
    add_through_table(shape, weights, d_table.data(), gradients, workers);
  }
}

}  // namespace byteformer::backprop
