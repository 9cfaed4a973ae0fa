// Shares the files of a call out to threads, and lets them flow through workspaces.
#include "api/batch.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "base/file_io.hpp"
#include "base/thread_pool.hpp"

namespace byteformer::api {
namespace {

using Path = std::filesystem::path;

constexpr std::size_t kFilesAhead = 64;                    // that the kernel fetches while others are computed
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;  // files up to this size are read whole before they flow

// At the end of a call threads may wait as long as one of them takes for such a file: 60 ms for BF-Ti on a Zen 5 core.
constexpr std::uint64_t kMostTokensAlone = 4 * model::ByteFormer::kRoundTokens;

// With many callers a thread that computes such a file keeps nobody waiting, but its own caller waits longer.
constexpr std::uint64_t kMostTokensOfCaller = model::ByteFormer::kRoundTokens;

/// Files that flow one behind another through one workspace, and whose results go to their places.
class Flow {
 public:
  Flow(const Engine& engine, Engine::Threads threads, std::span<FileResult> results)
      : model_(engine.model()), form_(engine.form()), lease_(engine, threads), results_(results) {}

  void add(std::size_t place, Bytes file) {
    try {
      if (!file.empty()) form_.check(file);
      begin(file.size());
    } catch (const Error& error) {
      results_[place] = error;
      return;
    }
    model_.feed(file, *lease_);
    end(place, file.size());
  }

  void add(std::size_t place, const Path& path) {
    try {
      base::InputFile file(path);
      try {
        if (!is_one_piece(file)) form_.check(path);
        begin(file.size());
      } catch (const Error& error) {
        if (error.code() != ErrorCode::kEmptyFile) throw base::about(path, error);
      }
      // One byte more than the file, so that the first read of a short one sees its end.
      piece_.resize(
          std::max(piece_.size(), static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, file.size() + 1))));
      flow(place, file, path);
    } catch (const Error& error) {
      results_[place] = error;
    }
  }

  void finish() {
    model_.flush(*lease_);
    const nn::FileVectors& vectors = (*lease_).results;
    BF_CHECK(vectors.num_files == places_.size());
    for (std::size_t i = 0; i < places_.size(); ++i)
      if (auto* output = std::get_if<Output>(&results_[places_[i]])) take(vectors, i, *output);
  }

 private:
  /// Whether a file is read whole before it flows, which it is not where it has more tokens than the model takes.
  bool is_one_piece(const base::InputFile& file) const {
    const auto limit = model_.stem().max_tokens();
    return file.size() < kPieceBytes && (!limit || model_.stem().tokens().num_tokens(file.size()) <= *limit);
  }

  void begin(std::uint64_t num_bytes) const {
    if (num_bytes == 0) throw Error(ErrorCode::kEmptyFile, "is empty: there is nothing to classify");
    model_.stem().check_tokens(model_.stem().tokens().num_tokens(num_bytes));
  }

  void end(std::size_t place, std::uint64_t num_bytes) {
    BF_DCHECK_LT(place, results_.size());
    model_.end_file(*lease_);
    places_.push_back(place);
    Output output;
    output.num_bytes = num_bytes;
    output.num_tokens = model_.stem().tokens().num_tokens(num_bytes);
    results_[place] = std::move(output);
  }

  void flow(std::size_t place, base::InputFile& file, const Path& path) {
    std::size_t size = file.read(piece_);
    if (size == 0) throw Error(ErrorCode::kEmptyFile, path.native(), "is empty: there is nothing to classify");
    if (is_one_piece(file)) form_.check(Bytes(piece_).first(size), path);
    std::uint64_t total = 0;
    try {
      for (; size > 0; size = file.read(piece_)) {
        model_.feed(Bytes(piece_).first(size), *lease_);
        total += size;
        if (size < piece_.size()) break;
      }
    } catch (const Error& error) {
      // The first pieces flow beside other files already: let the file end, and put the error in its output's place.
      end(place, total);
      results_[place] = error;
      return;
    }
    end(place, total);
  }

  static void take(const nn::FileVectors& vectors, std::size_t index, Output& output) {
    BF_DCHECK_LT(index, vectors.num_files);
    const std::size_t hidden = vectors.features.size() / vectors.num_files;
    const std::size_t labels = vectors.logits.size() / vectors.num_files;
    output.features.assign(vectors.features.begin() + static_cast<std::ptrdiff_t>(index * hidden),
                           vectors.features.begin() + static_cast<std::ptrdiff_t>((index + 1) * hidden));
    output.logits.assign(vectors.logits.begin() + static_cast<std::ptrdiff_t>(index * labels),
                         vectors.logits.begin() + static_cast<std::ptrdiff_t>((index + 1) * labels));
  }

  const model::ByteFormer& model_;
  const ExpectedForm& form_;
  Engine::Lease lease_;
  std::span<FileResult> results_;
  std::vector<std::uint8_t> piece_;
  std::vector<std::size_t> places_;  // of the files that flow, in their order
};

std::uint64_t size_of(Bytes file) { return file.size(); }

std::uint64_t size_of(const Path& path) {
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

void read_ahead(Bytes) {}

void read_ahead(const Path& path) { base::read_ahead(path, kPieceBytes); }

/// The files of a call that `places` name. Any number of threads may each have a flow.
template <typename File>
struct Places {
  std::span<const File> files;
  std::span<const std::size_t> places;

  /// Lets the i-th one flow; every so often the kernel is told of the next ones.
  void add(Flow& flow, std::size_t i) const {
    if (i % kFilesAhead == 0 && places.size() > 1)
      for (const std::size_t place : places.subspan(i, std::min(kFilesAhead, places.size() - i)))
        read_ahead(files[place]);
    flow.add(places[i], files[places[i]]);
  }
};

template <typename File>
Shares shares_of(const Engine& engine, std::span<const File> files) {
  std::vector<std::uint64_t> num_tokens;
  num_tokens.reserve(files.size());
  for (const File& file : files) num_tokens.push_back(engine.model().stem().tokens().num_tokens(size_of(file)));
  return share_out(num_tokens, engine.num_threads(), engine.has_many_callers());
}

template <typename File>
void classify_alone(const Engine& engine, const Places<File>& files, std::span<FileResult> results) {
  const std::size_t num_files = files.places.size();
  std::atomic<std::size_t> next{0};
  base::FirstException failure;
  const std::size_t num_flows =
      engine.has_many_callers() ? 1 : std::min(num_files, static_cast<std::size_t>(engine.num_threads()));
  engine.pool().parallel_for(num_flows, [&](std::size_t, int) noexcept {
    failure.guard([&] {
      std::size_t i = next++;
      if (i >= num_files) return;  // other threads took all of them
      Flow flow(engine, Engine::Threads::kOne, results);
      for (; i < num_files; i = next++) files.add(flow, i);
      flow.finish();
    });
  });
  failure.rethrow();
}

template <typename File>
void classify_together(const Engine& engine, const Places<File>& files, std::span<FileResult> results) {
  if (files.places.empty()) return;
  Flow flow(engine, Engine::Threads::kAll, results);
  for (std::size_t i = 0; i < files.places.size(); ++i) files.add(flow, i);
  flow.finish();
}

template <typename File>
std::vector<FileResult> classify(const Engine& engine, std::span<const File> files) {
  std::vector<FileResult> results(files.size());
  const Shares shares = shares_of(engine, files);
  classify_alone<File>(engine, {files, shares.alone}, results);
  classify_together<File>(engine, {files, shares.together}, results);
  return results;
}

}  // namespace

Shares share_out(std::span<const std::uint64_t> num_tokens, int num_threads, bool many_callers) {
  BF_DCHECK_LT(0, num_threads);
  const std::uint64_t most_alone = many_callers ? kMostTokensOfCaller : kMostTokensAlone;
  Shares shares;
  for (std::size_t i = 0; i < num_tokens.size(); ++i)
    (num_tokens[i] <= most_alone ? shares.alone : shares.together).push_back(i);
  if (many_callers) return shares;
  if (num_threads > 1 && shares.alone.size() >= static_cast<std::size_t>(num_threads)) return shares;
  shares.alone.clear();
  shares.together.resize(num_tokens.size());
  std::iota(shares.together.begin(), shares.together.end(), std::size_t{0});
  return shares;
}

std::vector<FileResult> classify_all(const Engine& engine, std::span<const Bytes> files) {
  return classify(engine, files);
}

std::vector<FileResult> classify_all(const Engine& engine, std::span<const Path> paths) {
  return classify(engine, paths);
}

}  // namespace byteformer::api
