// From a plan to the parts of a run: the module with its threads, and the loader.
#pragma once

#include <cstdint>
#include <span>

#include "data/data_set.hpp"
#include "data/loader.hpp"
#include "plan/plan.hpp"
#include "train/module.hpp"
#include "train/runtime.hpp"

namespace byteformer::train {

/// The untrained module of `plan`; sets LibTorch's number of threads, which is the process's, to what goes with it.
ByteFormer make_module(const plan::TrainingPlan& plan, const Runtime& runtime);

data::LoaderOptions loader_options(const plan::TrainingPlan& plan, const data::DataSet& data, const Runtime& runtime);

/// Calls `run(first, last)` for consecutive files whose tokens fit one pass, or for a single file that does not.
template <typename Files, typename Run>
void for_each_pass(const ByteFormer& module, const Files& files, std::int64_t token_budget, const Run& run) {
  for (std::size_t first = 0, last = 0; first < files.size(); first = last) {
    std::int64_t tokens = 0;
    for (; last < files.size(); ++last) {
      tokens += module.num_tokens(static_cast<std::int64_t>(files[last].size()));
      if (last > first && tokens > token_budget) break;
    }
    run(first, last);
  }
}

}  // namespace byteformer::train
