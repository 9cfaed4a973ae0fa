// Starts this program several times, as the ranks of a training on this machine, and watches over them.
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <initializer_list>
#include <optional>
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

  const sigset_t& before() const { return before_; }

 private:
  sigset_t set_, before_;
};

/// This process's environment and what tells a rank who it is, as torchrun would say it.
std::vector<std::string> environment_of(int rank, int num_ranks, std::uint16_t port) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  const auto set = [&](const char* name, const std::string& value) {
    const std::string start = std::string(name) + "=";
    std::erase_if(variables, [&](const std::string& variable) { return variable.starts_with(start); });
    variables.push_back(start + value);
  };
  set("RANK", std::to_string(rank)), set("LOCAL_RANK", std::to_string(rank));
  set("WORLD_SIZE", std::to_string(num_ranks)), set("LOCAL_WORLD_SIZE", std::to_string(num_ranks));
  set("MASTER_ADDR", "127.0.0.1"), set("MASTER_PORT", std::to_string(port));
  set("TORCHELASTIC_USE_AGENT_STORE", "True"), set("TORCHELASTIC_RESTART_COUNT", "0");
  set(train::kOwnLauncher, std::to_string(::getpid()));
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

pid_t start_rank(const std::string& request, std::vector<std::string> environment, const BlockedSignals& signals) {
  std::vector<std::string> arguments{"byteformer-train", request};
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, &signals.before());
  pid_t id = -1;
  const int error = posix_spawn(&id, "/proc/self/exe", nullptr, &attributes, pointers(arguments).data(),
                                pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  if (error != 0) throw Error(ErrorCode::kIo, std::string("a rank cannot be started: ") + std::strerror(error));
  return id;
}

/// The ranks, none of which outlives this.
class Crew {
 public:
  Crew(const plan::Request& request, int num_ranks, const BlockedSignals& signals) {
    const std::string text = plan::to_json(request);
    for (int rank = 0; rank < num_ranks; ++rank)
      ids_.push_back(start_rank(text, environment_of(rank, num_ranks, store_.port()), signals));
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
    if (status == kExitInterrupted || !store_.claim_failure(kPrefix)) return;  // it is said already
    const std::string end = WIFSIGNALED(how) ? fmt::format("signal {} ({})", WTERMSIG(how), strsignal(WTERMSIG(how)))
                                             : fmt::format("status {}", status);
    complain("train", {fmt::format("rank {} (process {}) ended by {}. The last checkpoint is whole; go on with {}",
                                   rank, id, end, plan::option_name(&plan::Request::resume))});
  }

  train::RankStore store_;
  std::vector<pid_t> ids_;  // of each rank; 0 when it has ended
  int status_ = 0;
};

}  // namespace

double rank_timeout_s(const plan::Request& request) { return request.rank_timeout_s.value_or(300); }

int launch_ranks(const plan::Request& request) {
  const BlockedSignals signals({SIGCHLD, SIGINT, SIGTERM, SIGUSR1});
  Crew crew(request, static_cast<int>(*request.ranks), signals);
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
