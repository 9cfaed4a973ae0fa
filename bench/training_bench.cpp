// Training steps of BF-Ti (forward, backward, optimizer) on random files: files a second, our kernels and LibTorch's
// operators.
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <cstdint>
#include <random>
#include <vector>

#include "train/module.hpp"
#include "train/optimizer.hpp"
#include "train/runtime.hpp"

namespace byteformer {
namespace {

format::ModelConfig tiny(std::int64_t kernel) {
  format::PartialConfig config;
  config.hidden_size = 192;
  config.num_hidden_layers = 12;
  config.num_attention_heads = 3;
  config.intermediate_size = 768;
  config.num_labels = 1000;
  config.conv_kernel_size = kernel;
  config.max_position_embeddings = 10'000;
  config.masking = Masking::kMasked;
  return format::complete(config, "tiny");
}

/// Arguments: kernel size, bytes a file, files a step, threads, whether on our own kernels.
void training_step(benchmark::State& state) {
  const auto num_threads = static_cast<int>(state.range(3));
  const bool use_own_kernels = state.range(4) != 0;
  torch::set_num_threads(use_own_kernels ? 1
                                         : num_threads);  // as the trainer does: waiting threads take turns with ours
  const format::ModelConfig config = tiny(state.range(0));
  train::Module model(config, {.num_threads = num_threads, .use_own_kernels = use_own_kernels});
  train::initialise(model.parameters(), config, train::Initialisation::kReleased, 1);
  train::Optimizer optimizer(model.parameters(), {}, model.thread_pool());
  std::mt19937 random(1);
  std::vector<std::vector<std::uint8_t>> files(static_cast<std::size_t>(state.range(2)));
  std::vector<std::span<const std::uint8_t>> batch;
  for (auto& file : files) {
    file.resize(static_cast<std::size_t>(state.range(1)));
    for (auto& byte : file) byte = static_cast<std::uint8_t>(random());
    batch.emplace_back(file);
  }
  const std::vector<train::Target> targets(files.size());
  for (auto _ : state) {
    (train::cross_entropy_sum(model.forward(batch), targets, 0.1) / static_cast<double>(files.size())).backward();
    optimizer.step(1e-3);
  }
  state.SetItemsProcessed(state.iterations() * state.range(2));
}

BENCHMARK(training_step)
    ->ArgNames({"k", "bytes", "files", "threads", "own"})
    ->ArgsProduct({{4}, {1'000}, {16}, {1, 2}, {1, 0}})
    ->ArgsProduct({{16}, {32'044}, {4}, {1, 2}, {1, 0}})
    ->ArgsProduct({{32}, {150'668}, {1}, {1, 2}, {1, 0}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace byteformer

int main(int argc, char** argv) {
  byteformer::train::tune_process(argv);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
