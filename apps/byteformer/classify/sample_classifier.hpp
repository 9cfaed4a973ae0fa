// Classifies files that may first have to be brought into the form that a model expects.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/prepared_files.hpp"
#include "base/thread_pool.hpp"
#include "byteformer/classifier.hpp"
#include "bytes/transforms.hpp"
#include "data/corruption.hpp"
#include "data/data_set.hpp"
#include "prepare/preprocess.hpp"
#include "system/input_stream.hpp"

namespace byteformer::cli {

/// The output for what `read` gives, bit for bit that of the transformed file as a whole. Uses all threads.
/// \param transforms  none of which needs the whole file
/// \param num_bytes  of the file, where it is known; only a mask of positions needs it
/// \throws Error as Stream and bytes::TransformStream, without a path, and what `read` throws; Interrupted after
/// Ctrl-C.
Output classify_stream(const Classifier& classifier, const bytes::Transforms& transforms,
                       std::optional<std::uint64_t> num_bytes, const ReadPiece& read);

using api::FileAnswer;

/// One thread at a time.
class SampleClassifier {
 public:
  /// `classifier`, which was loaded as_is, must outlive this. \param corruption is done to samples, if any
  SampleClassifier(const Classifier& classifier, prepare::Preprocess preprocess,
                   std::optional<data::Corruption> corruption = std::nullopt);

  bool reads_files_as_they_are() const noexcept { return preprocess_.takes_files_as_they_are() && !corruption_; }

  /// One answer per sample, in their order; messages name the file. Files as they are, and large ones whose transforms
  /// let bytes flow, stream in constant memory; others are read whole, and no more of them at once than fit a bound.
  /// \throws Interrupted after Ctrl-C while a large file streams.
  std::vector<FileAnswer> classify(std::span<const data::Sample> samples) const;

  /// A file of unknown length by the same rule, piece by piece where it can be, else read whole up to a bound. `source`
  /// stands in messages.
  /// \throws Interrupted, and what `read` throws but Error.
  FileAnswer classify(const ReadPiece& read, const std::string& source) const;

  /// "prepared 3 files as TIFF of 32x32 pixels; --as-is reads bytes as they are"
  std::string remark(std::size_t num_prepared) const;

 private:
  bool streams() const noexcept;
  std::optional<FileAnswer> classify_if_large(const data::Sample& sample) const;
  std::vector<FileAnswer> classify_prepared(std::span<const data::Sample> samples) const;

  const Classifier& classifier_;
  prepare::Preprocess preprocess_;
  std::optional<data::Corruption> corruption_;
  mutable std::unique_ptr<base::ThreadPool> pool_;  ///< reads, decodes and encodes; null until that is needed
};

}  // namespace byteformer::cli
