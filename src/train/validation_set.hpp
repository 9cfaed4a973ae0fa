// The validation files of a run, prepared once, and what weights in training answer for them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/thread_pool.hpp"
#include "data/data_set.hpp"
#include "data/metrics.hpp"
#include "plan/plan.hpp"
#include "train/module.hpp"
#include "train/ranks.hpp"

namespace byteformer::train {

/// Why `module` has no positions for a file of `num_bytes` bytes; empty if it has.
std::string reason_it_does_not_fit(const Module& module, std::size_t num_bytes);

/// Files that cannot be used are named one by one while they are few; a data set may have thousands of them.
inline constexpr std::size_t kMostSkippedNamed = 10;

/// What the samples cost, as far as is known before they are read: how ranks share them out.
std::vector<std::int64_t> costs_of(const std::vector<data::Sample>& samples, const plan::TrainingPlan& plan);

/// With many ranks each has a share of the files. All calls are collective then.
class ValidationSet {
 public:
  /// Reads and prepares `samples`, which must outlive this; those that cannot be used are named to `on_skipped`, the
  /// first kMostSkippedNamed of them.
  ValidationSet(const std::vector<data::Sample>& samples, const plan::TrainingPlan& plan, const Module& module,
                Ranks& ranks, const std::function<void(const std::string&)>& on_skipped);

  /// Answers of `weights`, flat in the layout of the module's parameters: by the engine on a CPU, else by the module,
  /// whose own weights are put back. On the first rank they are all ranks' in the order of the samples, on the others
  /// none.
  data::Answers answers(const torch::Tensor& weights, Module& module, base::ThreadPool& pool);

  /// Which samples could be used, in order; on the first rank those of all ranks.
  const std::vector<std::size_t>& used() const noexcept { return used_; }

 private:
  std::string read(std::size_t sample, const plan::TrainingPlan& plan, const Module& module);
  data::Answers own_answers(const torch::Tensor& weights, Module& module, base::ThreadPool& pool) const;

  const std::vector<data::Sample>& samples_;
  Ranks& ranks_;
  std::int64_t token_budget_;
  std::vector<std::vector<std::uint8_t>> files_;     // of this rank
  std::vector<std::size_t> own_used_;                // of these
  std::vector<std::vector<std::size_t>> rank_used_;  // by each rank, on the first
  std::vector<std::size_t> used_;
};

}  // namespace byteformer::train
