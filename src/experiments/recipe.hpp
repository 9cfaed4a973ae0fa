// One experiment of the paper, as its recipe file tells it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/training_request.hpp"
#include "experiments/data_source.hpp"

namespace byteformer::experiments {

/// `kPaper`: as published, on a cluster. `kSmall`: data that a script unpacks, minutes on two cores.
enum class Scale { kPaper, kSmall };

std::string_view to_string(Scale scale) noexcept;  ///< "paper", "small"

/// What the paper reports of an experiment.
struct PaperFigure {
  double top1 = 0;     ///< percent of the test files
  std::string source;  ///< "paper" or "released weights"
};

/// An experiment at one scale.
struct ScaledRecipe {
  const DataSource* data = nullptr;
  std::vector<const DataSource*> tests;  ///< whose test files judge the model; at least one
  data::TrainingRequest train;           ///< all settings; data, output, seed and machine are not among them
  std::vector<std::int64_t> seeds;       ///< ascending, at least one
  /// Where this is not empty nothing is trained: the model of that experiment and seed is rekeyed by the permutation in
  /// train.transforms, and answers permuted files.
  std::string rekeys;
};

struct Recipe {
  std::string name;      ///< also of the file
  std::string title;     ///< a few words, for tables and plots
  std::string table;     ///< one of those of the book
  std::string question;  ///< one sentence
  std::optional<PaperFigure> figure;
  std::string remark;  ///< what else the paper says; may be empty
  ScaledRecipe paper, small;

  const ScaledRecipe& at(Scale scale) const noexcept { return scale == Scale::kPaper ? paper : small; }
};

}  // namespace byteformer::experiments
