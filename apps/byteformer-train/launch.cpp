// Forks this process into the ranks of a training on this machine, which so load LibTorch once, and watches over them.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "runs.hpp"
#include "train/ranks.hpp"

namespace byteformer::train_app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::seconds(5);   // with ranks that do not notice that another has failed
constexpr const char* kPrefix = "/worker/attempt_0";  // of the keys in the store, as torchrun's ranks have it

/// Signals that wait to be asked for, in this thread and those that it starts.
class BlockedSignals {
 public:
  explicit BlockedSignals(std::initializer_list<int> signals) {
    sigemptyset(&set_);
    for (const int signal : signals) sigaddset(&set_, signal);
    sigprocmask(SIG_BLOCK, &set_, &before_);
  }

  /// The next signal; 0 where none comes until `end`.
  int next(std::optional<Clock::time_point> end) const {
    for (;;) {
      const auto left = end ? std::max(*end - Clock::now(), Clock::duration::zero()) : Clock::duration::zero();
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
      const timespec timeout{seconds.count(), std::chrono::nanoseconds(left - seconds).count()};
      const int signal = end ? sigtimedwait(&set_, nullptr, &timeout) : sigwaitinfo(&set_, nullptr);
      if (signal > 0) return signal;
      if (errno == EAGAIN) return 0;
    }
  }

  /// Of before, for a child.
  void restore() const { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t set_, before_;
};

/// Tells forked ranks where the store is.
class Announcement {
 public:
  Announcement() {
    if (::pipe(ends_) != 0) throw Error(ErrorCode::kIo, std::string("no pipe for the ranks: ") + std::strerror(errno));
  }
  ~Announcement() {
    for (const int end : ends_)
      if (end >= 0) ::close(end);
  }
  Announcement(const Announcement&) = delete;
  Announcement& operator=(const Announcement&) = delete;

  void tell(int num_ranks, std::uint16_t port) {
    for (int rank = 0; rank < num_ranks; ++rank)
      if (::write(ends_[1], &port, sizeof(port)) != sizeof(port))
        throw Error(ErrorCode::kIo, std::string("the ranks cannot be told where to meet: ") + std::strerror(errno));
  }

  /// For a rank. Nothing where the launcher ended before it told.
  std::optional<std::uint16_t> hear() {
    ::close(std::exchange(ends_[1], -1));
    std::uint16_t port = 0;
    ssize_t count = 0;
    while ((count = ::read(ends_[0], &port, sizeof(port))) < 0 && errno == EINTR) continue;
    return count == sizeof(port) ? std::optional(port) : std::nullopt;
  }

 private:
  int ends_[2] = {-1, -1};
};

/// Tells this process, as torchrun would, that it is a rank.
void set_environment(int rank, int num_ranks, std::uint16_t port) {
  const auto set = [](const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); };
  set("RANK", std::to_string(rank)), set("LOCAL_RANK", std::to_string(rank));
  set("WORLD_SIZE", std::to_string(num_ranks)), set("LOCAL_WORLD_SIZE", std::to_string(num_ranks));
  set("MASTER_ADDR", "127.0.0.1"), set("MASTER_PORT", std::to_string(port));
  set("TORCHELASTIC_USE_AGENT_STORE", "True"), set("TORCHELASTIC_RESTART_COUNT", "0");
  set(train::kOwnLauncher, std::to_string(::getppid()));
}

[[noreturn]] void run_rank(const plan::Request& request, int rank, Announcement& announcement) {
  const std::optional<std::uint16_t> port = announcement.hear();
  if (!port) std::_Exit(3);
  set_environment(rank, static_cast<int>(*request.ranks), *port);
  int status = 0;
  try {
    status = train(request);
  } catch (const std::exception& error) {
    status = complain("train", failure_of(error));
  }
  finish("train", status);
}

/// The ranks, none of which outlives this.
class Crew {
 public:
  Crew(const plan::Request& request, const BlockedSignals& signals) {
    const auto num_ranks = static_cast<int>(*request.ranks);
    Announcement announcement;
    std::fflush(nullptr);  // what is left would be written by all
    for (int rank = 0; rank < num_ranks; ++rank) {
      const pid_t id = ::fork();
      if (id < 0) throw Error(ErrorCode::kIo, std::string("a rank cannot be started: ") + std::strerror(errno));
      if (id == 0) {
        signals.restore();
        run_rank(request, rank, announcement);
      }
      ids_.push_back(id);
    }
    store_.emplace();  // it has threads, and what has threads cannot be forked
    announcement.tell(num_ranks, store_->port());
  }
  ~Crew() {
    signal(SIGKILL);
    while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) continue;
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  bool is_running() const {
    return std::ranges::any_of(ids_, [](pid_t id) { return id > 0; });
  }

  void signal(int number) const {
    for (const pid_t id : ids_)
      if (id > 0) ::kill(id, number);
  }

  /// Takes note of ranks that have ended.
  void reap(bool was_interrupted) {
    int how = 0;
    for (pid_t id = 0; (id = ::waitpid(-1, &how, WNOHANG)) > 0;) {
      const auto found = std::ranges::find(ids_, id);
      if (found == ids_.end()) continue;
      *found = 0;
      const auto rank = static_cast<int>(found - ids_.begin());
      note_end(rank, id, how, was_interrupted);
    }
  }

  /// Of the first rank that did not end well; 0 as long as none has.
  int status() const { return status_; }

 private:
  void note_end(int rank, pid_t id, int how, bool was_interrupted) {
    const int status = WIFSIGNALED(how) ? (was_interrupted ? kExitInterrupted : 3) : WEXITSTATUS(how);
    if (status == 0) return;
    if (status_ == 0) status_ = status;
    if (status == kExitInterrupted || !store_->claim_failure(kPrefix)) return;  // it is said already
    const std::string end = WIFSIGNALED(how) ? fmt::format("signal {} ({})", WTERMSIG(how), strsignal(WTERMSIG(how)))
                                             : fmt::format("status {}", status);
    complain("train", {fmt::format("rank {} (process {}) ended by {}. The last checkpoint is whole; go on with {}",
                                   rank, id, end, plan::option_name(&plan::Request::resume))});
  }

  std::optional<train::RankStore> store_;
  std::vector<pid_t> ids_;  // of each rank; 0 when it has ended
  int status_ = 0;
};

}  // namespace

double rank_timeout_s(const plan::Request& request) { return request.rank_timeout_s.value_or(300); }

int launch_ranks(const plan::Request& request) {
  const BlockedSignals signals({SIGCHLD, SIGINT, SIGTERM, SIGUSR1});
  Crew crew(request, signals);
  bool was_interrupted = false;
  std::optional<Clock::time_point> end;  // of our patience, once one has failed
  while (crew.is_running()) {
    const int signal = signals.next(end);
    if (signal == SIGCHLD) {
      crew.reap(was_interrupted);
      if (crew.status() != 0 && !end) end = Clock::now() + kPatience;
    } else if (signal == 0) {
      crew.signal(SIGKILL);
      end.reset();
    } else {
      was_interrupted = true;
      crew.signal(signal);
    }
  }
  return crew.status();
}

}  // namespace byteformer::train_app
