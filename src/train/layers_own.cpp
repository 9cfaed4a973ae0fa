// Our own backward passes as nodes of LibTorch's autograd graph: the layers on the CPU.
#include <torch/torch.h>

#include <utility>

#include "backprop/block.hpp"
#include "backprop/workers.hpp"
#include "base/check.hpp"
#include "kernels/kernels.hpp"
#include "train/layers.hpp"

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

using torch::autograd::variable_list;

torch::Tensor empty_rows(std::size_t rows, std::size_t columns) {
  return torch::empty({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}, torch::kFloat32);
}

/// Makes `y` a result of `node`, which hands its gradient on to `x` if that has one.
template <typename Node>
torch::Tensor attach(std::shared_ptr<Node> node, torch::Tensor y, const torch::Tensor& x) {
  node->set_next_edges(torch::autograd::collect_next_edges(x));
  torch::autograd::create_gradient_edge(y, node);
  return y;
}

template <typename Node, typename... Arguments>
std::shared_ptr<Node> make_node(Arguments&&... arguments) {
  return std::shared_ptr<Node>(new Node(std::forward<Arguments>(arguments)...), torch::autograd::deleteNode);
}

struct StemBackward : torch::autograd::Node {
  StemBackward(const backprop::StemShape& s, const backprop::StemTensors<const float*>& w,
               const backprop::StemTensors<float*>& g, backprop::PackedIds i, backprop::TrainingWorkers& with)
      : shape(s), weights(w), gradients(g), ids(std::move(i)), workers(with) {}

  variable_list apply(variable_list&& d_y) override {
    const torch::Tensor d = d_y[0].contiguous();
    backprop::stem_backward(shape, weights, ids, d.data_ptr<float>(), gradients, workers);
    return {torch::Tensor()};
  }
  void release_variables() override { ids = {}; }
  std::string name() const override { return "StemBackward"; }

  backprop::StemShape shape;
  backprop::StemTensors<const float*> weights;
  backprop::StemTensors<float*> gradients;
  backprop::PackedIds ids;
  backprop::TrainingWorkers& workers;
};

struct BlockBackward : torch::autograd::Node {
  BlockBackward(const backprop::BlockShape& s, const backprop::BlockWeights& w, const backprop::BlockGradients& g,
                backprop::WindowPlan p, backprop::BlockMemory&& m, torch::Tensor input, backprop::TrainingWorkers& with)
      : shape(s),
        weights(w),
        gradients(g),
        plan(std::move(p)),
        memory(std::move(m)),
        x(std::move(input)),
        workers(with) {}

  variable_list apply(variable_list&& d_y) override {
    const torch::Tensor d = d_y[0].contiguous();
    torch::Tensor d_x = torch::empty_like(x);
    backprop::block_backward(shape, weights, plan, x.data_ptr<float>(), memory, d.data_ptr<float>(),
                             d_x.data_ptr<float>(), gradients, workers);
    return {d_x};
  }
  void release_variables() override {
    memory = {};
    x.reset();
  }
  std::string name() const override { return "BlockBackward"; }

  backprop::BlockShape shape;
  backprop::BlockWeights weights;
  backprop::BlockGradients gradients;
  backprop::WindowPlan plan;
  backprop::BlockMemory memory;
  torch::Tensor x;  // detached: its graph is kept by the edge
  backprop::TrainingWorkers& workers;
};

struct MergeBackward : torch::autograd::Node {
  MergeBackward(const backprop::MergeShape& s, const backprop::MergeWeights& w, const backprop::MergeGradients& g,
                backprop::MergePlan p, backprop::MergeMemory&& m, torch::Tensor input, backprop::TrainingWorkers& with)
      : shape(s),
        weights(w),
        gradients(g),
        plan(std::move(p)),
        memory(std::move(m)),
        x(std::move(input)),
        workers(with) {}

  variable_list apply(variable_list&& d_y) override {
    const torch::Tensor d = d_y[0].contiguous();
    torch::Tensor d_x = torch::empty_like(x);
    backprop::merge_backward(shape, weights, plan, x.data_ptr<float>(), memory, d.data_ptr<float>(),
                             d_x.data_ptr<float>(), gradients, workers);
    return {d_x};
  }
  void release_variables() override {
    memory = {};
    x.reset();
  }
  std::string name() const override { return "MergeBackward"; }

  backprop::MergeShape shape;
  backprop::MergeWeights weights;
  backprop::MergeGradients gradients;
  backprop::MergePlan plan;
  backprop::MergeMemory memory;
  torch::Tensor x;
  backprop::TrainingWorkers& workers;
};

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
    if (!torch::GradMode::is_enabled()) return y;
    return attach(make_node<StemBackward>(stem_, weights, gradients, std::move(ids), workers_), y, torch::Tensor());
  }

  torch::Tensor block(std::size_t layer, backprop::WindowPlan plan, const BatchRows& x) override {
    const Pointers p{parameters_, block_prefix(layer)};
    const auto weights = block_tensors<const float*>([&](const char* name) { return p.value(name); });
    const auto gradients = block_tensors<float*>([&](const char* name) { return p.gradient(name); });
    BF_DCHECK(x.rows.is_contiguous() && x.rows.size(0) == static_cast<std::int64_t>(plan.rows.size()));
    backprop::BlockMemory memory(block_, plan.rows.size(), workers_.buffers);
    torch::Tensor y = empty_rows(plan.rows.size(), block_.hidden_size);
    backprop::block_forward(block_, weights, plan, x.rows.data_ptr<float>(), memory, y.data_ptr<float>(), workers_);
    if (!torch::GradMode::is_enabled()) return y;
    return attach(make_node<BlockBackward>(block_, weights, gradients, std::move(plan), std::move(memory),
                                           x.rows.detach(), workers_),
                  y, x.rows);
  }

  torch::Tensor merge(std::size_t layer, backprop::MergePlan plan, const torch::Tensor& x) override {
    const Pointers p{parameters_, merge_prefix(layer)};
    const auto weights = merge_tensors<const float*>([&](const char* name) { return p.value(name); });
    const auto gradients = merge_tensors<float*>([&](const char* name) { return p.gradient(name); });
    BF_DCHECK(x.is_contiguous());
    backprop::MergeMemory memory = workers_.buffers.take(plan.num_merged() * merge_.hidden_size);
    torch::Tensor y = empty_rows(plan.num_merged(), merge_.hidden_size);
    backprop::merge_forward(merge_, weights, plan, x.data_ptr<float>(), memory, y.data_ptr<float>(), workers_);
    if (!torch::GradMode::is_enabled()) return y;
    return attach(
        make_node<MergeBackward>(merge_, weights, gradients, std::move(plan), std::move(memory), x.detach(), workers_),
        y, x);
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
