// Keeps what comes to each layer, and computes anew the windows that a change of bytes reaches.
#include "model/remembered_run.hpp"

#include <algorithm>
#include <string>

#include "base/check.hpp"
#include "byteformer/error.hpp"

namespace byteformer::model {
namespace {

std::size_t size(std::int64_t number) { return static_cast<std::size_t>(number); }

/// Puts rows that flow by, late ones last, into the order of the file.
class Collector {
 public:
  Collector(nn::RowBuffer& out, std::size_t num_late) : out_(out), next_(num_late) {}

  void take(const nn::PackedRows& x) {
    BF_DCHECK(x.is_whole());
    std::size_t from = 0;
    for (const nn::Segment& segment : x.segments) {
      out_.copy_in(next_, x.buffer.row(from), segment.num_rows);
      out_.copy_in(0, x.buffer.row(from + segment.num_rows), segment.num_late);
      next_ += segment.num_rows;
      from += segment.num_rows + segment.num_late;
    }
  }

 private:
  nn::RowBuffer& out_;
  std::size_t next_;
};

nn::RowBuffer rows_for(std::size_t hidden_size, std::size_t num_rows) {
  nn::RowBuffer rows(hidden_size);
  rows.reserve(num_rows);
  return rows;
}

void check_memory(std::uint64_t num_bytes, std::uint64_t num_tokens) {
  if (num_bytes <= RememberedRun::kMostBytes) return;
  throw Error(ErrorCode::kUnsupported, "is too long to explain: its " + std::to_string(num_tokens) +
                                           " tokens would take " + std::to_string(num_bytes >> 20) +
                                           " MiB of memory in all layers, more than the limit of " +
                                           std::to_string(RememberedRun::kMostBytes >> 20) + " MiB; explain a part");
}

}  // namespace

RememberedRun::RememberedRun(const ByteFormer& model, std::span<const std::uint8_t> file, base::ThreadPool& pool)
    : model_(model), num_file_bytes_(file.size()), last_(size(model.config().hidden_size)) {
  if (file.empty()) throw Error(ErrorCode::kEmptyFile, "is empty: there is nothing to explain");
  const nn::TokenGeometry& tokens = model.stem().tokens();
  const std::uint64_t num_tokens = tokens.num_tokens(std::uint64_t{file.size()});
  model.stem().check_tokens(num_tokens);
  ids_.assign(file.begin(), file.end());
  ids_.resize(tokens.num_ids(num_tokens), nn::ByteStem::kPadding);
  add_steps();
  run(file, pool);
}

void RememberedRun::add_steps() {
  const format::ModelConfig& config = model_.config();
  const std::size_t hidden = size(config.hidden_size);
  const std::uint64_t num_tokens = model_.stem().tokens().num_tokens(num_file_bytes_);
  auto num_rows = static_cast<std::size_t>(num_tokens);
  std::uint64_t num_kept = num_rows;
  for (std::size_t layer = 0; layer < model_.stages().size(); ++layer) {
    const ByteFormer::Stage& stage = model_.stages()[layer];
    steps_.push_back({&stage.block, nullptr, model_.windows(layer), num_rows, nn::RowBuffer(hidden)});
    num_rows_ += num_rows;
    num_kept += num_rows;
    if (!stage.merge) continue;
    constexpr nn::WindowGeometry kPairs = nn::WindowGeometry::pairs();
    steps_.push_back({nullptr, &*stage.merge, kPairs, num_rows, nn::RowBuffer(hidden)});
    num_kept += num_rows;
    num_rows = kPairs.num_windows(num_rows);
  }
  check_memory(num_kept * kernels::padded(hidden) * sizeof(float), num_tokens);
  for (Step& step : steps_) step.rows.reserve(step.num_rows);
  last_.append(num_rows);
}

void RememberedRun::run(std::span<const std::uint8_t> file, base::ThreadPool& pool) {
  // What leaves a step is what comes to the next one; how many of these rows are late follows from the steps before.
  nn::RowBuffer last = rows_for(size(model_.config().hidden_size), last_.num_rows);
  std::vector<Collector> collectors;
  for (Step& step : steps_) {
    collectors.emplace_back(step.rows, num_late_);
    num_late_ = step.block != nullptr ? step.windows.num_late(num_late_) : step.windows.num_windows(num_late_);
  }
  collectors.emplace_back(last, num_late_);

  Workspace ws = model_.make_workspace(pool);
  std::size_t next = 0;
  ws.observer = [&](std::string_view stage, const nn::PackedRows& x) {
    next = stage == "stem" ? 0 : next + 1;  // stages follow one another, and a round may end early
    BF_DCHECK_LT(next, collectors.size());
    collectors[next].take(x);
  };
  model_.feed(file, ws);
  model_.end_file(ws);
  model_.flush(ws);
  result_ = ws.results;
  BF_DCHECK_EQ(result_.num_files, 1);

  num_late_ = std::min(num_late_, last_.num_rows);
  const std::size_t in_order = last_.num_rows - num_late_;
  last_.buffer.copy_in(0, last.row(num_late_), in_order);
  last_.buffer.copy_in(in_order, last.row(0), num_late_);
  last_.segments = {{in_order, num_late_, true}};
}

Rerun::Rerun(const RememberedRun& remembered)
    : remembered_(remembered),
      pool_(1),
      workers_(pool_),
      ids_(remembered.ids_),
      last_(size(remembered.model_.config().hidden_size)),
      values_(size(remembered.model_.config().hidden_size)),
      place_(remembered.steps_.front().num_rows, -1),
      gathered_values_(size(remembered.model_.config().hidden_size)) {
  last_.append_copy(remembered.last_.buffer.row(0), remembered.last_.num_rows, pool_);
  last_.segments = remembered.last_.segments;
}

void Rerun::run(std::span<const ByteRange> replaced, std::uint16_t id) {
  num_rows_ = 0;
  sum_tokens(replaced, id);
  for (const Step& step : remembered_.steps_) {
    gather(step);
    compute(step);
  }
  finish();
}

void Rerun::sum_tokens(std::span<const ByteRange> replaced, std::uint16_t id) {
  BF_DCHECK_LT(id, nn::ByteStem::kVocabulary);
  const nn::ByteStem& stem = remembered_.model_.stem();
  rows_.clear();
  for (const ByteRange& range : replaced) {
    std::fill(ids_.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(range.begin, ids_.size())),
              ids_.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(range.end, ids_.size())), id);
    const auto [begin, end] = stem.tokens().reading(range.begin, range.end, remembered_.num_file_bytes_);
    for (std::uint64_t token = begin; token < end; ++token) rows_.push_back(static_cast<std::int32_t>(token));
  }
  std::ranges::sort(rows_);
  rows_.erase(std::unique(rows_.begin(), rows_.end()), rows_.end());
  values_.reserve(rows_.size());
  for (std::size_t first = 0, last = 0; first < rows_.size(); first = last) {
    while (last < rows_.size() && rows_[last] - rows_[first] == static_cast<std::int32_t>(last - first)) ++last;
    stem.sum_rows(ids_.data(), static_cast<std::uint64_t>(rows_[first]), last - first, workers_.scratch[0],
                  values_.row(first));
  }
  for (const ByteRange& range : replaced) {
    const auto begin = static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(range.begin, ids_.size()));
    const auto end = static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(range.end, ids_.size()));
    std::copy(remembered_.ids_.begin() + begin, remembered_.ids_.begin() + end, ids_.begin() + begin);
  }
}

/// All rows of the windows that have a row which differs, those as they are now and the others as they were.
void Rerun::gather(const Step& step) {
  touched_.clear();
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    BF_DCHECK_LT(rows_[i], step.num_rows);
    place_[static_cast<std::size_t>(rows_[i])] = static_cast<std::int32_t>(i);
    touched_.push_back(step.windows.window_of(static_cast<std::size_t>(rows_[i]), step.num_rows));
  }
  std::ranges::sort(touched_);
  touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
  gathered_.clear();
  windows_.clear();
  for (const std::size_t window : touched_) {
    const std::size_t begin = gathered_.size();
    const nn::WindowRows rows = step.windows.window(window, step.num_rows);
    rows.append_to(gathered_);
    windows_.push_back({begin, rows.num_rows(), rows.num_filler});
  }
  gathered_values_.reserve(gathered_.size());
  for (std::size_t i = 0; i < gathered_.size(); ++i) {
    const auto row = static_cast<std::size_t>(gathered_[i]);
    const std::int32_t place = place_[row];
    gathered_values_.copy_in(i, place < 0 ? step.rows.row(row) : values_.row(static_cast<std::size_t>(place)), 1);
  }
  for (const std::int32_t row : rows_) place_[static_cast<std::size_t>(row)] = -1;
  while (order_.size() < gathered_.size()) order_.push_back(static_cast<std::int32_t>(order_.size()));
}

void Rerun::compute(const Step& step) {
  const auto order = std::span<const std::int32_t>(order_).first(gathered_.size());
  if (step.block != nullptr) {
    step.block->run(gathered_values_.row(0), order, windows_, workers_);
    num_rows_ += gathered_.size();
    std::swap(values_, gathered_values_);
    std::swap(rows_, gathered_);
    return;
  }
  const float* merged = step.merge->run(gathered_values_.row(0), order, windows_, workers_);
  values_.reserve(windows_.size());
  values_.copy_in(0, merged, windows_.size());
  rows_.clear();
  for (const std::size_t pair : touched_) rows_.push_back(static_cast<std::int32_t>(pair));
}

void Rerun::finish() {
  const std::size_t num_late = remembered_.num_late_;
  const auto place = [&](std::int32_t row) {
    const auto at = static_cast<std::size_t>(row);
    return at < num_late ? last_.num_rows - num_late + at : at - num_late;
  };
  BF_DCHECK_LE(rows_.size(), last_.num_rows);
  for (std::size_t i = 0; i < rows_.size(); ++i) last_.buffer.copy_in(place(rows_[i]), values_.row(i), 1);
  nn::MeanState mean;
  result_.clear();
  remembered_.model_.head()(last_, mean, workers_, result_);
  for (const std::int32_t row : rows_) last_.buffer.copy_in(place(row), remembered_.last_.buffer.row(place(row)), 1);
}

}  // namespace byteformer::model
