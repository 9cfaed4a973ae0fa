// Prepares the validation files once, and has the engine answer them, or LibTorch where it trains elsewhere.
#include "train/validation_set.hpp"

#include <memory>
#include <span>
#include <utility>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "data/loader.hpp"
#include "kernels/kernels.hpp"
#include "model/byteformer.hpp"

namespace byteformer::train {
namespace {

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

ValidationSet::ValidationSet(const std::vector<data::Sample>& samples, const plan::TrainingPlan& plan,
                             const Module& module, const std::function<void(const std::string&)>& on_skipped)
    : token_budget_(plan.token_budget) {
  std::size_t num_skipped = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const data::Sample& sample = samples[i];
    try {
      media::FileBytes bytes = data::load_for_evaluation(sample, plan.preprocess);
      if (bytes.empty()) throw Error(ErrorCode::kEmptyFile, base::printable(sample.path) + ": is empty");
      if (const std::string reason = reason_it_does_not_fit(module, bytes.size()); !reason.empty())
        throw Error(ErrorCode::kTooManyTokens, base::printable(sample.path) + ": " + reason);
      files_.push_back(std::move(bytes));
      labels_.push_back(sample.label);
      used_.push_back(i);
    } catch (const Error& error) {
      if (++num_skipped <= kMostSkippedNamed && on_skipped)
        on_skipped(std::string("skipped in validation: ") + error.what());
    }
  }
  if (num_skipped > kMostSkippedNamed && on_skipped)
    on_skipped(base::joined("skipped in validation: ", num_skipped - kMostSkippedNamed, " more files"));
}

data::Answers ValidationSet::answers(const torch::Tensor& weights, Module& module, base::ThreadPool& pool) const {
  const std::vector<std::span<const std::uint8_t>> files(files_.begin(), files_.end());
  if (module.device().is_cpu())
    return engine_answers(module.config(), module.parameters(), weights, files, labels_, pool);
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
      answers.add({logits.data_ptr<float>() + (i - first) * answers.num_classes, answers.num_classes}, labels_[i]);
  });
  values.copy_(trained);
  return answers;
}

}  // namespace byteformer::train
