// Every kernel of the forward pass, of every instruction set and precision, on the shapes of BF-Ti.
#include <algorithm>
#include <string>
#include <vector>

#include "bench_support.hpp"
#include "kernels/kernels.hpp"
#include "kernels/reduced_kernels.hpp"

namespace byteformer::bench {
namespace {

using kernels::Epilogue;
using kernels::Kernels;
using kernels::ReducedKernels;
using kernels::padded;

struct Shape {
  std::size_t rows, depth, width;
  std::size_t multiply_adds() const { return rows * depth * width; }
};

void matmul(benchmark::State& state, const Kernels* k, Shape shape, Epilogue epilogue) {
  const Buffer a = random_buffer(shape.rows * shape.depth), weight = random_buffer(shape.width * shape.depth);
  Buffer packed(kernels::packed_size(shape.depth, shape.width)), bias(shape.width), c(shape.rows * shape.width);
  k->pack(weight.data(), shape.depth, shape.width, 1, shape.depth, packed.data());
  for (auto _ : state) {
    k->matmul({.a = a.data(), .a_stride = shape.depth, .rows = shape.rows, .b = packed.data(), .depth = shape.depth,
               .width = shape.width, .bias = bias.data(), .c = c.data(), .c_stride = shape.width, .c_rows = nullptr,
               .epilogue = epilogue});
    benchmark::DoNotOptimize(c.data());
  }
  set_multiply_adds(state, shape.multiply_adds(), a, packed, bias, c);
}

void pack(benchmark::State& state, const Kernels* k, Shape shape) {
  const Buffer weight = random_buffer(shape.width * shape.depth);
  Buffer packed(kernels::packed_size(shape.depth, shape.width));
  for (auto _ : state) {
    k->pack(weight.data(), shape.depth, shape.width, 1, shape.depth, packed.data());
    benchmark::DoNotOptimize(packed.data());
  }
  set_bytes(state, packed.num_bytes());
}

/// Operands of a reduced product, packed.
struct Reduced {
  Reduced(const ReducedKernels& k, Shape shape)
      : x(random_buffer(shape.rows * shape.depth)),
        weight(random_buffer(shape.width * shape.depth)),
        packed(k.groups(shape.depth) * shape.width),
        rows(shape.rows * k.groups(shape.depth)),
        ranges(shape.rows),
        scales(shape.width),
        sums(shape.width),
        bias(shape.width),
        c(shape.rows * shape.width) {
    k.pack(weight.data(), shape.depth, shape.width, packed.data(), scales.data(), sums.data());
    k.reduce_rows(x.data(), shape.depth, shape.rows, shape.depth, rows.data(), ranges.data());
  }
  Buffer x, weight;
  base::AlignedBuffer<std::uint32_t> packed, rows;
  base::AlignedBuffer<kernels::RowRange> ranges;
  Buffer scales, sums, bias, c;
};

void reduced_matmul(benchmark::State& state, const ReducedKernels* k, Shape shape, Epilogue epilogue) {
  Reduced r(*k, shape);
  for (auto _ : state) {
    k->matmul({.a = r.rows.data(), .ranges = r.ranges.data(), .rows = shape.rows, .b = r.packed.data(),
               .column_scales = r.scales.data(), .column_sums = r.sums.data(), .groups = k->groups(shape.depth),
               .width = shape.width, .bias = r.bias.data(), .c = r.c.data(), .c_stride = shape.width, .c_rows = nullptr,
               .epilogue = epilogue});
    benchmark::DoNotOptimize(r.c.data());
  }
  set_multiply_adds(state, shape.multiply_adds(), r.rows, r.ranges, r.packed, r.scales, r.sums, r.bias, r.c);
}

void reduce_rows(benchmark::State& state, const ReducedKernels* k, Shape shape) {
  Reduced r(*k, shape);
  for (auto _ : state) {
    k->reduce_rows(r.x.data(), shape.depth, shape.rows, shape.depth, r.rows.data(), r.ranges.data());
    benchmark::DoNotOptimize(r.rows.data());
  }
  set_bytes(state, r.x.num_bytes());
}

void reduced_pack(benchmark::State& state, const ReducedKernels* k, Shape shape) {
  Reduced r(*k, shape);
  for (auto _ : state) {
    k->pack(r.weight.data(), shape.depth, shape.width, r.packed.data(), r.scales.data(), r.sums.data());
    benchmark::DoNotOptimize(r.packed.data());
  }
  set_bytes(state, r.weight.num_bytes());
}

void attention(benchmark::State& state, const Kernels* k, std::size_t rows, std::size_t filler) {
  const Buffer qkv = random_buffer(rows * 3 * kHidden), filler_qkv = random_buffer(3 * kHidden);
  Buffer out(rows * kHidden), scratch(kernels::attention_scratch_size(rows, kHidden / kHeads));
  for (auto _ : state) {
    k->attend({.qkv = qkv.data(), .qkv_stride = 3 * kHidden, .rows = rows, .hidden = kHidden, .num_heads = kHeads,
               .num_filler = filler, .filler_qkv = filler_qkv.data(), .out = out.data(), .out_stride = kHidden,
               .scratch = scratch.data()});
    benchmark::DoNotOptimize(out.data());
  }
  set_multiply_adds(state, 2 * rows * rows * kHidden, qkv, out);
}

void layer_norm(benchmark::State& state, const Kernels* k) {
  constexpr std::size_t kRows = 128;
  const Buffer x = random_buffer(kRows * kHidden), gamma = random_buffer(kHidden);
  Buffer out(kRows * kHidden);
  for (auto _ : state) {
    k->layer_norm(x.data(), nullptr, kRows, kHidden, gamma.data(), gamma.data(), 1e-5f, out.data());
    benchmark::DoNotOptimize(out.data());
  }
  set_flops(state, 8.0 * kRows * kHidden, x, gamma, out);  // a sum; a difference, its square, a sum; a difference, two products, a sum
}

void elementwise(benchmark::State& state, void (*function)(const float*, std::size_t, float*) noexcept,
                 double flops_each) {
  constexpr std::size_t kCount = 4096;
  const Buffer x = random_buffer(kCount);
  Buffer y(kCount);
  for (auto _ : state) {
    function(x.data(), kCount, y.data());
    benchmark::DoNotOptimize(y.data());
  }
  set_flops(state, flops_each * kCount, x, y);
}

void table_sum(benchmark::State& state, const Kernels* k, std::size_t kernel_size) {
  constexpr std::size_t kTokens = 1024;
  const Buffer table = random_buffer(kernel_size * kVocabulary * kHidden), positions = random_buffer(kTokens * kHidden);
  Buffer out(kTokens * kHidden);
  const auto ids = random_ids(kTokens, kernel_size);
  for (auto _ : state) {
    k->sum_table_rows({.table = table.data(), .kernel_size = kernel_size, .vocab = kVocabulary,
                       .stride = kernel_size / 2, .row_size = kHidden, .ids = ids.data(), .tokens = kTokens,
                       .positions = positions.data(), .out = out.data()});
    benchmark::DoNotOptimize(out.data());
  }
  Buffer table_rows(kTokens * kernel_size * kHidden);  // as many as are read: a table row serves many tokens
  set_flops(state, static_cast<double>(kTokens * kHidden * (kernel_size + 1)), table_rows, positions, out);
}

constexpr struct {
  const char* name;
  Shape shape;
  Epilogue epilogue;
} kProducts[] = {{"qkv", {128, kHidden, 3 * kHidden}, Epilogue::kStore},
                 {"out", {128, kHidden, kHidden}, Epilogue::kAdd},
                 {"up_gelu", {64, kHidden, 4 * kHidden}, Epilogue::kGelu},
                 {"down", {64, 4 * kHidden, kHidden}, Epilogue::kAdd},
                 {"merge", {64, 2 * kHidden, kHidden}, Epilogue::kStore}};
constexpr Shape kUp = kProducts[2].shape;
constexpr Shape kDown = kProducts[3].shape;

/// The memory's side of the roofline: a piece that fits a cache, or none.
void copy(benchmark::State& state) {
  const Buffer from = random_buffer(static_cast<std::size_t>(state.range(0)) / sizeof(float));
  Buffer to = random_buffer(from.size());  // its pages are there
  for (auto _ : state) {
    std::copy_n(from.data(), from.size(), to.data());
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  set_bytes(state, 2 * from.num_bytes());
}
BENCHMARK(copy)->ArgName("bytes")->Arg(8 << 10)->Arg(256 << 10)->Arg(64 << 20);

void register_kernels(const Kernels* k) {
  const auto add = [k](const std::string& what, auto function, auto... args) {
    benchmark::RegisterBenchmark((what + "/" + k->name).c_str(), function, args...);
  };
  for (const auto& [name, shape, epilogue] : kProducts) add(std::string("matmul_") + name, matmul, k, shape, epilogue);
  add("pack_up", pack, k, kUp);
  for (const std::size_t rows : {8, 32, 128}) add("attention_" + std::to_string(rows), attention, k, rows, std::size_t{0});
  add("attention_100_filler_28", attention, k, std::size_t{100}, std::size_t{28});
  add("layer_norm", layer_norm, k);
  add("exp", elementwise, k->exp, 23.0);  // as math-inl.hpp writes them
  add("gelu", elementwise, k->gelu, 29.0);
  for (const std::size_t size : {4, 8, 16, 32}) add("table_sum_k" + std::to_string(size), table_sum, k, size);
}

void register_reduced(const Kernels* full, const ReducedKernels* k) {
  const auto add = [full, k](const std::string& what, auto function, auto... args) {
    benchmark::RegisterBenchmark((what + "/" + full->name + "/" + k->name).c_str(), function, args...);
  };
  for (const auto& [name, shape, epilogue] : kProducts)
    add(std::string("matmul_") + name, reduced_matmul, k, shape, epilogue);
  add("reduce_rows_192", reduce_rows, k, kUp);
  add("reduce_rows_768", reduce_rows, k, kDown);
  add("pack_up", reduced_pack, k, kUp);
}

}  // namespace
}  // namespace byteformer::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (const auto* full : byteformer::kernels::available_kernels()) {
    byteformer::bench::register_kernels(full);
    for (const auto* reduced : byteformer::kernels::available_reduced_kernels(*full))
      byteformer::bench::register_reduced(full, reduced);
  }
  benchmark::RunSpecifiedBenchmarks();
}
