// How much each window of bytes contributes to an answer: by removal, or by gradients; and what that is worth.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "byteformer/explain.hpp"
#include "common/gradient_messages.hpp"
#include "explain/explained_file.hpp"

namespace byteformer::cli {

/// Integrated gradients, from no byte anywhere to the file.
struct GradientPath {
  std::int64_t steps = 0;
  double value_without = 0;  ///< the quantity with no byte anywhere
};

struct Attribution {
  int label = 0;
  Quantity quantity = Quantity::kLogOdds;
  double value = 0;                       ///< the quantity of the whole file
  std::vector<float> heat;                ///< [bytes read]
  std::optional<Explanation> occlusion;   ///< how it was found: either
  std::optional<GradientPath> gradients;  ///< or
};

/// What the model says without a tenth of the bytes: those of the most heat, or any.
struct DeletionCheck {
  std::uint64_t num_bytes = 0;  ///< removed
  std::uint64_t run_bytes = 0;  ///< of a random run
  Output whole;
  Output without_hottest;
  double score = 0;  ///< of the explained class, and so below
  double score_without_hottest = 0;
  double score_without_runs = 0;   ///< mean over draws of random runs of bytes
  double score_without_bytes = 0;  ///< mean over draws of random single bytes
};

/// \param run_bytes how long random runs are
/// \returns nothing if `options.keep_going` ended the work.
std::optional<DeletionCheck> check_by_deletion(const Occluder& occluder, const Attribution& attribution,
                                               std::uint64_t run_bytes, const RemovalOptions& options);

/// All there is to show.
struct ExplanationReport {
  std::string model;  ///< path
  const Classifier& classifier;
  const ExplainedFile& file;
  const Attribution& attribution;
  const DeletionCheck& check;
  std::optional<std::uint8_t> fill;
  std::uint64_t num_whole_rows = 0;  ///< that the layers compute in a whole run

  std::vector<float> heat() const { return file.in_file_order(attribution.heat); }  ///< [bytes of file.encoded]
  const std::string& label() const { return classifier.labels()[static_cast<std::size_t>(attribution.label)]; }
};

std::string_view name_of(Quantity quantity) noexcept;  ///< "log-odds" or "logit"

/// "removed 147 windows of 42 bytes, one every 21" or "integrated gradients, 64 steps": how it was found, in words.
std::string method_text(const ExplanationReport& report);

/// \param file as the model in `model_dir` reads it
/// \throws Error kUnsupported saying how to get byteformer-train where it is not installed; as run_filter().
GradientAnswer integrated_gradients(const std::filesystem::path& model_dir, std::span<const std::uint8_t> file,
                                    const GradientRequest& request);

}  // namespace byteformer::cli
