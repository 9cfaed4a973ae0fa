// Prepares the validation files once, and has the engine answer them, or LibTorch where it trains elsewhere.
#include "train/validation_set.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <utility>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "data/loader.hpp"
#include "format/json.hpp"
#include "kernels/kernels.hpp"
#include "model/byteformer.hpp"
#include "train/shares.hpp"

namespace byteformer::train {
namespace {

/// Samples that cannot be used, and why.
using Skipped = std::vector<std::pair<std::size_t, std::string>>;

/// By the engine that will run the weights later: in constant memory, and faster than a forward pass that remembers.
data::Answers engine_answers(const format::ModelConfig& config, const Parameters& parameters,
                             const torch::Tensor& weights, const std::vector<std::span<const std::uint8_t>>& files,
                             const std::vector<int>& labels, base::ThreadPool& pool) {
  auto tensors = std::make_shared<format::Tensors>();
  tensors->by_name = parameters.named(weights);
  tensors->source = "the weights in training";
  const model::ByteFormer engine(config, tensors, config.masking, kernels::default_kernels(), pool);
  model::Workspace workspace = engine.make_workspace(pool);
  for (const auto& file : files) {
    engine.feed(file, workspace);
    engine.end_file(workspace);
  }
  engine.flush(workspace);
  data::Answers answers;
  answers.num_classes = static_cast<std::size_t>(config.num_labels);
  answers.logits = workspace.results.logits;
  answers.labels = labels;
  return answers;
}

}  // namespace

std::string reason_it_does_not_fit(const Module& module, std::size_t num_bytes) {
  const format::ModelConfig& config = module.config();
  const std::int64_t num_tokens = module.num_tokens(static_cast<std::int64_t>(num_bytes));
  if (config.position_embedding == format::PositionEmbedding::kSinusoidal ||
      num_tokens <= config.max_position_embeddings)
    return {};
  return base::joined("needs ", num_tokens, " tokens, but the model has positions for ",
                      config.max_position_embeddings);
}

std::vector<std::int64_t> costs_of(const std::vector<data::Sample>& samples, const plan::TrainingPlan& plan) {
  // Pictures and sounds that are brought to one size have about one number of bytes, whatever their files have.
  const prepare::Preprocess& preprocess = plan.preprocess;
  const bool are_alike = !preprocess.is_bytes() && (!preprocess.image || preprocess.image->crop) &&
                         (!preprocess.sound || preprocess.sound->duration_s);
  std::vector<std::int64_t> costs(samples.size(), 1);
  for (std::size_t i = 0; i < samples.size() && !are_alike; ++i) {
    costs[i] = 1 + static_cast<std::int64_t>(data::num_bytes_of(samples[i]).value_or(0));
    if (plan.max_bytes > 0) costs[i] = std::min(costs[i], plan.max_bytes);
  }
  return costs;
}

ValidationSet::ValidationSet(const std::vector<data::Sample>& samples, const plan::TrainingPlan& plan,
                             const Module& module, Ranks& ranks,
                             const std::function<void(const std::string&)>& on_skipped)
    : samples_(samples), ranks_(ranks), token_budget_(plan.token_budget) {
  std::vector<std::size_t> share(samples.size());
  std::iota(share.begin(), share.end(), std::size_t{0});
  if (ranks_.are_many()) share = share_of(ranks_.rank(), costs_of(samples, plan), ranks_.size());
  Skipped skipped;
  for (const std::size_t sample : share) {
    const std::string reason = read(sample, plan, module);
    if (!reason.empty()) skipped.emplace_back(sample, reason);
  }
  for (const std::string& text : ranks_.to_first(format::to_text(format::Json{own_used_, skipped}))) {
    const format::Json share_of_rank = format::from_text(text);
    rank_used_.push_back(share_of_rank.at(0));
    if (rank_used_.size() > 1) std::ranges::copy(share_of_rank.at(1).get<Skipped>(), std::back_inserter(skipped));
    std::ranges::copy(rank_used_.back(), std::back_inserter(used_));
  }
  std::ranges::sort(used_);
  std::ranges::sort(skipped);
  if (ranks_.is_first() && used_.empty() && !skipped.empty())
    base::fail(ErrorCode::kInvalidFormat, "none of the ", samples.size(), " validation files can be used; the first: ",
               skipped.front().second);
  if (!ranks_.is_first() || !on_skipped) return;
  for (std::size_t i = 0; i < std::min(skipped.size(), kMostSkippedNamed); ++i)
    on_skipped("skipped in validation: " + skipped[i].second);
  if (skipped.size() > kMostSkippedNamed)
    on_skipped(base::joined("skipped in validation: ", skipped.size() - kMostSkippedNamed, " more files"));
}

/// Keeps the bytes of a sample. \returns why it cannot be used; empty if it can.
std::string ValidationSet::read(std::size_t sample, const plan::TrainingPlan& plan, const Module& module) {
  const std::string name = base::printable(samples_[sample].path);
  try {
    media::FileBytes bytes = data::load_for_evaluation(samples_[sample], plan.preprocess);
    if (bytes.empty()) return name + ": is empty";
    if (const std::string reason = reason_it_does_not_fit(module, bytes.size()); !reason.empty())
      return name + ": " + reason;
    files_.push_back(std::move(bytes));
    own_used_.push_back(sample);
    return {};
  } catch (const Error& error) {
    return data::naming(samples_[sample], error);
  }
}

data::Answers ValidationSet::answers(const torch::Tensor& weights, Module& module, base::ThreadPool& pool) {
  const data::Answers own = own_answers(weights, module, pool);
  if (!ranks_.are_many()) return own;
  const std::vector<std::vector<float>> logits = ranks_.to_first(own.logits);
  data::Answers all;
  all.num_classes = static_cast<std::size_t>(module.config().num_labels);
  all.logits.resize(used_.size() * all.num_classes);
  for (const std::size_t sample : used_) all.labels.push_back(samples_[sample].label);
  for (std::size_t rank = 0; rank < logits.size(); ++rank) {
    for (std::size_t i = 0; i < rank_used_[rank].size(); ++i) {
      const std::ptrdiff_t place = std::ranges::lower_bound(used_, rank_used_[rank][i]) - used_.begin();
      const auto row = std::span(logits[rank]).subspan(i * all.num_classes, all.num_classes);
      std::ranges::copy(row, all.logits.begin() + place * static_cast<std::ptrdiff_t>(all.num_classes));
    }
  }
  return all;
}

/// Of the files of this rank.
data::Answers ValidationSet::own_answers(const torch::Tensor& weights, Module& module, base::ThreadPool& pool) const {
  const std::vector<std::span<const std::uint8_t>> files(files_.begin(), files_.end());
  std::vector<int> labels;
  for (const std::size_t sample : own_used_) labels.push_back(samples_[sample].label);
  if (module.device().is_cpu())
    return engine_answers(module.config(), module.parameters(), weights, files, labels, pool);
  torch::NoGradGuard no_grad;
  torch::Tensor& values = module.parameters().values();
  const torch::Tensor trained = values.clone();
  values.copy_(weights);
  module.set_training(false);
  data::Answers answers;
  answers.num_classes = static_cast<std::size_t>(module.config().num_labels);
  for_each_pass(module, files, token_budget_, [&](std::size_t first, std::size_t last) {
    const torch::Tensor logits =
        module.forward(std::span(files).subspan(first, last - first)).to(torch::kCPU, torch::kFloat32).contiguous();
    for (std::size_t i = first; i < last; ++i)
      answers.add({logits.data_ptr<float>() + (i - first) * answers.num_classes, answers.num_classes}, labels[i]);
  });
  values.copy_(trained);
  return answers;
}

}  // namespace byteformer::train
