// Every kernel of every instruction set on the shapes of BF-Ti; `GFLOP/s` counts a multiply-add as two.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "kernels/kernels.hpp"

namespace byteformer::kernels {
namespace {

constexpr std::size_t kHidden = 192;
constexpr std::size_t kHeads = 3;

base::AlignedBuffer<float> random_buffer(std::size_t size) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  base::AlignedBuffer<float> buffer(size);
  for (float& value : buffer.span()) value = normal(random);
  return buffer;
}

void set_flops(benchmark::State& state, double multiply_adds) {
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * multiply_adds * static_cast<double>(state.iterations()),
                                                 benchmark::Counter::kIsRate);
}

void matmul(benchmark::State& state, const Kernels* kernels, std::size_t rows, std::size_t depth, std::size_t width,
            Epilogue epilogue) {
  const auto a = random_buffer(rows * depth);
  const auto weight = random_buffer(width * depth);
  base::AlignedBuffer<float> packed(packed_size(depth, width)), bias(padded(width)), c(rows * padded(width));
  kernels->pack(weight.data(), depth, width, 1, depth, packed.data());
  const MatmulArgs args{.a = a.data(), .a_stride = depth, .rows = rows, .b = packed.data(), .depth = depth,
                        .width = width, .bias = bias.data(), .c = c.data(), .c_stride = padded(width),
                        .c_rows = nullptr, .epilogue = epilogue};
  for (auto _ : state) {
    kernels->matmul(args);
    benchmark::DoNotOptimize(c.data());
  }
  set_flops(state, static_cast<double>(rows * depth * width));
}

void attention(benchmark::State& state, const Kernels* kernels, std::size_t rows, std::size_t filler) {
  const auto qkv = random_buffer(rows * 3 * kHidden);
  const auto filler_qkv = random_buffer(3 * kHidden);
  base::AlignedBuffer<float> out(rows * kHidden), scratch(attention_scratch_size(rows, kHidden / kHeads));
  const AttentionArgs args{.qkv = qkv.data(), .qkv_stride = 3 * kHidden, .rows = rows, .hidden = kHidden,
                           .num_heads = kHeads, .num_filler = filler, .filler_qkv = filler_qkv.data(),
                           .out = out.data(), .out_stride = kHidden, .scratch = scratch.data()};
  for (auto _ : state) {
    kernels->attend(args);
    benchmark::DoNotOptimize(out.data());
  }
  set_flops(state, static_cast<double>(2 * rows * rows * kHidden));
}

void layer_norm(benchmark::State& state, const Kernels* kernels) {
  constexpr std::size_t kRows = 128;
  const auto x = random_buffer(kRows * kHidden);
  const auto gamma = random_buffer(kHidden);
  base::AlignedBuffer<float> out(kRows * kHidden);
  for (auto _ : state) {
    kernels->layer_norm(x.data(), nullptr, kRows, kHidden, gamma.data(), gamma.data(), 1e-5f, out.data());
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kRows));
}

void elementwise(benchmark::State& state, void (*function)(const float*, std::size_t, float*) noexcept) {
  const auto x = random_buffer(4096);
  base::AlignedBuffer<float> y(4096);
  for (auto _ : state) {
    function(x.data(), x.size(), y.data());
    benchmark::DoNotOptimize(y.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * x.size()));
}

void table_sum(benchmark::State& state, const Kernels* kernels, std::size_t kernel_size) {
  constexpr std::size_t kTokens = 1024, kVocabulary = 257;
  const auto table = random_buffer(kernel_size * kVocabulary * kHidden);
  const auto positions = random_buffer(kTokens * kHidden);
  base::AlignedBuffer<float> out(kTokens * kHidden);
  std::mt19937 random(2);
  std::vector<std::uint16_t> ids(kTokens * kernel_size / 2 + kernel_size);
  for (auto& id : ids) id = static_cast<std::uint16_t>(random() % 256);
  for (auto _ : state) {
    kernels->sum_table_rows({.table = table.data(), .kernel_size = kernel_size, .vocab = kVocabulary,
                             .stride = kernel_size / 2, .row_size = kHidden, .ids = ids.data(), .tokens = kTokens,
                             .positions = positions.data(), .out = out.data()});
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kTokens));
}

void register_all(const Kernels* k) {
  const auto name = [k](const std::string& what) { return what + "/" + k->name; };
  const auto add = [&](const std::string& what, auto function, auto... args) {
    benchmark::RegisterBenchmark(name(what).c_str(), function, args...);
  };
  add("matmul_qkv_128x192x576", matmul, k, std::size_t{128}, kHidden, 3 * kHidden, Epilogue::kStore);
  add("matmul_out_128x192x192", matmul, k, std::size_t{128}, kHidden, kHidden, Epilogue::kAdd);
  add("matmul_up_64x192x768_gelu", matmul, k, std::size_t{64}, kHidden, 4 * kHidden, Epilogue::kGelu);
  add("matmul_down_64x768x192", matmul, k, std::size_t{64}, 4 * kHidden, kHidden, Epilogue::kAdd);
  add("matmul_merge_64x384x192", matmul, k, std::size_t{64}, 2 * kHidden, kHidden, Epilogue::kStore);
  for (const std::size_t rows : {8, 32, 128}) add("attention_" + std::to_string(rows), attention, k, rows, std::size_t{0});
  add("attention_100_filler_28", attention, k, std::size_t{100}, std::size_t{28});
  add("layer_norm_128x192", layer_norm, k);
  add("exp", elementwise, k->exp);
  add("gelu", elementwise, k->gelu);
  for (const std::size_t size : {4, 8, 16, 32}) add("table_sum_k" + std::to_string(size), table_sum, k, size);
}

}  // namespace
}  // namespace byteformer::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (const auto* kernels : byteformer::kernels::available_kernels()) byteformer::kernels::register_all(kernels);
  benchmark::RunSpecifiedBenchmarks();
}
