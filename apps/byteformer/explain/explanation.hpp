// How much each window of bytes contributes to an answer: by removal, or by gradients; what that is worth; and how it
// is shown.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <istream>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "byteformer/explain.hpp"
#include "console.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::cli {

/// One file as a model reads it, and the way back from the bytes that it reads to those of the file.
struct ExplainedFile {
  std::string path;  ///< as it was given; "-" for standard input
  prepare::Preprocess preprocess;
  bool was_prepared = false;           ///< whether `encoded` are not the bytes that came in
  media::FileBytes encoded;            ///< in the form that the model expects, before its transforms
  media::FileBytes read;               ///< as the model reads it
  std::vector<std::uint32_t> origins;  ///< [read]: where in `encoded` the byte was; empty if all are where they were

  /// What belongs to each byte of `read` put to that of `encoded`; NaN for bytes that the model does not read.
  std::vector<float> in_file_order(std::span<const float> values) const;
};

/// Reads and prepares the file at `path`, or standard input for "-", as classify does.
/// \throws Error naming the path.
ExplainedFile open_explained_file(const std::string& path, const prepare::Preprocess& preprocess, std::istream* input);

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

/// The answer, a strip for the whole file, and a hex dump of the hottest rows. \param max_rows of the dump
std::string explanation_text(const ExplanationReport& report, std::size_t max_rows, const Console& console);

/// One JSON object; its keys are in the help of the command.
std::string explanation_json(const ExplanationReport& report);

/// A page of its own: no scripts, nothing to load.
std::string explanation_page(const ExplanationReport& report);

/// Rows of a hex dump are 16 bytes.
inline constexpr std::size_t kDumpRowBytes = 16;

/// The `max_rows` rows of a dump in which most happens, for or against, in the order of the file.
std::vector<std::size_t> hottest_rows(std::span<const float> heat, std::size_t max_rows);

/// "00000180": an offset as a dump shows it.
std::string offset_text(std::size_t offset);

/// How a dump is written: what stands for rows that are left out, offsets, bytes with the space after them, and
/// letters.
struct DumpStyle {
  std::string gap;
  std::function<std::string(const std::string&)> offset;
  std::function<std::string(std::size_t)> byte;
  std::function<std::string(const std::string&)> letters;
};

/// \param rows  ascending
std::string hex_dump(std::span<const std::uint8_t> file, std::span<const std::size_t> rows, const DumpStyle& style);

/// Heat from -1 (the strongest against the class) over 0 to 1 (the strongest for it), on one scale for both.
class HeatScale {
 public:
  static constexpr int kLevels = 8;

  explicit HeatScale(std::span<const float> heat) noexcept;  ///< NaN: not read

  double greatest() const noexcept { return greatest_; }  ///< absolute value
  double share(float heat) const noexcept;                ///< in [-1, 1]; 0 for NaN
  int level(float heat) const noexcept;                   ///< from -kLevels to kLevels

 private:
  double greatest_ = 0;
};

using Rgb = std::array<std::uint8_t, 3>;
inline constexpr Rgb kForColour{214, 48, 40};       ///< red speaks for the class
inline constexpr Rgb kAgainstColour{30, 112, 222};  ///< blue speaks against it

/// `background` tinted by heat. \param share from -1 to 1
Rgb tinted(const Rgb& background, double share) noexcept;

/// The strongest heat of either kind in a part of a file, as shares of the scale.
struct Peaks {
  double speaks_for = 0;      ///< from 0 to 1
  double speaks_against = 0;  ///< from 0 to 1
};

/// Of `num_parts` parts of `heat`, as even as they can be.
std::vector<Peaks> peaks_of(std::span<const float> heat, std::size_t num_parts, const HeatScale& scale);

}  // namespace byteformer::cli
