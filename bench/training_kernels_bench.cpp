// Every kernel of the backward pass and of the optimizer, of every instruction set, on the shapes of BF-Ti.
#include <algorithm>
#include <string>

#include "backprop/muon.hpp"
#include "bench_support.hpp"
#include "kernels/kernels.hpp"
#include "kernels/training_kernels.hpp"

namespace byteformer::bench {
namespace {

using kernels::Kernels;
using kernels::TrainingKernels;

constexpr std::size_t kRows = 512;  // of gradients that are computed before the weights take them up
constexpr std::size_t kColumns = kernels::kOuterColumns;

kernels::PackColumnsArgs packing(const Buffer& rows, std::size_t width, Buffer& packed) {
  return {.source = rows.data(), .rows = kRows, .width = width, .to = {packed.data(), kRows, 0}};
}

void outer_product(benchmark::State& state, const TrainingKernels* t, std::size_t height) {
  const Buffer d_y = random_buffer(kRows * height), x = random_buffer(kRows * kColumns);
  Buffer packed_x(kRows * kColumns), c(height * kColumns);
  t->pack_columns(packing(x, kColumns, packed_x));
  for (auto _ : state) {
    t->add_outer_product({.a = d_y.data(), .a_stride = height, .b = packed_x.data(), .depth = kRows, .height = height,
                          .width = kColumns, .c = c.data(), .c_stride = kColumns});
    benchmark::DoNotOptimize(c.data());
  }
  set_multiply_adds(state, kRows * height * kColumns, d_y, packed_x, c);
}

void pack_columns(benchmark::State& state, const TrainingKernels* t) {
  const Buffer rows = random_buffer(kRows * kHidden);
  Buffer packed(kRows * kHidden);
  for (auto _ : state) {
    t->pack_columns(packing(rows, kHidden, packed));
    benchmark::DoNotOptimize(packed.data());
  }
  set_bytes(state, packed.num_bytes());
}

void attention_backward(benchmark::State& state, const TrainingKernels* t, std::size_t rows) {
  const Buffer qkv = random_buffer(rows * 3 * kHidden), out = random_buffer(rows * kHidden);
  Buffer d_qkv(rows * 3 * kHidden), scratch(kernels::attention_backward_scratch_size(rows, kHidden / kHeads));
  for (auto _ : state) {
    t->attend_backward({.qkv = qkv.data(), .qkv_stride = 3 * kHidden, .rows = rows, .hidden = kHidden,
                        .num_heads = kHeads, .num_filler = 0, .filler_qkv = nullptr, .out = out.data(),
                        .d_out = out.data(), .out_stride = kHidden, .d_qkv = d_qkv.data(), .d_filler_qkv = nullptr,
                        .scratch = scratch.data()});
    benchmark::DoNotOptimize(d_qkv.data());
  }
  set_multiply_adds(state, 5 * rows * rows * kHidden, qkv, out, out, d_qkv);  // the scores again, and the gradients of v, weights, q and k
}

void layer_norm_backward(benchmark::State& state, const TrainingKernels* t) {
  const Buffer x = random_buffer(kRows * kHidden), gamma = random_buffer(kHidden);
  Buffer d_x(kRows * kHidden), d_gamma(kHidden), d_beta(kHidden);
  for (auto _ : state) {
    t->layer_norm_backward({.x = x.data(), .x_rows = nullptr, .d_out = x.data(), .rows = kRows, .hidden = kHidden,
                            .gamma = gamma.data(), .eps = 1e-5f, .residual = nullptr, .d_x = d_x.data(),
                            .d_x_rows = nullptr, .d_gamma = d_gamma.data(), .d_beta = d_beta.data()});
    benchmark::DoNotOptimize(d_x.data());
  }
  set_flops(state, 18.0 * kRows * kHidden, x, x, d_x);  // mean and variance again 4, two sums 5, two gradients of weights 4, d_x 5
}

void gelu_backward(benchmark::State& state, const TrainingKernels* t) {
  constexpr std::size_t kFew = 64, kWidth = 4 * kHidden;
  const Buffer x = random_buffer(kFew * kWidth), d_y = random_buffer(kFew * kWidth);
  Buffer y(kFew * kWidth), d(kFew * kWidth);
  for (auto _ : state) {
    std::copy_n(d_y.data(), kFew * kWidth, d.data());  // numbers that shrink call after call would end as denormal ones
    t->gelu_backward({.x = x.data(), .rows = kFew, .width = kWidth, .d = d.data(), .y = {y.data(), kFew, 0}});
    benchmark::DoNotOptimize(d.data());
  }
  set_flops(state, 59.0 * kFew * kWidth, x, y, d, d);  // erf and exp
}

void column_sums(benchmark::State& state, const TrainingKernels* t) {
  const Buffer x = random_buffer(kRows * kHidden);
  Buffer sums(kHidden);
  for (auto _ : state) {
    t->add_column_sums(x.data(), kRows, kHidden, sums.data());
    benchmark::DoNotOptimize(sums.data());
  }
  set_flops(state, static_cast<double>(kRows * kHidden), x, sums);
}

void table_gradient(benchmark::State& state, const TrainingKernels* t, std::size_t kernel_size) {
  Buffer d_table(kernel_size * kVocabulary * kHidden);
  const Buffer d_out = random_buffer(kRows * kHidden);
  const auto ids = random_ids(kRows, kernel_size);
  for (auto _ : state) {
    t->add_table_gradient({.d_table = d_table.data(), .vocab = kVocabulary, .row_size = kHidden,
                           .stride = kernel_size / 2, .first_tap = 0, .last_tap = kernel_size, .ids = ids.data(),
                           .tokens = kRows, .d_out = d_out.data()});
    benchmark::DoNotOptimize(d_table.data());
  }
  Buffer table_rows(2 * kRows * kernel_size * kHidden);  // read and written
  set_flops(state, static_cast<double>(kRows * kHidden * kernel_size), table_rows, d_out);
}

void adamw(benchmark::State& state, const TrainingKernels* t) {
  constexpr std::size_t kCount = 1 << 16;
  Buffer gradients = random_buffer(kCount), weights = random_buffer(kCount), first(kCount), second(kCount), average(kCount);
  for (auto _ : state) {
    t->adamw({.count = kCount, .weights = weights.data(), .gradients = gradients.data(), .first_moment = first.data(),
              .second_moment = second.data(), .average = average.data(), .gradient_scale = 1, .decay = 0.9999f,
              .beta1 = 0.9f, .beta2 = 0.999f, .step_size = 1e-3f, .inverse_root_bias2 = 1, .eps = 1e-8f,
              .momentum = 1e-3f});
    benchmark::DoNotOptimize(weights.data());
  }
  set_flops(state, 18.0 * kCount, gradients, gradients, weights, weights, first, first, second, second, average, average);
}

/// The rate is that of all products that orthogonalizing takes, symmetric halves counted twice.
void muon(benchmark::State& state, const Kernels* k, std::size_t rows, std::size_t columns) {
  const std::size_t size = rows * columns, small = std::min(rows, columns);
  Buffer gradients = random_buffer(size), weights = random_buffer(size), momentum = random_buffer(size), average(size);
  Buffer scratch(backprop::muon_scratch_size(rows, columns)), direction(size);
  const backprop::MuonArgs args{.rows = rows, .columns = columns, .weights = weights.data(), .gradients = gradients.data(),
                                .momentum = momentum.data(), .average = average.data(), .beta = 1, .step_size = 1e-3f};
  for (auto _ : state) {
    backprop::muon_direction(args, *k, scratch.data(), direction.data());
    backprop::muon_move(args, direction.data());
    benchmark::DoNotOptimize(weights.data());
  }
  set_multiply_adds(state, small * small * (17 * small + 2 * std::max(rows, columns)), gradients, weights, momentum, average);
}

void register_all(const Kernels* k) {
  const TrainingKernels* t = &kernels::training_kernels_for(*k);
  const auto add = [k](const std::string& what, auto function, auto... args) {
    benchmark::RegisterBenchmark((what + "/" + k->name).c_str(), function, args...);
  };
  add("outer_product_192", outer_product, t, kHidden);
  add("outer_product_768", outer_product, t, 4 * kHidden);
  add("pack_columns", pack_columns, t);
  for (const std::size_t rows : {32, 128}) add("attention_backward_" + std::to_string(rows), attention_backward, t, rows);
  add("layer_norm_backward", layer_norm_backward, t);
  add("gelu_backward", gelu_backward, t);
  add("column_sums", column_sums, t);
  for (const std::size_t size : {4, 32}) add("table_gradient_k" + std::to_string(size), table_gradient, t, size);
  add("adamw", adamw, t);
  for (const std::size_t rows : {kHidden, 4 * kHidden}) add("muon_" + std::to_string(rows), muon, k, rows, kHidden);
  add("muon_128", muon, k, std::size_t{128}, std::size_t{128});
}

}  // namespace
}  // namespace byteformer::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (const auto* kernels : byteformer::kernels::available_kernels()) byteformer::bench::register_all(kernels);
  benchmark::RunSpecifiedBenchmarks();
}
