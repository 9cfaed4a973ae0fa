// Numbers of all ranks, by c10d's process groups in both of their shapes (LibTorch 1.13 and 2.x).
#include <torch/cuda.h>
#include <torch/types.h>

#include <algorithm>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include "train/ranks_impl.hpp"

namespace byteformer::train {
namespace {

/// Whether each rank has a GPU of its own, and there is what adds up between them.
bool has_nccl(const World& world) {
#ifdef USE_C10D_NCCL
  return world.local_size <= static_cast<int>(torch::cuda::device_count());  // of another type in each LibTorch
#else
  return static_cast<void>(world), false;
#endif
}

}  // namespace

/// NCCL where each rank has a GPU of its own, else Gloo, which copies what is on one.
c10::intrusive_ptr<Group> Ranks::Impl::group_for(const at::Tensor& tensor) {
#ifdef USE_C10D_NCCL
  if (tensor.is_cuda() && has_nccl(world)) {
    if (!cuda_group)
      cuda_group = c10::make_intrusive<c10d::ProcessGroupNCCL>(c10::make_intrusive<c10d::PrefixStore>("nccl", store),
                                                               world.rank, world.size);
    return cuda_group;
  }
#else
  static_cast<void>(tensor);
#endif
  return gloo;
}

std::string devices_of(const World& world) {
  if (!torch::cuda::is_available()) return "cpu";
  return has_nccl(world) ? "cuda by nccl" : "cuda by gloo";
}

void Ranks::copy_from_first(at::Tensor& tensor) {
  if (!are_many()) return;
  const torch::NoGradGuard no_grad;
  std::vector<at::Tensor> on_cpu{tensor.detach().cpu()};
  impl_->wait_for(*impl_->gloo->broadcast(on_cpu));
  if (!tensor.is_cpu()) tensor.detach().copy_(on_cpu.front());
}

void Ranks::sum(std::span<double> numbers) {
  if (!are_many()) return;
  std::vector<at::Tensor> tensors{
      torch::from_blob(numbers.data(), {static_cast<std::int64_t>(numbers.size())}, torch::kFloat64)};
  impl_->wait_for(*impl_->gloo->allreduce(tensors));
}

void Ranks::start_sum(const at::Tensor& tensor, SumType type) {
  // Each rank starts each piece of work in the same order, whatever is done when: with the next sum but one.
  if (impl_->sums.size() > 1) impl_->go_on(impl_->sums[impl_->sums.size() - 2]);
  Sum& sum = impl_->sums.emplace_back();
  sum.result = tensor;
  const bool is_of_nccl = impl_->group_for(tensor) != impl_->gloo;
  if (type == SumType::kFloat32 || is_of_nccl) {  // NCCL adds up bfloat16 itself
    sum.numbers = type == SumType::kFloat32 ? tensor : tensor.to(torch::kBFloat16);
    std::vector<at::Tensor> tensors{sum.numbers};
    sum.work = impl_->group_for(tensor)->allreduce(tensors);
    return;
  }
  const std::int64_t part = (tensor.numel() + world_.size - 1) / world_.size;
  at::Tensor sent = torch::zeros({world_.size * part}, torch::kBFloat16);
  sent.narrow(0, 0, tensor.numel()).copy_(tensor);
  sum.numbers = torch::empty_like(sent);
  sum.has_parts = true;
  at::Tensor from = sent.view(torch::kInt8), to = sum.numbers.view(torch::kInt8);  // Gloo knows no bfloat16
  std::vector<std::int64_t> equal;
  sum.work = impl_->gloo->alltoall_base(to, from, equal, equal);
}

void Ranks::start_copy(const at::Tensor& tensor, int rank) {
  std::vector<at::Tensor> tensors{tensor};
  c10d::BroadcastOptions options;
  options.rootRank = rank;
  impl_->sums.push_back({tensor, tensor, false, impl_->group_for(tensor)->broadcast(tensors, options)});
}

void Ranks::finish() {
  for (Sum& sum : impl_->sums) impl_->go_on(sum);
  for (Sum& sum : impl_->sums) {
    // NCCL's work is over once a wait for it is.
    const bool is_of_nccl = impl_->group_for(sum.result) != impl_->gloo;
    impl_->wait_for(*sum.work, is_of_nccl ? impl_->timeout - impl_->last_moments() : kLook);
    if (!sum.numbers.is_same(sum.result)) sum.result.copy_(sum.numbers.narrow(0, 0, sum.result.numel()));
  }
  impl_->sums.clear();
}

/// Once a rank has its part of a sum from all, it adds that up, and hands it to all.
void Ranks::Impl::go_on(Sum& sum) {
  if (!sum.has_parts) return;
  sum.has_parts = false;
  wait_for(*sum.work);
  std::vector<at::Tensor> parts = sum.numbers.view({world.size, -1}).unbind();
  at::Tensor total = parts.front().to(torch::kFloat32);
  for (std::size_t rank = 1; rank < parts.size(); ++rank) total += parts[rank];
  std::vector<at::Tensor> own{total.to(torch::kBFloat16).view(torch::kInt8)};
  std::vector<std::vector<at::Tensor>> all(1);
  for (const at::Tensor& part : parts) all.front().push_back(part.view(torch::kInt8));
  sum.work = gloo->allgather(all, own);
}

std::vector<std::vector<float>> Ranks::to_first(const std::vector<float>& numbers) {
  if (!are_many()) return {numbers};
  std::vector<double> sizes(index(world_.size));
  sizes[index(rank())] = static_cast<double>(numbers.size());
  sum(sizes);
  const auto most = static_cast<std::int64_t>(*std::ranges::max_element(sizes));
  std::vector<at::Tensor> own{torch::zeros({std::max<std::int64_t>(1, most)})};
  std::ranges::copy(numbers, own.front().data_ptr<float>());
  std::vector<std::vector<at::Tensor>> all;
  if (is_first()) {
    all.emplace_back();
    for (int rank = 0; rank < world_.size; ++rank) all.front().push_back(torch::zeros_like(own.front()));
  }
  impl_->wait_for(*impl_->gloo->gather(all, own));
  std::vector<std::vector<float>> result;
  for (int rank = 0; is_first() && rank < world_.size; ++rank) {
    const float* from = all.front()[index(rank)].data_ptr<float>();
    result.emplace_back(from, from + static_cast<std::ptrdiff_t>(sizes[index(rank)]));
  }
  return result;
}

}  // namespace byteformer::train
