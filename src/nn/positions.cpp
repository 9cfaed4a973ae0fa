// Computes sines and cosines, or hands out stored rows.
#include "nn/positions.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/file_io.hpp"
#include "kernels/kernels.hpp"

namespace byteformer::nn {
namespace {

constexpr std::size_t kWorthReleasing = std::size_t{512} << 10;  // bytes: less costs more in page faults than it gives

/// exp(x) for x in [-87, 0] to the bits of SLEEF's Sleef_expf_u10, with which PyTorch computed the published buffer.
/// The C library's differs in the last bit now and then, and position 50,000 makes 0.003 of that bit.
float published_exp(float x) {
  const float n = std::nearbyint(x * 1.442695040888963407f);
  const float r = std::fma(n, -1.428606765330187045e-06f, std::fma(n, -0.693145751953125f, x));
  float p = 0.000198527617612853646278381f;
  for (const float coefficient : {0.00139304355252534151077271f, 0.00833336077630519866943359f,
                                  0.0416664853692054748535156f, 0.166666671633720397949219f, 0.5f})
    p = std::fma(p, r, coefficient);
  return std::ldexp(1.0f + std::fma(r * r, p, r), static_cast<int>(n));
}

}  // namespace

Positions Positions::learned(std::span<const float> rows, std::size_t hidden_size, bool is_mapped) {
  Positions positions(hidden_size, false);
  positions.store(rows);
  positions.is_mapped_ = is_mapped && positions.stored_ == rows.data();
  return positions;
}

Positions Positions::sinusoidal(std::span<const float> buffer, std::size_t max_tokens, std::size_t hidden_size) {
  Positions positions(hidden_size, true);
  if (!buffer.empty()) positions.store(buffer);
  positions.num_float32_ = max_tokens;
  const std::size_t half = hidden_size / 2;
  const auto step = static_cast<float>(-(std::log(10000.0) / static_cast<double>(half - 1)));
  for (std::size_t i = 0; i < half; ++i) positions.frequencies_.push_back(published_exp(static_cast<float>(i) * step));
  for (const double frequency : positions.frequencies_)
    for (std::size_t t = 0; t < kBlock; ++t)
      positions.rotations_.push_back(
          {std::sin(static_cast<double>(t) * frequency), std::cos(static_cast<double>(t) * frequency)});
  return positions;
}

void Positions::store(std::span<const float> rows) {
  const std::size_t row_size = kernels::padded(hidden_size_);
  num_stored_ = rows.size() / hidden_size_;
  if (row_size == hidden_size_) {
    stored_ = rows.data();
    return;
  }
  copy_ = base::AlignedBuffer<float>(num_stored_ * row_size);
  for (std::size_t t = 0; t < num_stored_; ++t)
    std::copy_n(rows.data() + t * hidden_size_, hidden_size_, copy_.data() + t * row_size);
  stored_ = copy_.data();
}

std::optional<std::uint64_t> Positions::limit() const noexcept {
  if (is_sinusoidal_) return std::nullopt;
  return num_stored_;
}

const float* Positions::rows(std::uint64_t first, std::size_t count, float* scratch) const noexcept {
  BF_CHECK(is_sinusoidal_ || first + count <= num_stored_);  // files decide how many there are
  const std::size_t row_size = kernels::padded(hidden_size_);
  if (first + count <= num_stored_) return stored_ + first * row_size;
  std::size_t done = 0;
  for (; done < count && first + done < std::max(num_stored_, num_float32_); ++done) {
    float* out = scratch + done * row_size;
    if (first + done < num_stored_) {
      std::copy_n(stored_ + (first + done) * row_size, row_size, out);
    } else {
      compute_float32(first + done, out);
    }
  }
  compute_double(first + done, count - done, scratch + done * row_size);
  return scratch;
}

void Positions::release(std::uint64_t first, std::size_t count) const noexcept {
  const std::size_t row_size = kernels::padded(hidden_size_);
  if (!is_mapped_ || count * row_size * sizeof(float) < kWorthReleasing || first + count > num_stored_) return;
  base::release_pages(std::as_bytes(std::span(stored_ + first * row_size, count * row_size)));
}

void Positions::compute_float32(std::uint64_t position, float* out) const noexcept {
  const std::size_t half = hidden_size_ / 2;
  for (std::size_t i = 0; i < half; ++i) {
    const float angle = static_cast<float>(position) * frequencies_[i];
    out[i] = std::sin(angle);
    out[half + i] = std::cos(angle);
  }
  std::fill(out + 2 * half, out + kernels::padded(hidden_size_), 0.0f);
}

void Positions::compute_double(std::uint64_t first, std::size_t count, float* out) const noexcept {
  const std::size_t half = hidden_size_ / 2;
  const std::size_t row_size = kernels::padded(hidden_size_);
  for (std::size_t t = 0; t < count; ++t) std::fill_n(out + t * row_size + 2 * half, row_size - 2 * half, 0.0f);
  while (count > 0) {
    // The start of a block depends on the position alone, so that its bits do, too.
    const auto offset = static_cast<std::size_t>(first % kBlock);
    const std::size_t taken = std::min(count, kBlock - offset);
    for (std::size_t i = 0; i < half; ++i) {
      const double start = static_cast<double>(first - offset) * static_cast<double>(frequencies_[i]);
      const double sine = std::sin(start), cosine = std::cos(start);
      const Rotation* by = rotations_.data() + i * kBlock + offset;
      for (std::size_t t = 0; t < taken; ++t) {
        out[t * row_size + i] = static_cast<float>(sine * by[t].cosine + cosine * by[t].sine);
        out[t * row_size + half + i] = static_cast<float>(cosine * by[t].cosine - sine * by[t].sine);
      }
    }
    first += taken;
    count -= taken;
    out += taken * row_size;
  }
}

}  // namespace byteformer::nn
