// The order in which epochs visit the samples, and worker threads that fill batches.
#include "data/loader.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>

#include "base/file_io.hpp"
#include "base/random.hpp"
#include "byteformer/error.hpp"
#include "data/sample_loader.hpp"

namespace byteformer::data {
namespace {

constexpr std::size_t kBatchesAhead = 3;
constexpr std::size_t kWindow = 1 << 16;  // samples of archives that are shuffled together

// Streams of random numbers that must not meet: the order of an epoch, and the samples in it.
constexpr std::uint64_t kOrderStream = 0x4F52444552;

/// Whether the file begins like a sound; false where it cannot be read, as loading it will say.
bool is_sound(const Sample& sample) {
  try {
    base::InputFile file = open_file(sample);
    std::vector<std::uint8_t> head(static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), 4096)));
    head.resize(file.read(head));
    return !media::image_kind(head) && media::sound_kind(head);
  } catch (const Error&) {
    return false;
  }
}

/// The group of each sample; groups are drawn equally often.
std::vector<int> balanced_groups(const std::vector<Sample>& samples, const LoaderOptions& options) {
  std::vector<int> groups;
  for (const Sample& sample : samples) {
    const int kind = options.balance_kinds && is_sound(sample) ? 1 : 0;
    groups.push_back(2 * (options.balance_classes ? sample.label : 0) + kind);
  }
  return groups;
}

bool is_in_archive_of(const Sample& sample, const Sample& other) {
  return sample.place && other.place && sample.place->archive == other.place->archive;
}

/// Random in a way that reads archives, one after another, while they fit memory: these in random order, then the
/// samples within stretches of kWindow.
void shuffle_by_archive(std::span<std::size_t> order, const std::vector<Sample>& samples, base::Random& random) {
  std::vector<std::vector<std::size_t>> archives;  // the samples are sorted by path
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || !is_in_archive_of(samples[i], samples[i - 1])) archives.emplace_back();
    archives.back().push_back(i);
  }
  random.shuffle(std::span(archives));
  auto out = order.begin();
  for (const auto& members : archives) out = std::ranges::copy(members, out).out;
  for (std::size_t begin = 0; begin < order.size(); begin += kWindow)
    random.shuffle(order.subspan(begin, std::min(kWindow, order.size() - begin)));
}

/// The order in which an epoch visits the samples.
std::vector<std::size_t> epoch_order(const std::vector<Sample>& samples, const std::vector<int>& groups,
                                     const LoaderOptions& options, std::size_t epoch) {
  base::Random random(options.seed, kOrderStream, epoch);
  std::vector<std::size_t> order(groups.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const bool are_archived = !samples.empty() && samples.front().place;
  if (are_archived && order.size() > kWindow)
    shuffle_by_archive(order, samples, random);
  else
    random.shuffle(std::span(order));
  if (!options.balance_classes && !options.balance_kinds) return order;
  // Groups take turns; each goes through its samples in random order, again and again.
  std::map<int, std::vector<std::size_t>> by_group;
  for (const std::size_t i : order) by_group[groups[i]].push_back(i);
  std::vector<std::size_t> balanced;
  for (std::size_t round = 0; balanced.size() < groups.size(); ++round)
    for (const auto& [group, members] : by_group)
      if (balanced.size() < groups.size()) balanced.push_back(members[round % members.size()]);
  random.shuffle(std::span(balanced));
  return balanced;
}

}  // namespace

std::size_t num_batches(std::size_t num_samples, std::size_t batch_size) noexcept {
  return std::max<std::size_t>(1, (num_samples + batch_size - 1) / batch_size);
}

/// The state that workers and reader share. Workers take places of the batch sequence in order.
struct Loader::Shared {
  struct Batch {
    std::vector<LoadedFile> files;
    std::size_t num_missing = 0;
  };

  Shared(std::vector<Sample> all, LoaderOptions with, std::size_t first)
      : samples(std::move(all)),
        options(std::move(with)),
        groups(balanced_groups(samples, options)),
        loader(samples, options),
        next_read(first),
        next_batch(first) {}

  std::size_t per_epoch() const { return num_batches(samples.size(), options.batch_size); }

  /// Samples [first, second) of the epoch's order that batch `batch` of the epoch holds: as even as they can be.
  std::pair<std::size_t, std::size_t> range(std::size_t batch) const {
    return {samples.size() * batch / per_epoch(), samples.size() * (batch + 1) / per_epoch()};
  }

  /// The places of a batch of `batch_samples` that are loaded here.
  std::vector<std::size_t> places_of(std::span<const std::size_t> batch_samples) const {
    if (options.choose_places) return options.choose_places(batch_samples);
    std::vector<std::size_t> all(batch_samples.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
  }

  /// Fills batches; what goes wrong besides single files is for the reader, who ends the run.
  void work() noexcept {
    try {
      take_samples();
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      ready.notify_all();
    }
  }

  void take_samples() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return stopping || next_batch < next_read + kBatchesAhead; });
      if (stopping) return;
      const std::size_t batch = next_batch;
      const std::size_t epoch = batch / per_epoch();
      const auto [begin, end] = range(batch % per_epoch());
      if (open_epoch != epoch || order.empty()) {
        order = epoch_order(samples, groups, options, epoch);
        open_epoch = epoch;
      }
      if (next_place == 0) {
        places = places_of(std::span(order).subspan(begin, end - begin));
        batches[batch] = {std::vector<LoadedFile>(places.size()), places.size()};
        if (places.empty()) {
          ++next_batch;
          ready.notify_all();
          continue;
        }
      }
      const std::size_t at = next_place++;
      const std::size_t place = places[at];
      const std::size_t sample = order[begin + place];
      if (next_place == places.size()) {
        next_place = 0;
        ++next_batch;
      }
      lock.unlock();
      LoadedFile file = loader.load(epoch, begin + place, sample);
      file.place = place;
      lock.lock();
      Batch& open = batches[batch];
      open.files[at] = std::move(file);
      if (--open.num_missing == 0) ready.notify_all();
    }
  }

  std::vector<Sample> samples;
  LoaderOptions options;
  std::vector<int> groups;  // of each sample
  SampleLoader loader;
  std::mutex mutex;  // guards all below
  std::condition_variable wake, ready;
  std::map<std::size_t, Batch> batches;
  std::size_t next_read;            // batch that the reader wants next
  std::size_t next_batch;           // batch whose samples workers take
  std::vector<std::size_t> places;  // of it that are loaded here
  std::size_t next_place = 0;       // among these
  std::size_t open_epoch = 0;       // of `order`
  std::vector<std::size_t> order;
  bool stopping = false;
  std::exception_ptr failure;  // of a worker, which is gone then
  std::vector<std::thread> workers;
};

Loader::Loader(std::vector<Sample> samples, LoaderOptions options, std::size_t first_batch)
    : shared_(std::make_unique<Shared>(std::move(samples), std::move(options), first_batch)) {
  for (int i = 0; i < std::max(1, shared_->options.num_workers); ++i)
    shared_->workers.emplace_back([shared = shared_.get()] { shared->work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->wake.notify_all();
  for (std::thread& worker : shared_->workers) worker.join();
}

std::vector<LoadedFile> Loader::next() {
  std::unique_lock lock(shared_->mutex);
  const std::size_t batch = shared_->next_read;
  shared_->ready.wait(lock, [&] {
    if (shared_->failure) return true;
    const auto found = shared_->batches.find(batch);
    return found != shared_->batches.end() && found->second.num_missing == 0;
  });
  if (shared_->failure) std::rethrow_exception(shared_->failure);
  std::vector<LoadedFile> files = std::move(shared_->batches[batch].files);
  shared_->batches.erase(batch);
  ++shared_->next_read;
  lock.unlock();
  shared_->wake.notify_all();
  return files;
}

}  // namespace byteformer::data
