// Our own backward passes as nodes of LibTorch's autograd graph: the layers on the CPU.
#include <torch/csrc/autograd/function.h>
#include <torch/types.h>

#include <optional>
#include <utility>

#include "backprop/block.hpp"
#include "backprop/workers.hpp"
#include "base/check.hpp"
#include "kernels/kernels.hpp"
#include "train/module.hpp"

namespace byteformer::train {
namespace {

bool allows_own_kernels(const format::ModelConfig& config, const ModuleOptions& options) {
  const auto is_aligned = [](std::int64_t n) { return size(n) % kernels::kRowAlignment == 0; };
  return options.use_own_kernels && options.device.is_cpu() && options.compute_type == torch::kFloat32 &&
         options.regularisation.dropout == 0 && options.regularisation.stochastic_depth == 0 &&
         is_aligned(config.hidden_size) && is_aligned(config.intermediate_size);
}

/// The tensors of `parameters` below `prefix`, as pointers to their values or their gradients.
struct Pointers {
  const Parameters& parameters;
  std::string prefix;

  const float* value(const char* name) const { return parameters[prefix + name].data_ptr<float>(); }
  float* gradient(const char* name) const { return parameters[prefix + name].grad().data_ptr<float>(); }
};

template <typename Pointer, typename Get>
backprop::BlockTensors<Pointer> block_tensors(const Get& get) {
  return {get("pre_norm_mha.0.weight"),          get("pre_norm_mha.0.bias"),
          get("pre_norm_mha.1.qkv_proj.weight"), get("pre_norm_mha.1.qkv_proj.bias"),
          get("pre_norm_mha.1.out_proj.weight"), get("pre_norm_mha.1.out_proj.bias"),
          get("pre_norm_ffn.0.weight"),          get("pre_norm_ffn.0.bias"),
          get("pre_norm_ffn.1.weight"),          get("pre_norm_ffn.1.bias"),
          get("pre_norm_ffn.4.weight"),          get("pre_norm_ffn.4.bias")};
}

template <typename Pointer, typename Get>
backprop::MergeTensors<Pointer> merge_tensors(const Get& get) {
  return {get("reduction.weight"), get("norm.weight"), get("norm.bias")};
}

torch::Tensor empty_rows(std::size_t rows, std::size_t columns) {
  return torch::empty({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}, torch::kFloat32);
}

/// A node of the graph whose backward pass is `Pass`, d_x of d_y. What that remembers lives until the pass is over.
template <typename Pass>
struct Backward : torch::autograd::Node {
  Backward(const char* name, Pass run) : name_(name), run_(std::move(run)) {}

  torch::autograd::variable_list apply(torch::autograd::variable_list&& d_y) override {
    BF_DCHECK(run_.has_value());
    return {(*run_)(d_y[0].contiguous())};
  }
  void release_variables() override { run_.reset(); }
  std::string name() const override { return name_; }

 private:
  const char* name_;
  std::optional<Pass> run_;
};

/// Makes `y` a result of a node that hands its gradient on to `x` if that has one; `run` holds `x` detached, since its
/// graph is kept by the edge.
template <typename Pass>
torch::Tensor with_backward(const char* name, torch::Tensor y, const torch::Tensor& x, Pass run) {
  if (!torch::GradMode::is_enabled()) return y;
  const std::shared_ptr<Backward<Pass>> node(new Backward<Pass>(name, std::move(run)), torch::autograd::deleteNode);
  node->set_next_edges(torch::autograd::collect_next_edges(x));
  torch::autograd::create_gradient_edge(y, node);
  return y;
}

class OwnLayers : public Layers {
 public:
  OwnLayers(const format::ModelConfig& config, const Parameters& parameters, int num_threads)
      : parameters_(parameters),
        stem_{size(config.hidden_size), {config.conv_kernel_size, config.masking}},
        block_{size(config.hidden_size), size(config.num_attention_heads), size(config.intermediate_size),
               static_cast<float>(config.layer_norm_eps)},
        merge_{size(config.hidden_size), static_cast<float>(config.layer_norm_eps)},
        pool_(num_threads),
        workers_(pool_, kernels::default_kernels()) {}

  torch::Tensor stem(backprop::PackedIds ids, const torch::Tensor& positions) override {
    const Pointers p{parameters_, ""};
    const bool has_convolution = parameters_.has("token_reduction_net.weight");
    const backprop::StemTensors<const float*> weights{p.value("embeddings.weight"),
                                                      has_convolution ? p.value("token_reduction_net.weight") : nullptr,
                                                      positions.data_ptr<float>()};
    const backprop::StemTensors<float*> gradients{p.gradient("embeddings.weight"),
                                                  has_convolution ? p.gradient("token_reduction_net.weight") : nullptr,
                                                  parameters_.has(kPositions) ? p.gradient(kPositions) : nullptr};
    BF_DCHECK(positions.is_contiguous());
    backprop::StemMemory memory;
    torch::Tensor y = empty_rows(ids.num_tokens(), stem_.hidden_size);
    backprop::stem_forward(stem_, weights, ids, memory, y.data_ptr<float>(), workers_);
    return with_backward("StemBackward", y, torch::Tensor(),
                         [this, weights, gradients, ids = std::move(ids)](const torch::Tensor& d_y) {
                           backprop::stem_backward(stem_, weights, ids, d_y.data_ptr<float>(), gradients, workers_);
                           return torch::Tensor();
                         });
  }

  torch::Tensor block(std::size_t layer, backprop::WindowPlan plan, const BatchRows& x) override {
    const Pointers p{parameters_, block_prefix(layer)};
    const auto weights = block_tensors<const float*>([&](const char* name) { return p.value(name); });
    const auto gradients = block_tensors<float*>([&](const char* name) { return p.gradient(name); });
    BF_DCHECK(x.rows.is_contiguous() && x.rows.size(0) == static_cast<std::int64_t>(plan.rows.size()));
    backprop::BlockMemory memory(block_, plan.rows.size(), workers_.buffers);
    torch::Tensor y = empty_rows(plan.rows.size(), block_.hidden_size);
    backprop::block_forward(block_, weights, plan, x.rows.data_ptr<float>(), memory, y.data_ptr<float>(), workers_);
    return with_backward("BlockBackward", y, x.rows,
                         [this, weights, gradients, plan = std::move(plan), memory = std::move(memory),
                          input = x.rows.detach()](const torch::Tensor& d_y) {
                           torch::Tensor d_x = torch::empty_like(input);
                           backprop::block_backward(block_, weights, plan, input.data_ptr<float>(), memory,
                                                    d_y.data_ptr<float>(), d_x.data_ptr<float>(), gradients, workers_);
                           return d_x;
                         });
  }

  torch::Tensor merge(std::size_t layer, backprop::MergePlan plan, const torch::Tensor& x) override {
    const Pointers p{parameters_, merge_prefix(layer)};
    const auto weights = merge_tensors<const float*>([&](const char* name) { return p.value(name); });
    const auto gradients = merge_tensors<float*>([&](const char* name) { return p.gradient(name); });
    BF_DCHECK(x.is_contiguous());
    backprop::MergeMemory memory = workers_.buffers.take(plan.num_merged() * merge_.hidden_size);
    torch::Tensor y = empty_rows(plan.num_merged(), merge_.hidden_size);
    backprop::merge_forward(merge_, weights, plan, x.data_ptr<float>(), memory, y.data_ptr<float>(), workers_);
    return with_backward("MergeBackward", y, x,
                         [this, weights, gradients, plan = std::move(plan), memory = std::move(memory),
                          input = x.detach()](const torch::Tensor& d_y) {
                           torch::Tensor d_x = torch::empty_like(input);
                           backprop::merge_backward(merge_, weights, plan, input.data_ptr<float>(), memory,
                                                    d_y.data_ptr<float>(), d_x.data_ptr<float>(), gradients, workers_);
                           return d_x;
                         });
  }

  base::ThreadPool* thread_pool() noexcept override { return &pool_; }

 private:
  const Parameters& parameters_;
  backprop::StemShape stem_;
  backprop::BlockShape block_;
  backprop::MergeShape merge_;
  base::ThreadPool pool_;
  backprop::TrainingWorkers workers_;
};

}  // namespace

std::unique_ptr<Layers> make_own_layers(const format::ModelConfig& config, const ModuleOptions& options,
                                        const Parameters& parameters) {
  if (!allows_own_kernels(config, options)) return nullptr;
  return std::make_unique<OwnLayers>(config, parameters, options.num_threads);
}

}  // namespace byteformer::train
