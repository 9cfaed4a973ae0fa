// Ranks find each other, tell each other texts, and find out who is missing.
#include "train/ranks.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <utility>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "plan/settings.hpp"
#include "train/rank_addresses.hpp"
#include "train/rank_store.hpp"
#include "train/ranks_impl.hpp"

namespace byteformer::train {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds kFarewell = 10s;  // for others to read what the first rank's store says

c10::intrusive_ptr<c10d::ProcessGroupGloo> make_gloo(const World& world, const c10::intrusive_ptr<c10d::Store>& store,
                                                     Milliseconds timeout) {
  const auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  // PyTorch's name for what people choose themselves.
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  options->devices.push_back(interface != nullptr && *interface != 0
                                 ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                                 : c10d::ProcessGroupGloo::createDeviceForHostname(own_address(world)));
  options->threads = 2;
  return c10::make_intrusive<c10d::ProcessGroupGloo>(c10::make_intrusive<c10d::PrefixStore>("gloo", store), world.rank,
                                                     world.size, options);
}

}  // namespace

Error Ranks::Impl::lost(const std::vector<int>& ranks, const std::string& reason) const {
  std::vector<std::string> who;
  for (const int rank : ranks) who.push_back(name(rank));
  return {ErrorCode::kInternal,
          base::list(who, ", ", " and ") + (ranks.size() == 1 ? " has" : " have") +
              " ended or not answered for too long" + (reason.empty() ? "" : " (" + reason + ")") +
              ". The last checkpoint is whole; go on with " + plan::option_name(&plan::Request::resume)};
}

Error Ranks::Impl::lost_store() const {
  if (!world.store_is_launchers) return lost({0}, "");
  return {ErrorCode::kInternal, world.launcher + " does not answer any more"};
}

void Ranks::Impl::open() {
  require_host(world);
  const bool is_server = world.rank == 0 && !world.store_is_launchers;
  try {
    store = prefixed(world.prefix, open_store(world, is_server, timeout));
  } catch (const std::exception& error) {
    const std::string place = base::joined(base::printable(world.host), " port ", world.port);
    if (is_server)
      base::fail(ErrorCode::kIo, "ranks cannot meet at ", place, ": ", reason_of(error),
                 "; is another run there? MASTER_PORT names another port");
    base::fail(ErrorCode::kIo, world.store_is_launchers ? world.launcher : "rank 0", " does not answer at ", place,
               ": ", reason_of(error));
  }
}

/// Returns when all are there, with their names.
void Ranks::Impl::meet() {
  const auto end = Clock::now() + timeout;
  set(key("joined", world.rank), own_name());
  if (world.rank > 0) {
    while (!with_store([](c10d::Store& s) { return s.check({kAll}); })) {
      if (has_failed() || Clock::now() > end + kFarewell) throw Error(ErrorCode::kIo, "not all ranks have come");
      std::this_thread::sleep_for(20ms);
    }
  }
  std::vector<std::string> missing;
  for (int rank = 0; rank < world.size; ++rank) {
    const std::string name = key("joined", rank);
    while (!with_store([&](c10d::Store& s) { return s.check({name}); }) && Clock::now() < end)
      std::this_thread::sleep_for(20ms);
    const bool is_there = with_store([&](c10d::Store& s) { return s.check({name}); });
    if (!is_there) missing.push_back(std::to_string(rank));
    names.push_back(is_there ? with_store([&](c10d::Store& s) { return text_of(s.get(name)); }) : "");
  }
  if (!missing.empty())
    base::fail(ErrorCode::kIo, "rank ", base::list(missing, ", ", " and "), " of ", world.size, " has not come within ",
               base::duration_text(static_cast<double>(timeout.count()) / 1000), " (",
               plan::option_name(&plan::Request::rank_timeout_s), ")");
  if (world.rank == 0) set(kAll, "");
}

void Ranks::Impl::connect() {
  try {
    heart = std::make_unique<Heart>(world, timeout);
    gloo = make_gloo(world, store, timeout - last_moments());
  } catch (const std::exception& error) {
    base::fail(ErrorCode::kIo, "the other ranks do not answer: ", reason_of(error),
               "; GLOO_SOCKET_IFNAME names the network interface to use");
  }
}

/// The text under `name`, which rank `from` is to write; however long that takes while it lives.
std::string Ranks::Impl::await(const std::string& name, int from) {
  Pulse pulse;
  for (auto wait = 1ms; !with_store([&](c10d::Store& s) { return s.check({name}); });
       wait = std::min(2 * wait, 100ms)) {
    const auto end = Clock::now() + last_moments();
    if (has_failed()) conclude("", end);
    if (with_store([&](c10d::Store& s) { return pulse.silence(s, from); }) > timeout) conclude("no sign of life", end);
    std::this_thread::sleep_for(wait);
  }
  return with_store([&](c10d::Store& s) { return text_of(s.get(name)); });
}

void Ranks::Impl::wait_for(c10d::Work& work, Milliseconds look) {
  const auto end = Clock::now() + timeout;
  for (;;) {
    std::string reason;
    const bool was_over = work.isCompleted();  // asked afterwards, it may be over well since the look was too short
    try {
      work.wait(look);
      return;
    } catch (const std::exception& error) {
      reason = reason_of(error);
    }
    if (was_over || Clock::now() > end) conclude(reason, end);
    if (has_failed()) conclude("", end);
  }
}

/// Finds out who is missing: those who are here say so, and the others' processes give signs of life or not.
void Ranks::Impl::conclude(const std::string& reason, Clock::time_point end) {
  watchdog.arm(end, speaks_for_lost_store() ? lost_store().what() : "");
  is_concluding = true;
  set(key("here", world.rank), "");
  set(kAlarm, "");
  std::vector<Pulse> pulses(index(world.size));
  for (;; std::this_thread::sleep_for(100ms)) {
    std::vector<int> missing, silent;
    const bool is_said = with_store([&](c10d::Store& s) {
      for (int rank = 0; rank < world.size; ++rank) {
        if (s.check({key("here", rank)})) continue;
        missing.push_back(rank);
        if (pulses[index(rank)].silence(s, rank) > silence()) silent.push_back(rank);
      }
      return s.check({kFailed});
    });
    if (is_said) throw Error(ErrorCode::kInternal, "another rank has failed");
    if (missing.empty())
      throw Error(ErrorCode::kInternal, "the connection between ranks was lost (" + reason +
                                            "). The last checkpoint is whole; go on with " +
                                            plan::option_name(&plan::Request::resume));
    if (!silent.empty()) throw lost(silent, reason);
    if (Clock::now() + 500ms > end) throw lost(missing, reason);
  }
}

Ranks::Ranks(World world) : world_(std::move(world)) {}

Ranks::~Ranks() = default;

void Ranks::join(double timeout_s) {
  if (!are_many()) return;
  impl_ = std::make_unique<Impl>(world_, timeout_s);
  impl_->open();
  impl_->meet();
  impl_->connect();
}

std::string Ranks::name(int rank) const { return impl_ ? impl_->name(rank) : base::joined("rank ", rank); }

std::string Ranks::from_first(const std::string& text) {
  if (!are_many()) return text;
  const std::string name = "text/" + std::to_string(impl_->num_texts++);
  if (!is_first()) return impl_->await(name, 0);
  impl_->set(name, text);
  return text;
}

std::vector<std::string> Ranks::to_first(const std::string& text) {
  if (!are_many()) return {text};
  const std::string name = "text/" + std::to_string(impl_->num_texts++);
  std::vector<std::string> texts;
  if (!is_first()) return impl_->set(key(name, rank()), text), texts;
  texts.push_back(text);
  for (int rank = 1; rank < world_.size; ++rank) {
    texts.push_back(impl_->await(key(name, rank), rank));
    impl_->with_store([&](c10d::Store& s) { return s.deleteKey(key(name, rank)); });
  }
  return texts;
}

bool Ranks::claim_failure(int& status) {
  if (!impl_ || !impl_->store) return true;
  impl_->watchdog.arm(Clock::now() + kFarewell, "");
  try {
    // What all ranks find out at once is said by the first.
    for (int i = 0; !is_first() && i < 10; ++i) {
      if (impl_->store->check({kFailed})) break;
      std::this_thread::sleep_for(100ms);
    }
    if (!impl_->store->check({kFailed})) impl_->store->set(kFailedStatus, bytes_of(std::to_string(status)));
    if (train::claim_failure(*impl_->store)) return true;
    if (impl_->store->check({kFailedStatus})) status = std::stoi(text_of(impl_->store->get(kFailedStatus)));
    return false;
  } catch (const std::exception&) {
    return impl_->speaks_for_lost_store();
  }
}

void Ranks::abandon(int status) {
  std::fflush(nullptr);
  if (impl_ && impl_->store) {
    impl_->watchdog.arm(Clock::now() + kFarewell, "");
    try {
      impl_->store->set(key("gone", rank()), bytes_of(""));
      // Those who live must still read why; then the store may go.
      for (int rank = 1; is_first() && !world_.store_is_launchers && rank < world_.size; ++rank) {
        Pulse pulse;
        while (impl_->store->check({key("joined", rank)}) && !impl_->store->check({key("gone", rank)}) &&
               pulse.silence(*impl_->store, rank) < kSilence)
          std::this_thread::sleep_for(50ms);
      }
    } catch (const std::exception&) {  // nobody is there to be told
    }
  }
  std::_Exit(status);
}

void Ranks::leave() {
  if (!are_many()) return;
  impl_->heart.reset();
  to_first("");
}

}  // namespace byteformer::train
