// Files that arrive in pieces, as C sees them.
#include <optional>
#include <utility>

#include "bytes/transforms.hpp"
#include "capi/model.hpp"

namespace byteformer::capi {
namespace {

constexpr std::size_t kMostKeptBytes = std::size_t{1} << 30;

/// One file after another; one thread at a time.
class PieceReader {
 public:
  explicit PieceReader(std::shared_ptr<const Model> model) : model_(std::move(model)) {
    if (api::streams(model_->preprocess()) && !transforms().needs_length()) stream_ = model_->classifier().stream();
    begin();
  }

  const Classifier& classifier() const noexcept { return model_->classifier(); }

  void feed(Bytes piece) {
    run([&] {
      if (!stream_)
        keep(piece);
      else
        stream_->feed(transform_ ? transform_->push(piece) : piece);
    });
  }

  /// \returns the output, and whether the model read other bytes than came.
  std::pair<Output, bool> finish() {
    std::pair<Output, bool> answer;
    run([&] { answer = stream_ ? std::pair(finish_flow(), model_->prepares()) : finish_kept(); });
    return answer;
  }

 private:
  const bytes::Transforms& transforms() const noexcept { return model_->preprocess().transforms; }

  /// Begins a file.
  void begin() {
    if (stream_ && !transforms().empty()) transform_.emplace(transforms());
  }

  /// Nothing can go on after an error, but for a file that had no bytes.
  template <typename Action>
  void run(const Action& action) {
    if (failure_) throw *failure_;
    try {
      action();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kEmptyFile) failure_ = error;
      throw;
    } catch (...) {
      failure_ = Error(ErrorCode::kUnsupported, "an earlier piece of the file found not enough memory");
      throw;
    }
  }

  Output finish_flow() {
    if (transform_) stream_->feed(transform_->finish());
    begin();
    return stream_->finish();
  }

  std::pair<Output, bool> finish_kept() {
    const prepare::PreparedFile file = api::prepared_bytes(std::exchange(kept_, {}), model_->preprocess());
    return {model_->classifier().classify(file.bytes), file.was_prepared};
  }

  void keep(Bytes piece) {
    if (piece.size() > kMostKeptBytes - kept_.size())
      base::fail(ErrorCode::kUnsupported, "the file is larger than 1 GiB, and the model reads ", model_->form(),
                 ", which needs the whole file at once");
    kept_.insert(kept_.end(), piece.begin(), piece.end());
  }

  std::shared_ptr<const Model> model_;
  std::optional<Stream> stream_;                     // where bytes flow
  std::optional<bytes::TransformStream> transform_;  // before it, where there is one
  std::vector<std::uint8_t> kept_;                   // where they do not flow
  std::optional<Error> failure_;                     // of an earlier call
};

}  // namespace
}  // namespace byteformer::capi

struct bf_stream {
  byteformer::capi::Alive<0x53545231> alive = {};
  byteformer::capi::PieceReader reader;
};

using namespace byteformer;
using capi::guarded;
using capi::needed;

bf_error* bf_stream_new(const bf_classifier* classifier, bf_stream** out) {
  return capi::guarded_new(
      out, [&] { return new bf_stream{.reader = capi::PieceReader(needed(classifier, "classifier").model)}; });
}

bf_error* bf_stream_feed(bf_stream* stream, const void* data, size_t size) {
  return guarded([&] { needed(stream, "stream").reader.feed(capi::bytes_of(data, size)); });
}

bf_error* bf_stream_finish(bf_stream* stream, bf_result* result) {
  return guarded([&] {
    capi::PieceReader& reader = needed(stream, "stream").reader;
    bf_result& place = capi::needed_result(result, reader.classifier());
    const auto [output, was_prepared] = reader.finish();
    capi::write(output, was_prepared, place);
  });
}

void bf_stream_free(bf_stream* stream) { delete capi::checked(stream); }
