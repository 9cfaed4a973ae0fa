// Lays the parameters out in one flat tensor, fills them anew or from another model, and names them for writing.
#include "train/parameters.hpp"

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "format/model_folder.hpp"
#include "model/weights.hpp"
#include "plan/filter_bank.hpp"
#include "plan/settings.hpp"

namespace byteformer::train {
namespace {

/// Turns the stem, which is initialised, into a filter bank.
void start_stem(Parameters& parameters, const format::ModelConfig& config, std::uint64_t seed) {
  torch::Tensor embeddings = parameters["embeddings.weight"].detach();
  torch::Tensor convolution = parameters["token_reduction_net.weight"].detach();
  const torch::Tensor rows = embeddings.cpu().contiguous(), taps = convolution.cpu().contiguous();
  const auto floats = [](const torch::Tensor& tensor) {
    return std::span(tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel()));
  };
  plan::start_as_filter_bank(config, seed, floats(rows), floats(taps));
  embeddings.copy_(rows);
  convolution.copy_(taps);
}

torch::Tensor as_tensor(const std::vector<float>& numbers, const std::vector<std::int64_t>& shape) {
  return torch::from_blob(const_cast<float*>(numbers.data()), shape);
}

/// Copies the rows of `from` [from_labels, row_size] whose labels are also `to_labels` to their rows of `to`.
void copy_rows(const std::vector<float>& from, const std::vector<std::string>& from_labels, torch::Tensor to,
               const std::vector<std::string>& to_labels) {
  const torch::Tensor source = as_tensor(from, {std::ssize(from)}).view({std::ssize(from_labels), -1});
  for (std::size_t i = 0; i < to_labels.size(); ++i) {
    const auto found = std::ranges::find(from_labels, to_labels[i]);
    if (found == from_labels.end()) continue;
    torch::Tensor row = to[static_cast<std::int64_t>(i)];
    row.copy_(source[found - from_labels.begin()].view(row.sizes()));
  }
}

/// Copies learned positions `from` [1, 1, n, C] to `to` [1, 1, m, C]. Where m is larger, the first ones repeat with the
/// `period` of the windows in which they were learned.
void copy_positions(const torch::Tensor& from, std::int64_t period, torch::Tensor to) {
  const std::int64_t known = from.size(2), wanted = to.size(2);
  const std::int64_t count = std::min(known, wanted);
  to.narrow(2, 0, count).copy_(from.narrow(2, 0, count));
  period = std::min(period, known);
  for (std::int64_t i = known; i < wanted; ++i) to.select(2, i).copy_(from.select(2, i % period));
}

}  // namespace

Parameters::Parameters(const format::ModelConfig& config, torch::Device device) {
  std::vector<model::TensorSpec> specs = model::tensor_specs(config);
  std::erase_if(specs, [&](const model::TensorSpec& spec) { return model::is_buffer(config, spec); });
  const auto decays = [](const model::TensorSpec& spec) { return spec.shape.size() > 1; };
  std::ranges::stable_partition(specs, decays);
  std::int64_t size = 0;
  for (const model::TensorSpec& spec : specs) {
    size += c10::multiply_integers(spec.shape);
    if (decays(spec)) num_decayed_ = size;
  }
  values_ = torch::zeros({size}, torch::TensorOptions().dtype(torch::kFloat32).device(device));
  gradients_ = torch::zeros_like(values_);
  std::int64_t begin = 0;
  for (const model::TensorSpec& spec : specs) {
    const std::int64_t count = c10::multiply_integers(spec.shape);
    torch::Tensor view = values_.narrow(0, begin, count).view(spec.shape).detach();
    view.requires_grad_(true);
    view.mutable_grad() = gradients_.narrow(0, begin, count).view(spec.shape);
    views_.emplace(spec.name, view);
    begin += count;
  }
}

const torch::Tensor& Parameters::operator[](const std::string& name) const {
  const auto found = views_.find(name);
  if (found == views_.end()) throw Error(ErrorCode::kInternal, "no parameter is called " + name);
  return found->second;
}

void Parameters::load(const format::Tensors& tensors) {
  torch::NoGradGuard no_grad;
  for (const auto& [name, view] : views_) {
    const auto found = tensors.by_name.find(name);
    const std::vector<std::int64_t> shape = view.sizes().vec();
    if (found == tensors.by_name.end() || found->second.shape != shape)
      base::fail(ErrorCode::kInvalidModel, tensors.source, ": no tensor ", name, " of shape ",
                 format::shape_text(shape));
    view.detach().copy_(as_tensor(format::to_float32(found->second, name), shape));
  }
}

format::NamedTensors Parameters::named(const torch::Tensor& flat_on_cpu) const {
  format::NamedTensors tensors;
  for (const auto& [name, view] : views_)
    tensors[name] = {format::DType::kF32, view.sizes().vec(),
                     std::as_bytes(std::span(flat_on_cpu.data_ptr<float>() + view.storage_offset(),
                                             static_cast<std::size_t>(view.numel())))};
  return tensors;
}

Initialisation parse_initialisation(const std::string& name) {
  if (name == "released") return Initialisation::kReleased;
  if (name == "normal") return Initialisation::kTruncatedNormal;
  if (name == "filter-bank") return Initialisation::kFilterBank;
  throw Error(ErrorCode::kInvalidArgument, "no initialisation is called `" + name + "`");
}

void initialise(Parameters& parameters, const format::ModelConfig& config, Initialisation how, std::uint64_t seed) {
  torch::NoGradGuard no_grad;
  const auto generator = torch::make_generator<at::CPUGeneratorImpl>(seed);
  const double hidden_std = std::pow(static_cast<double>(config.hidden_size), -0.5);
  for (const auto& [name, view] : parameters.all()) {
    torch::Tensor values = torch::zeros(view.sizes());
    if (name == "embeddings.weight" || name == kPositions) {
      values.normal_(0, hidden_std, generator).clamp_(-2, 2);
      if (name == "embeddings.weight") values[256].zero_();
    } else if (name == "token_reduction_net.weight") {
      const double bound = std::pow(static_cast<double>(config.hidden_size * config.conv_kernel_size), -0.5);
      values.uniform_(-bound, bound, generator);
    } else if (view.dim() == 2) {
      if (how != Initialisation::kTruncatedNormal) {
        const double bound = std::sqrt(6.0 / static_cast<double>(view.size(0) + view.size(1)));
        values.uniform_(-bound, bound, generator);
      } else {
        values.normal_(0, 0.02, generator).clamp_(-2, 2);
      }
    } else if (name.ends_with(".weight")) {
      values.fill_(1);  // norms
    }
    view.detach().copy_(values);
  }
  if (how == Initialisation::kFilterBank) start_stem(parameters, config, seed);
}

void adapt(Parameters& parameters, const format::ModelConfig& config, const std::string& init_from) {
  torch::NoGradGuard no_grad;
  const format::ModelFolder source = format::read_model_folder(init_from);
  for (const auto& [name, leaf] : parameters.all()) {
    const auto found = source.tensors.by_name.find(name);
    if (found == source.tensors.by_name.end()) {
      if (name == kPositions) continue;  // it has sinusoidal positions
      base::fail(ErrorCode::kInvalidModel, init_from, ": has no tensor ", name, "; the models differ in their layers");
    }
    const std::vector<std::int64_t> shape = leaf.sizes().vec();
    const std::vector<float> numbers = format::to_float32(found->second, name);
    torch::Tensor target = leaf.detach();
    if (name.starts_with("classifier.")) {
      if (found->second.shape.size() != shape.size() || (shape.size() == 2 && found->second.shape[1] != shape[1]))
        base::fail(ErrorCode::kInvalidModel, init_from, ": its hidden size differs");
      copy_rows(numbers, source.config.labels, target, config.labels);
    } else if (name == kPositions && found->second.shape.back() == config.hidden_size) {
      copy_positions(as_tensor(numbers, found->second.shape), source.config.window_sizes.front(), target);
    } else if (found->second.shape == shape) {
      target.copy_(as_tensor(numbers, shape));
    } else {
      base::fail(ErrorCode::kInvalidModel, init_from, ": tensor ", name, " has shape ",
                 format::shape_text(found->second.shape), ", this model needs ", format::shape_text(shape), "; ",
                 plan::option_name(&plan::Request::init_from), " takes models of the same sizes and kernel");
    }
  }
}

}  // namespace byteformer::train
