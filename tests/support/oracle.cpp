// Implementation of oracle.hpp: plain loops over the definitions.
#include "support/oracle.hpp"

#include <cmath>
#include <numeric>

namespace byteformer::test {
namespace {

class Oracle {
 public:
  Oracle(const format::ModelConfig& config, const format::Tensors& tensors, Masking masking)
      : config_(config), tensors_(tensors), masked_(masking == Masking::kMasked), hidden_(size(config.hidden_size)) {}

  OracleStages run(std::span<const std::uint8_t> file) {
    OracleStages result;
    Rows x = stem(file);
    result.stages.emplace_back("stem", x);
    for (std::size_t layer = 0; layer < config_.downsample.size(); ++layer) {
      result.windows.emplace_back();
      x = block(x, layer, result.windows.back());
      result.stages.emplace_back("block_" + std::to_string(layer), x);
      if (!config_.downsample[layer]) continue;
      x = merge(x, layer);
      result.stages.emplace_back("merge_" + std::to_string(layer), x);
    }
    for (auto& row : x) row = norm(row, "post_transformer_norm");
    result.stages.emplace_back("final_norm", x);
    std::vector<double> mean(hidden_, 0.0);
    for (const auto& row : x)
      for (std::size_t c = 0; c < hidden_; ++c) mean[c] += row[c] / static_cast<double>(x.size());
    result.stages.emplace_back("pooled", Rows{mean});
    result.logits = linear(mean, "classifier", size(config_.num_labels), true);
    return result;
  }

 private:
  static std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

  const std::vector<float>& tensor(const std::string& name) {
    auto found = cache_.find(name);
    if (found == cache_.end()) found = cache_.emplace(name, format::to_float32(tensors_.by_name.at(name), name)).first;
    return found->second;
  }

  std::vector<double> linear(const std::vector<double>& x, const std::string& name, std::size_t out, bool has_bias) {
    const auto& weight = tensor(name + ".weight");
    const auto* bias = has_bias ? &tensor(name + ".bias") : nullptr;
    std::vector<double> y(out);
    for (std::size_t o = 0; o < out; ++o) {
      const auto row = weight.begin() + static_cast<std::ptrdiff_t>(o * x.size());
      y[o] = std::transform_reduce(x.begin(), x.end(), row, bias == nullptr ? 0.0 : static_cast<double>((*bias)[o]));
    }
    return y;
  }

  std::vector<double> norm(const std::vector<double>& x, const std::string& name) {
    double mean = 0;
    double variance = 0;
    for (const double v : x) mean += v / static_cast<double>(x.size());
    for (const double v : x) variance += (v - mean) * (v - mean) / static_cast<double>(x.size());
    const auto& weight = tensor(name + ".weight");
    const auto& bias = tensor(name + ".bias");
    std::vector<double> y(x.size());
    for (std::size_t c = 0; c < x.size(); ++c)
      y[c] = (x[c] - mean) / std::sqrt(variance + config_.layer_norm_eps) * static_cast<double>(weight[c]) +
             static_cast<double>(bias[c]);
    return y;
  }

  std::vector<double> position(std::size_t t) {
    const std::string name = "pos_embed.pos_embed.pos_embed";
    std::vector<double> p(hidden_);
    if (tensors_.by_name.contains(name) && t < size(config_.max_position_embeddings)) {
      const auto& learned = tensor(name);
      for (std::size_t c = 0; c < hidden_; ++c) p[c] = static_cast<double>(learned[t * hidden_ + c]);
      return p;
    }
    const std::size_t half = hidden_ / 2;
    for (std::size_t i = 0; i < half; ++i) {
      const double f = std::exp(-static_cast<double>(i) * std::log(10000.0) / static_cast<double>(half - 1));
      p[i] = std::sin(static_cast<double>(t) * f);
      p[half + i] = std::cos(static_cast<double>(t) * f);
    }
    return p;
  }

  Rows stem(std::span<const std::uint8_t> file) {
    const std::size_t k = size(config_.conv_kernel_size);
    const std::size_t stride = k == 0 ? 1 : k / 2;
    std::vector<int> ids(file.begin(), file.end());
    std::size_t tokens = ids.size();
    if (k > 0 && masked_) {
      tokens = (ids.size() + stride - 1) / stride;
      ids.resize(std::max(ids.size(), (tokens - 1) * stride + k), 256);
    } else if (k > 0) {
      if (ids.size() < k) ids.resize(k, 256);
      tokens = (ids.size() - k) / stride + 1;
    }
    Rows x;
    for (std::size_t t = 0; t < tokens; ++t) {
      std::vector<double> row = position(t);
      if (k == 0) add_embedding(row, ids[t]);
      for (std::size_t j = 0; j < k; ++j) add_convolved(row, ids[t * stride + j], j);
      x.push_back(std::move(row));
    }
    return x;
  }

  void add_embedding(std::vector<double>& row, int id) {
    const auto& weight = tensor("embeddings.weight");
    for (std::size_t c = 0; c < hidden_; ++c)
      row[c] += static_cast<double>(weight[static_cast<std::size_t>(id) * hidden_ + c]);
  }

  void add_convolved(std::vector<double>& row, int id, std::size_t j) {
    const auto& weight = tensor("token_reduction_net.weight");
    const auto& embedding = tensor("embeddings.weight");
    const std::size_t k = size(config_.conv_kernel_size);
    for (std::size_t out = 0; out < hidden_; ++out) {
      double sum = 0;
      for (std::size_t in = 0; in < hidden_; ++in)
        sum += static_cast<double>(weight[(out * hidden_ + in) * k + j]) *
               static_cast<double>(embedding[static_cast<std::size_t>(id) * hidden_ + in]);
      row[out] += sum;
    }
  }

  Rows block(const Rows& x, std::size_t layer, std::set<VisibleRows>& windows) {
    const std::size_t n = x.size();
    const std::size_t window = size(config_.window_sizes[layer]);
    const std::size_t padded = (n + window - 1) / window * window;
    const std::size_t shift = size(config_.window_shifts[layer]) % padded;
    Rows rolled(padded);
    std::vector<std::size_t> origin(padded);
    for (std::size_t r = 0; r < padded; ++r) {
      const std::size_t to = (r + padded - shift) % padded;
      rolled[to] = r < n ? x[r] : std::vector<double>(hidden_, 0.0);
      origin[to] = r;
    }
    const std::string prefix = "transformer." + std::to_string(layer) + ".";
    for (std::size_t start = 0; start < padded; start += window)
      attend(rolled, origin, start, window, n, shift, prefix, windows);
    Rows y(n);
    for (std::size_t r = 0; r < padded; ++r)
      if (origin[r] < n) y[origin[r]] = rolled[r];
    for (auto& row : y) feed_forward(row, prefix);
    return y;
  }

  void attend(Rows& rolled, const std::vector<std::size_t>& origin, std::size_t start, std::size_t window,
              std::size_t n, std::size_t shift, const std::string& prefix, std::set<VisibleRows>& windows) {
    const std::size_t heads = size(config_.num_attention_heads);
    const std::size_t dim = hidden_ / heads;
    Rows qkv;
    for (std::size_t r = start; r < start + window; ++r)
      qkv.push_back(
          linear(norm(rolled[r], prefix + "pre_norm_mha.0"), prefix + "pre_norm_mha.1.qkv_proj", 3 * hidden_, true));
    // In the last window the roll joins the end of the file to its start: `after_cut` tells the two sides apart.
    const auto after_cut = [&](std::size_t rolled_row) { return rolled_row >= rolled.size() - shift; };
    for (std::size_t i = 0; i < window; ++i) {
      if (origin[start + i] >= n) continue;
      const auto is_visible = [&](std::size_t j) {
        return !masked_ || (origin[start + j] < n && after_cut(start + i) == after_cut(start + j));
      };
      VisibleRows seen;
      for (std::size_t j = 0; j < window; ++j) {
        if (!is_visible(j)) continue;
        if (origin[start + j] < n) {
          seen.first.insert(origin[start + j]);
        } else {
          ++seen.second;
        }
      }
      windows.insert(seen);
      std::vector<double> mixed(hidden_, 0.0);
      for (std::size_t h = 0; h < heads; ++h) {
        std::vector<double> weights(window, 0.0);
        double sum = 0;
        for (std::size_t j = 0; j < window; ++j) {
          if (!is_visible(j)) continue;
          double score = 0;
          for (std::size_t c = 0; c < dim; ++c) score += qkv[i][h * dim + c] * qkv[j][hidden_ + h * dim + c];
          weights[j] = std::exp(score / std::sqrt(static_cast<double>(dim)));
          sum += weights[j];
        }
        for (std::size_t j = 0; j < window; ++j)
          for (std::size_t c = 0; c < dim; ++c)
            mixed[h * dim + c] += weights[j] / sum * qkv[j][2 * hidden_ + h * dim + c];
      }
      const auto out = linear(mixed, prefix + "pre_norm_mha.1.out_proj", hidden_, true);
      for (std::size_t c = 0; c < hidden_; ++c) rolled[start + i][c] += out[c];
    }
  }

  void feed_forward(std::vector<double>& row, const std::string& prefix) {
    auto wide =
        linear(norm(row, prefix + "pre_norm_ffn.0"), prefix + "pre_norm_ffn.1", size(config_.intermediate_size), true);
    for (double& v : wide) v = 0.5 * v * (1.0 + std::erf(v / std::sqrt(2.0)));
    const auto out = linear(wide, prefix + "pre_norm_ffn.4", hidden_, true);
    for (std::size_t c = 0; c < hidden_; ++c) row[c] += out[c];
  }

  Rows merge(Rows x, std::size_t layer) {
    if (x.size() % 2 == 1) x.emplace_back(hidden_, 0.0);
    const std::string prefix = "downsamplers.downsample_" + std::to_string(layer) + ".";
    Rows y;
    for (std::size_t t = 0; t < x.size(); t += 2) {
      std::vector<double> pair;
      for (std::size_t c = 0; c < hidden_; ++c) {
        pair.push_back(x[t][c]);
        pair.push_back(x[t + 1][c]);
      }
      y.push_back(norm(linear(pair, prefix + "reduction", hidden_, false), prefix + "norm"));
    }
    return y;
  }

  const format::ModelConfig& config_;
  const format::Tensors& tensors_;
  bool masked_;
  std::size_t hidden_;
  std::map<std::string, std::vector<float>> cache_;
};

}  // namespace

OracleStages oracle_forward(const format::ModelConfig& config, const format::Tensors& tensors, Masking masking,
                            std::span<const std::uint8_t> file) {
  return Oracle(config, tensors, masking).run(file);
}

}  // namespace byteformer::test
