// Load a model folder and classify bytes or files with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "byteformer/error.hpp"
#include "byteformer/export.hpp"
#include "byteformer/masking.hpp"
#include "byteformer/precision.hpp"

namespace byteformer {

namespace api {
class Engine;
}

using Bytes = std::span<const std::uint8_t>;

/// How a model is loaded.
struct LoadOptions {
  int num_threads = 0;             ///< Threads that share one call's work; 0 means one a processor.
  std::optional<Masking> masking;  ///< Overrides the masking named in the model's configuration.
  Precision precision = Precision::kFloat32;

  /// A model may say in what form it reads files ("preprocess" in its configuration: pictures of one size in one
  /// encoding, say), and would answer any other bytes wrongly. Bytes that evidently are not in that form are refused
  /// with kNotPrepared, judged as `byteformer classify` judges what it has to prepare; Preparer (preparer.hpp) brings
  /// files into it. true: bytes are right as they are, and nothing is refused for its form. Where a model transforms
  /// bytes (shuffled, masked, permuted by a key, ...), nobody sees whether that was done: its files are all refused
  /// unless this is set.
  bool as_is = false;

  /// For programs that call from several threads of their own: small files (a few milliseconds or less) are computed by
  /// the thread that calls, which then waits for no other; only large files are shared among num_threads. Without it a
  /// call uses all threads, which is the fastest way to one answer, but no way to many at once.
  bool many_callers = false;
};

/// What the model says of one file.
struct Output {
  std::uint64_t num_bytes = 0;   ///< Length of the file.
  std::uint64_t num_tokens = 0;  ///< Tokens after the stem.
  std::vector<float> logits;     ///< [num_labels], before temperature and softmax.
  std::vector<float> features;   ///< [hidden_size], the mean vector before the head.
};

/// One class of a ranked answer.
struct Prediction {
  int index = 0;      ///< 0-based class.
  std::string label;  ///< Its name in the model's configuration.
  float score = 0;    ///< Softmax of logits / temperature, in [0, 1].
};

/// A file's output, or why there is none. Among many files one bad file costs one entry.
using FileResult = std::variant<Output, Error>;

/// Receives one file in pieces of any size; the answer is ready moments after the last byte.
///
/// Memory does not grow with the file's length. The logits are the same bits as those of the whole file at once,
/// whatever the pieces. One thread at a time may use a Stream; different streams are independent.
class BYTEFORMER_EXPORT Stream {
 public:
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();

  /// Appends `bytes` to the file.
  /// \throws Error kTooManyTokens once the file outgrows the model's learned positions, kNotPrepared where it was not
  ///         in the model's form, either; the stream is then unusable.
  void feed(Bytes bytes);

  /// Ends the file and returns its output; the stream is then ready for the next file.
  /// \throws Error kEmptyFile if nothing was fed; kNotPrepared if the file was not in the model's form.
  Output finish();

 private:
  friend class Classifier;
  struct State;
  explicit Stream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A loaded model. Cheap to copy (copies share the weights); every member may be called from many threads at once.
///
/// It prepares nothing: see LoadOptions::as_is. A child of fork() may use what its parent loaded.
///
/// A file's logits are the same bits alone, in any batch, in any order and with any number of threads, as long as the
/// instruction set is the same (`kernels_name()`).
class BYTEFORMER_EXPORT Classifier {
 public:
  /// Loads `model_dir`/config.json and `model_dir`/model.safetensors.
  /// \throws Error kNotFound, kPermissionDenied, kInvalidFormat or kInvalidModel; the message names file and reason.
  ///         kUnsupported where this processor computes no faster in the wanted precision than in float32.
  static Classifier load(const std::filesystem::path& model_dir, const LoadOptions& options = {});

  /// Classifies one file given as its bytes. Uses all threads (but see LoadOptions::many_callers).
  /// \throws Error kEmptyFile, kNotPrepared or kTooManyTokens.
  Output classify(Bytes file) const;

  /// Classifies many files; the result has their order. Small files are computed by single threads side by side, large
  /// ones by all threads together. Files never share each other's fate.
  std::vector<FileResult> classify_batch(std::span<const Bytes> files) const;

  /// Reads and classifies one regular file; huge files are streamed in constant memory.
  /// \throws Error kNotFound, kPermissionDenied, kNotARegularFile, kEmptyFile, kNotPrepared, kTooManyTokens,
  ///         kFileChanged or kIo.
  Output classify_file(const std::filesystem::path& path) const;

  /// Reads and classifies many files; the result has their order.
  std::vector<FileResult> classify_files(std::span<const std::filesystem::path> paths) const;

  /// Starts a file that arrives in pieces.
  Stream stream() const;

  // Outputs of a model with another number of classes are refused: Error kInvalidArgument. Where logits have no
  // softmax (one is NaN or +infinity, or all are -infinity), all scores are NaN.

  /// Softmax of `output.logits` / temperature: [num_labels], sums to 1.
  std::vector<float> scores(const Output& output) const;

  /// ln(score / (1 - score)) of class `label`, which does not round to a limit as a score does; infinite where the
  /// model has no other class. \throws Error kInvalidArgument if there is no such class.
  double log_odds(const Output& output, int label) const;

  /// The `k` most likely classes by their logits: best first and NaN last, equal ones in the order of their index. `k`
  /// is clamped to num_labels.
  std::vector<Prediction> top_k(const Output& output, int k) const;

  /// Names of the classes: [num_labels].
  const std::vector<std::string>& labels() const noexcept;
  int num_labels() const noexcept;
  int hidden_size() const noexcept;
  int kernel_size() const noexcept;      ///< Bytes that a token reads; 1 where the model has no convolution.
  float unknown_below() const noexcept;  ///< A best score below this: the file may be of no class; 0 says nothing.
  Masking masking() const noexcept;
  Precision precision() const noexcept;
  int num_threads() const noexcept;

  /// The instruction set in use: "avx512", "avx2", "neon" or "portable". BYTEFORMER_KERNELS forces one.
  const char* kernels_name() const noexcept;

  /// The most working memory of one call in bytes (per concurrent caller): a constant of the model and the number of
  /// threads, not of the files. A call for one file takes at most half of it where there are several threads.
  std::size_t workspace_bytes() const noexcept;

 private:
  friend class Occluder;
  explicit Classifier(std::shared_ptr<const api::Engine> engine);
  std::shared_ptr<const api::Engine> engine_;
};

}  // namespace byteformer
