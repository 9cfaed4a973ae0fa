// Implementation of assembly.hpp and runtime.hpp.
#include "train/assembly.hpp"

#include <string>

namespace byteformer::train {
namespace {

torch::Dtype dtype_of(const std::string& precision) {
  if (precision == "bf16") return torch::kBFloat16;
  return precision == "fp16" ? torch::kFloat16 : torch::kFloat32;
}

}  // namespace

ByteFormer make_module(const plan::TrainingPlan& plan, const Runtime& runtime) {
  ModuleOptions options;
  options.device = torch::Device(plan.device);
  options.compute_type = dtype_of(plan.precision);
  options.regularisation = {plan.dropout, plan.stochastic_depth};
  options.num_threads = runtime.num_threads;
  ByteFormer module(plan.config, options);
  // Beside our own kernels LibTorch has little to do, and on one thread its sums have one order.
  if (module.uses_own_kernels()) {
    torch::set_num_threads(1);
  } else if (runtime.num_threads > 0) {
    torch::set_num_threads(runtime.num_threads);
  }
  return module;
}

data::LoaderOptions loader_options(const plan::TrainingPlan& plan, const data::DataSet& data, const Runtime& runtime) {
  data::LoaderOptions options;
  options.preprocess = plan.preprocess;
  options.image_augmentation = plan.image_augmentation;
  options.sound_augmentation = plan.sound_augmentation;
  options.batch_size = static_cast<std::size_t>(plan.batch_size);
  options.seed = plan.seed;
  options.balance_classes = plan.balance_classes;
  options.balance_kinds = plan.balance_kinds;
  options.max_bytes = static_cast<std::size_t>(plan.max_bytes);
  options.num_workers = runtime.num_workers;
  if (plan.sound_augmentation.noise_db != 0 && plan.preprocess.sound)
    options.background = data::load_background(data.background, *plan.preprocess.sound);
  return options;
}

}  // namespace byteformer::train
