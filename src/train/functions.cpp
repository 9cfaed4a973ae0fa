// Implementation of functions.hpp.
#include "train/functions.hpp"

#include <utility>

namespace byteformer::train {
namespace {

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
               const backprop::StemTensors<float*>& g, backprop::PackedIds i, backprop::Workers& with)
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
  backprop::Workers& workers;
};

struct BlockBackward : torch::autograd::Node {
  BlockBackward(const backprop::BlockShape& s, const backprop::BlockWeights& w, const backprop::BlockGradients& g,
                backprop::WindowPlan p, backprop::BlockMemory&& m, torch::Tensor input, backprop::Workers& with)
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
  backprop::Workers& workers;
};

struct MergeBackward : torch::autograd::Node {
  MergeBackward(const backprop::MergeShape& s, const backprop::MergeWeights& w, const backprop::MergeGradients& g,
                backprop::MergePlan p, backprop::MergeMemory&& m, torch::Tensor input, backprop::Workers& with)
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
  backprop::Workers& workers;
};

}  // namespace

torch::Tensor stem(const backprop::StemShape& shape, const backprop::StemTensors<const float*>& weights,
                   const backprop::StemTensors<float*>& gradients, backprop::PackedIds ids,
                   backprop::Workers& workers) {
  backprop::StemMemory memory;
  torch::Tensor y = empty_rows(ids.num_tokens(), shape.hidden_size);
  backprop::stem_forward(shape, weights, ids, memory, y.data_ptr<float>(), workers);
  if (!torch::GradMode::is_enabled()) return y;
  return attach(make_node<StemBackward>(shape, weights, gradients, std::move(ids), workers), y, torch::Tensor());
}

torch::Tensor block(const backprop::BlockShape& shape, const backprop::BlockWeights& weights,
                    const backprop::BlockGradients& gradients, backprop::WindowPlan plan, const torch::Tensor& x,
                    backprop::Workers& workers) {
  backprop::BlockMemory memory(shape, plan.rows.size(), workers.buffers);
  torch::Tensor y = empty_rows(plan.rows.size(), shape.hidden_size);
  backprop::block_forward(shape, weights, plan, x.data_ptr<float>(), memory, y.data_ptr<float>(), workers);
  if (!torch::GradMode::is_enabled()) return y;
  return attach(
      make_node<BlockBackward>(shape, weights, gradients, std::move(plan), std::move(memory), x.detach(), workers), y,
      x);
}

torch::Tensor merge(const backprop::MergeShape& shape, const backprop::MergeWeights& weights,
                    const backprop::MergeGradients& gradients, backprop::MergePlan plan, const torch::Tensor& x,
                    backprop::Workers& workers) {
  backprop::MergeMemory memory = workers.buffers.take(plan.num_merged() * shape.hidden_size);
  torch::Tensor y = empty_rows(plan.num_merged(), shape.hidden_size);
  backprop::merge_forward(shape, weights, plan, x.data_ptr<float>(), memory, y.data_ptr<float>(), workers);
  if (!torch::GradMode::is_enabled()) return y;
  return attach(
      make_node<MergeBackward>(shape, weights, gradients, std::move(plan), std::move(memory), x.detach(), workers), y,
      x);
}

}  // namespace byteformer::train
