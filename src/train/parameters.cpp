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

std::vector<model::TensorSpec> trainable_specs(const format::ModelConfig& config) {
  std::vector<model::TensorSpec> specs = model::tensor_specs(config);
  if (config.position_embedding == format::PositionEmbedding::kSinusoidal)
    std::erase_if(specs, [](const model::TensorSpec& spec) { return spec.name == kPositions; });
  return specs;
}

std::int64_t num_elements(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

bool ends_with(const std::string& text, std::string_view ending) {
  return text.size() >= ending.size() && text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

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

/// Rows of a [rows, ...] tensor: `from[row]` goes to `to[wanted]` for pairs of equal names, or row by row.
void copy_rows(const std::vector<float>& from, std::size_t row_size, torch::Tensor to,
               const std::vector<std::pair<std::int64_t, std::int64_t>>& rows) {
  torch::Tensor flat = to.view({-1, static_cast<std::int64_t>(row_size)});
  for (const auto& [source, target] : rows)
    flat[target].copy_(torch::from_blob(const_cast<float*>(from.data()) + source * static_cast<std::int64_t>(row_size),
                                        {static_cast<std::int64_t>(row_size)}));
}

std::vector<std::pair<std::int64_t, std::int64_t>> same_rows(std::int64_t count) {
  std::vector<std::pair<std::int64_t, std::int64_t>> rows;
  for (std::int64_t i = 0; i < count; ++i) rows.emplace_back(i, i);
  return rows;
}

std::vector<std::pair<std::int64_t, std::int64_t>> same_labels(const std::vector<std::string>& from,
                                                               const std::vector<std::string>& to) {
  std::vector<std::pair<std::int64_t, std::int64_t>> rows;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto found = std::ranges::find(from, to[i]);
    if (found != from.end()) rows.emplace_back(found - from.begin(), static_cast<std::int64_t>(i));
  }
  return rows;
}

}  // namespace

Parameters::Parameters(const format::ModelConfig& config, torch::Device device) {
  const std::vector<model::TensorSpec> specs = trainable_specs(config);
  std::int64_t size = 0;
  const auto add = [&](const model::TensorSpec& spec) {
    const std::int64_t count = num_elements(spec.shape);
    entries_.push_back({spec.name, spec.shape, {size, count}});
    size += count;
  };
  for (const auto& spec : specs)
    if (spec.shape.size() > 1) add(spec);
  num_decayed_ = size;
  for (const auto& spec : specs)
    if (spec.shape.size() == 1) add(spec);
  values_ = torch::zeros({size}, torch::TensorOptions().dtype(torch::kFloat32).device(device));
  gradients_ = torch::zeros_like(values_);
  for (const Entry& entry : entries_) {
    torch::Tensor view = values_.narrow(0, entry.range.begin, entry.range.size).view(entry.shape).detach();
    view.requires_grad_(true);
    view.mutable_grad() = gradients_.narrow(0, entry.range.begin, entry.range.size).view(entry.shape);
    views_.emplace(entry.name, view);
  }
}

const torch::Tensor& Parameters::operator[](const std::string& name) const {
  const auto found = views_.find(name);
  if (found == views_.end()) throw Error(ErrorCode::kInternal, "no parameter is called " + name);
  return found->second;
}

Parameters::Range Parameters::range(const std::string& name) const {
  for (const Entry& entry : entries_)
    if (entry.name == name) return entry.range;
  throw Error(ErrorCode::kInternal, "no parameter is called " + name);
}

void Parameters::load(const format::Tensors& tensors) {
  torch::NoGradGuard no_grad;
  for (const Entry& entry : entries_) {
    const auto found = tensors.by_name.find(entry.name);
    if (found == tensors.by_name.end() || found->second.shape != entry.shape)
      base::fail(ErrorCode::kInvalidModel, tensors.source, ": no tensor ", entry.name, " of shape ",
                 format::shape_text(entry.shape));
    const std::vector<float> numbers = format::to_float32(found->second, entry.name);
    values_.narrow(0, entry.range.begin, entry.range.size)
        .copy_(torch::from_blob(const_cast<float*>(numbers.data()), {entry.range.size}));
  }
}

std::map<std::string, format::TensorView, std::less<>> Parameters::named(const torch::Tensor& flat_on_cpu) const {
  std::map<std::string, format::TensorView, std::less<>> tensors;
  const float* data = flat_on_cpu.data_ptr<float>();
  for (const Entry& entry : entries_)
    tensors[entry.name] = {
        format::DType::kF32, entry.shape,
        std::as_bytes(std::span(data + entry.range.begin, static_cast<std::size_t>(entry.range.size)))};
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
    } else if (ends_with(name, ".weight")) {
      values.fill_(1);  // norms
    }
    const Parameters::Range range = parameters.range(name);
    parameters.values().narrow(0, range.begin, range.size).copy_(values.flatten());
  }
  if (how == Initialisation::kFilterBank) start_stem(parameters, config, seed);
}

void adapt(Parameters& parameters, const format::ModelConfig& config, const std::string& init_from) {
  torch::NoGradGuard no_grad;
  const format::ModelFolder source = format::read_model_folder(init_from);
  for (const auto& [name, leaf] : parameters.all()) {
    const auto found = source.tensors.by_name.find(name);
    if (found == source.tensors.by_name.end()) {
      if (name.rfind("pos_embed", 0) == 0) continue;  // it has sinusoidal positions
      base::fail(ErrorCode::kInvalidModel, init_from, ": has no tensor ", name, "; the models differ in their layers");
    }
    const std::vector<std::int64_t> shape = leaf.sizes().vec();
    const std::vector<float> numbers = format::to_float32(found->second, name);
    torch::Tensor target = leaf.detach();
    if (name.rfind("classifier.", 0) == 0) {
      const std::size_t row_size = name == "classifier.bias" ? 1 : static_cast<std::size_t>(config.hidden_size);
      if (found->second.shape.size() != shape.size() || (shape.size() == 2 && found->second.shape[1] != shape[1]))
        base::fail(ErrorCode::kInvalidModel, init_from, ": its hidden size differs");
      copy_rows(numbers, row_size, target, same_labels(source.config.labels, config.labels));
    } else if (name.rfind("pos_embed", 0) == 0 && found->second.shape.back() == config.hidden_size) {
      copy_rows(numbers, static_cast<std::size_t>(config.hidden_size), target,
                same_rows(std::min(config.max_position_embeddings, source.config.max_position_embeddings)));
    } else if (found->second.shape == shape) {
      target.copy_(torch::from_blob(const_cast<float*>(numbers.data()), shape));
    } else {
      base::fail(ErrorCode::kInvalidModel, init_from, ": tensor ", name, " has shape ",
                 format::shape_text(found->second.shape), ", this model needs ", format::shape_text(shape), "; ",
                 plan::option_name(&plan::Request::init_from), " takes models of the same sizes and kernel");
    }
  }
}

}  // namespace byteformer::train
