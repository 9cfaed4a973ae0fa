// Opens stores, and keeps the threads that say and watch who lives.
#include "train/rank_store.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <stop_token>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <utility>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "train/ranks.hpp"

namespace byteformer::train {
namespace {

using namespace std::chrono_literals;

/// Sleeps; returns true at once when it is to stop.
bool pause(Milliseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  return std::condition_variable_any().wait_for(lock, stop, duration, [&] { return stop.stop_requested(); });
}

}  // namespace

std::string key(const std::string& what, int rank) { return what + "/" + std::to_string(rank); }

std::vector<std::uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }
std::string text_of(const std::vector<std::uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

std::string reason_of(const std::exception& error) {
  std::string text = error.what();
  text.resize(std::min(text.find('\n'), text.size()));
  if (const std::size_t code = text.find("(errno: "), dash = text.find(" - ", code); dash != std::string::npos)
    return base::printable(text.substr(dash + 3, text.find(')', dash) - dash - 3));
  if (const std::size_t place = text.find("] "); text.starts_with('[') && place != std::string::npos)
    text.erase(0, place + 2);
  return base::printable(text);
}

c10::intrusive_ptr<c10d::TCPStore> open_store(const World& world, bool is_server, Milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = world.port;
  options.isServer = is_server;
  options.waitWorkers = false;                            // who has not come is named below
  options.timeout = std::max<Milliseconds>(timeout, 1s);  // it counts in seconds
  return c10::make_intrusive<c10d::TCPStore>(world.host, options);
}

c10::intrusive_ptr<c10d::Store> prefixed(const std::string& prefix, c10::intrusive_ptr<c10d::Store> store) {
  return c10::make_intrusive<c10d::PrefixStore>(prefix + "/byteformer", std::move(store));
}

bool claim_failure(c10d::Store& store) { return store.add(kFailed, 1) == 1; }

Heart::Heart(const World& world, Milliseconds timeout)
    : store_(prefixed(world.prefix, open_store(world, false, timeout))),
      thread_([store = store_, name = key("beat", world.rank)](const std::stop_token& stop) {
        try {
          do store->add(name, 1);
          while (!pause(1s, stop));
        } catch (const std::exception&) {  // the store is gone; whoever needs it will notice
        }
      }) {}

Watchdog::Watchdog()
    : thread_([this](const std::stop_token& stop) {
        while (!pause(200ms, stop)) {
          const std::lock_guard lock(mutex_);
          if (!end_ || Clock::now() < *end_) continue;
          if (!last_words_.empty()) std::fprintf(stderr, "byteformer train: %s\n", last_words_.c_str());
          std::_Exit(3);
        }
      }) {}

void Watchdog::arm(Clock::time_point end, std::string last_words) {
  const std::lock_guard lock(mutex_);
  end_ = end;
  last_words_ = std::move(last_words);
}

void Watchdog::disarm() {
  const std::lock_guard lock(mutex_);
  end_.reset();
}

Clock::duration Pulse::silence(c10d::Store& store, int rank) {
  const std::int64_t beats = store.add(key("beat", rank), 0);
  const auto now = Clock::now();
  if (beats != std::exchange(beats_, beats)) heard_ = now;
  return now - heard_;
}

struct RankStore::Impl {
  c10::intrusive_ptr<c10d::TCPStore> store;
};

RankStore::RankStore() : impl_(new Impl) {
  World world;
  world.host = "127.0.0.1";
  try {
    impl_->store = open_store(world, true, 60s);
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kIo, std::string("no port can be opened for ranks to find each other: ") + reason_of(error));
  }
}

RankStore::~RankStore() = default;

std::uint16_t RankStore::port() const { return impl_->store->getPort(); }

bool RankStore::claim_failure(const std::string& prefix) {
  return train::claim_failure(*prefixed(prefix, impl_->store));
}

}  // namespace byteformer::train
