// Which bytes of a file decided: what a model says of the file without some of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "byteformer/byte_range.hpp"
#include "byteformer/classifier.hpp"
#include "byteformer/export.hpp"

namespace byteformer {

/// Bytes that are taken away together: any ranges of a file, which may overlap.
using Removal = std::vector<ByteRange>;

/// What the model says of a file without some of its bytes.
struct OccludedOutput {
  Output output;
  std::uint64_t num_rows = 0;  ///< Rows that the layers computed for it, all layers together.
};

struct RemovalOptions {
  /// What stands in the place of a removed byte. Nothing: "no byte here", the padding id, which adds nothing to the
  /// tokens that read it. The other bytes keep their places and the file its length in either case.
  std::optional<std::uint8_t> fill = {};

  /// Called now and then from the calling thread with the number of removals done and of all of them; false ends the
  /// work early.
  std::function<bool(std::size_t num_done, std::size_t total)> keep_going = {};
};

/// A file that was run once, and whose output without some of its bytes is wanted many times over.
///
/// Only the windows that a removed byte reaches are computed again, with the same bits as in a whole run over the file
/// with those bytes removed. All threads of the classifier share the removals of a call. Any number of threads may use
/// one Occluder at once.
///
/// It holds the rows at the input of every layer: about 4.5 x tokens x hidden_size x 4 bytes for a model that halves
/// its tokens early (32 MB for a 150,668-byte file with hidden size 192 and kernel 32), at most (layers + 2) x tokens x
/// hidden_size x 4. During a call each thread adds the rows that a removal reaches.
class BYTEFORMER_EXPORT Occluder {
 public:
  /// Runs `file`, which need not outlive this.
  /// \throws Error kEmptyFile, kNotPrepared or kTooManyTokens; kUnsupported where the rows would take more than 4 GiB.
  Occluder(const Classifier& classifier, Bytes file);

  const Classifier& classifier() const noexcept;
  const Output& output() const noexcept;    ///< Of the whole file.
  std::uint64_t num_rows() const noexcept;  ///< Rows that the layers compute in a whole run, all layers together.

  /// The outputs without the bytes of each removal, in their order; the first ones where `keep_going` said no.
  /// \throws Error kInvalidArgument if a range does not lie in the file.
  std::vector<OccludedOutput> without(std::span<const Removal> removals, const RemovalOptions& options = {}) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

/// What an explanation explains.
enum class Quantity {
  kLogOdds,  ///< ln(score / (1 - score)) of the class: grows with its score and never saturates.
  kLogit,    ///< The class's logit, whatever happens to the others.
};

struct ExplainOptions {
  std::optional<int> label = {};  ///< The class to explain; default: the one with the highest score.
  Quantity quantity = Quantity::kLogOdds;
  std::uint64_t span = 0;  ///< Bytes that are removed together; 0: chosen for the model and the file.
  std::uint64_t step = 0;  ///< Bytes from one window to the next; 0: chosen, or `span` / 4 where that is given.
  RemovalOptions removal = {};
};

/// Occlusion by a sliding window. A window's fall is the quantity of the whole file minus that of the file without the
/// window's bytes: positive where they speak for the class, negative where they speak against it.
struct Explanation {
  int label = 0;
  double value = 0;  ///< The quantity of the whole file.
  std::uint64_t span = 0;
  std::uint64_t step = 0;
  std::vector<ByteRange> windows;       ///< Of `span` bytes; the last may be shorter.
  std::vector<OccludedOutput> without;  ///< [windows]: without the bytes of each.
  std::vector<double> falls;            ///< [windows]
  std::vector<float> heat;              ///< [num_bytes]: the mean fall of the windows that hold a byte.
  std::uint64_t num_rows = 0;           ///< Rows that the layers computed for all windows.
};

/// Explains a file with sliding windows.
/// \returns nothing if `keep_going` ended the work.
/// \throws Error kInvalidArgument if there is no such class, `span` exceeds the file or `step` exceeds `span`;
///         kUnsupported where the log-odds of a model's only class are asked for.
BYTEFORMER_EXPORT std::optional<Explanation> explain(const Occluder& occluder, const ExplainOptions& options = {});

/// `quantity` of class `label` in `output`.
/// \throws Error as explain().
BYTEFORMER_EXPORT double value_of(const Classifier& classifier, const Output& output, int label, Quantity quantity);

}  // namespace byteformer
