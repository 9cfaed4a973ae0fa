// Every tensor of a ByteFormer, named once, and the check that a file holds exactly these.
#include "model/weights.hpp"

#include <algorithm>
#include <cstring>

#include "base/text.hpp"

namespace byteformer::model {
namespace {

using base::fail;
using base::joined;
using format::DType;
using format::shape_text;

constexpr std::size_t kMaxListedNames = 4;

/// Collects the tensors of a model in the order of the published state dict.
class SpecList {
 public:
  void add(std::string name, std::vector<std::int64_t> shape, bool optional = false) {
    specs_.push_back({std::move(name), std::move(shape), optional});
  }
  void add_norm(const std::string& name, std::int64_t size) {
    add(name + ".weight", {size});
    add(name + ".bias", {size});
  }
  void add_linear(const std::string& name, std::int64_t num_out, std::int64_t num_in) {
    add(name + ".weight", {num_out, num_in});
    add(name + ".bias", {num_out});
  }
  std::vector<TensorSpec> take() { return std::move(specs_); }

 private:
  std::vector<TensorSpec> specs_;
};

void add_merge(SpecList& specs, std::size_t layer, std::int64_t hidden) {
  const std::string prefix = joined("downsamplers.downsample_", layer);
  specs.add(prefix + ".reduction.weight", {hidden, 2 * hidden});
  specs.add_norm(prefix + ".norm", hidden);
}

void add_block(SpecList& specs, std::size_t layer, std::int64_t hidden, std::int64_t intermediate) {
  const std::string prefix = joined("transformer.", layer);
  specs.add_norm(prefix + ".pre_norm_mha.0", hidden);
  specs.add_linear(prefix + ".pre_norm_mha.1.qkv_proj", 3 * hidden, hidden);
  specs.add_linear(prefix + ".pre_norm_mha.1.out_proj", hidden, hidden);
  specs.add_norm(prefix + ".pre_norm_ffn.0", hidden);
  specs.add_linear(prefix + ".pre_norm_ffn.1", intermediate, hidden);
  specs.add_linear(prefix + ".pre_norm_ffn.4", hidden, intermediate);
}

/// Whether no element has all bits of `exponent` set, as infinities and NaNs have.
template <typename Bits>
bool all_finite(std::span<const std::byte> bytes, Bits exponent) {
  bool finite = true;
  for (std::size_t i = 0; i + sizeof(Bits) <= bytes.size(); i += sizeof(Bits)) {
    Bits bits;
    std::memcpy(&bits, bytes.data() + i, sizeof(bits));
    finite &= (bits & exponent) != exponent;
  }
  return finite;
}

bool is_finite(const format::TensorView& tensor) {
  switch (tensor.dtype) {
    case DType::kF32: return all_finite<std::uint32_t>(tensor.bytes, 0x7F80'0000U);
    case DType::kF16: return all_finite<std::uint16_t>(tensor.bytes, 0x7C00U);
    case DType::kBF16: return all_finite<std::uint16_t>(tensor.bytes, 0x7F80U);
    default: return true;
  }
}

void check_tensor(const TensorSpec& spec, const format::TensorView& tensor, const std::string& source) {
  if (tensor.shape != spec.shape)
    fail(ErrorCode::kInvalidModel, base::About{source}, "tensor ", spec.name, " has shape ", shape_text(tensor.shape),
         ", the configuration needs ", shape_text(spec.shape));
  if (tensor.dtype != DType::kF32 && tensor.dtype != DType::kF16 && tensor.dtype != DType::kBF16)
    fail(ErrorCode::kInvalidModel, base::About{source}, "tensor ", spec.name, " has elements of type ",
         to_string(tensor.dtype), ", expected F32, F16 or BF16");
}

void refuse_unexpected(const std::vector<TensorSpec>& specs, const format::Tensors& tensors) {
  std::vector<std::string_view> expected;
  for (const TensorSpec& spec : specs) expected.push_back(spec.name);
  std::ranges::sort(expected);
  std::string listed;
  std::size_t num_unexpected = 0;
  for (const auto& [name, tensor] : tensors.by_name) {
    if (std::ranges::binary_search(expected, name)) continue;
    if (++num_unexpected > kMaxListedNames) continue;
    listed += joined(num_unexpected > 1 ? ", " : "", base::excerpt(name), ' ', shape_text(tensor.shape));
  }
  if (num_unexpected == 0) return;
  if (num_unexpected > kMaxListedNames) listed += joined(" and ", num_unexpected - kMaxListedNames, " more");
  fail(ErrorCode::kInvalidModel, base::About{tensors.source}, "has tensors that the configuration does not know: ",
       listed);
}

}  // namespace

std::vector<TensorSpec> tensor_specs(const format::ModelConfig& config) {
  const std::int64_t hidden = config.hidden_size;
  const std::int64_t kernel = config.conv_kernel_size;
  SpecList specs;
  specs.add("embeddings.weight", {config.vocab_size, hidden});
  if (kernel > 0) specs.add("token_reduction_net.weight", {hidden, hidden, kernel});
  specs.add("pos_embed.pos_embed.pos_embed", {1, 1, config.max_position_embeddings, hidden},
            config.position_embedding == format::PositionEmbedding::kSinusoidal);
  for (std::size_t i = 0; i < config.downsample.size(); ++i)
    if (config.downsample[i]) add_merge(specs, i, hidden);
  for (std::size_t i = 0; i < config.window_sizes.size(); ++i) add_block(specs, i, hidden, config.intermediate_size);
  specs.add_norm("post_transformer_norm", hidden);
  specs.add_linear("classifier", config.num_labels, hidden);
  return specs.take();
}

void check_layout(const format::ModelConfig& config, const format::Tensors& tensors) {
  const auto specs = tensor_specs(config);
  for (const TensorSpec& spec : specs) {
    const auto found = tensors.by_name.find(spec.name);
    if (found != tensors.by_name.end()) {
      check_tensor(spec, found->second, tensors.source);
    } else if (!spec.optional) {
      fail(ErrorCode::kInvalidModel, base::About{tensors.source}, "has no tensor ", spec.name, ", expected ",
           shape_text(spec.shape));
    }
  }
  refuse_unexpected(specs, tensors);
}

void check_finite(const std::string& name, const format::TensorView& tensor, const std::string& source) {
  if (!is_finite(tensor))
    fail(ErrorCode::kInvalidModel, base::About{source}, "tensor ", name,
         " holds a NaN or an infinity; the training that wrote it diverged, or the file is damaged");
}

void check_tensors(const format::ModelConfig& config, const format::Tensors& tensors) {
  check_layout(config, tensors);
  for (const auto& [name, tensor] : tensors.by_name) check_finite(name, tensor, tensors.source);
}

bool is_buffer(const format::ModelConfig& config, const TensorSpec& spec) noexcept {
  return config.position_embedding == format::PositionEmbedding::kSinusoidal && spec.name.starts_with("pos_embed.");
}

std::int64_t num_parameters(const format::ModelConfig& config) {
  std::int64_t total = 0;
  for (const TensorSpec& spec : tensor_specs(config)) {
    if (is_buffer(config, spec)) continue;
    std::int64_t num_elements = 1;
    for (const std::int64_t dim : spec.shape) num_elements *= dim;
    total += num_elements;
  }
  return total;
}

}  // namespace byteformer::model
