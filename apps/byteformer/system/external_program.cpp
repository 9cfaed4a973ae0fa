// fork, exec and wait, and pipes in both directions.
#include "system/external_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <sstream>
#include <thread>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "common/interrupt.hpp"
#include "common/trainer_environment.hpp"
#include "exit_status.hpp"

namespace byteformer::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPipeBytes = 1 << 12;  // a pipe that is ready takes so many without a wait (POSIX: PIPE_BUF)

[[noreturn]] void throw_system(const fs::path& program, const char* what, int error) {
  throw Error(ErrorCode::kIo, program.native(), std::string(what) + ": " + std::strerror(error));
}

bool is_program(const fs::path& path) { return access(path.c_str(), X_OK) == 0 && !fs::is_directory(path); }

/// The null-terminated argument vector of a program; both must outlive it.
std::vector<char*> words_of(const fs::path& program, const std::vector<std::string>& arguments) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  return argv;
}

/// A running program, which does not outlive this.
class Child {
 public:
  struct Redirection {
    int ours, theirs;  ///< descriptors
  };

  Child(const fs::path& program, const std::vector<std::string>& arguments,
        std::initializer_list<Redirection> redirections)
      : program_(program) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const auto [ours, theirs] : redirections) posix_spawn_file_actions_adddup2(&actions, ours, theirs);
    const int error =
        posix_spawn(&id_, program.c_str(), &actions, nullptr, words_of(program, arguments).data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw_system(program, "cannot be started", error);
  }
  ~Child() {
    if (has_ended_) return;
    ::kill(id_, SIGTERM);
    while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) continue;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Looks again and again rather than sleep in waitpid(2): a signal that comes just before it would be missed.
  /// \returns its exit status; 128 and the number of the signal that ended it.
  /// \throws Error kIo where its status is lost, as in a process that ignores SIGCHLD.
  int wait() {
    constexpr auto kPause = std::chrono::milliseconds(50);
    bool was_told = false;
    for (;; std::this_thread::sleep_for(kPause)) {
      int status = 0;
      const pid_t ended = ::waitpid(id_, &status, WNOHANG);
      has_ended_ = ended == id_ || (ended < 0 && errno != EINTR);
      if (ended == id_) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      if (has_ended_) throw_system(program_, "how it ended is lost", errno);
      if (interrupted() && !was_told) {  // a terminal has told it already; that counts as the same request
        ::kill(id_, SIGINT);
        was_told = true;
      }
    }
  }

 private:
  const fs::path& program_;
  pid_t id_ = -1;
  bool has_ended_ = false;
};

struct Pipe {
  base::Descriptor to_read, to_write;
};

Pipe make_pipe(const fs::path& program) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_system(program, "cannot make a pipe to it", errno);
  return {base::Descriptor(ends[0]), base::Descriptor(ends[1])};
}

/// Waits until `descriptor` is ready for `events` or broken, looking again and again for Ctrl-C: a signal that comes
/// just before a wait without end would be missed.
void wait_for(int descriptor, short events) {
  constexpr int kPauseMs = 50;
  pollfd waiting{descriptor, events, 0};
  while (::poll(&waiting, 1, kPauseMs) <= 0)
    if (interrupted()) throw Interrupted{};
}

void write_all(int descriptor, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    wait_for(descriptor, POLLOUT);
    const ssize_t count = ::write(descriptor, bytes.data(), std::min<std::size_t>(bytes.size(), kPipeBytes));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;  // it ended early, and its status says so
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

std::string read_all_of(int descriptor) {
  std::string text;
  std::array<char, kPipeBytes> piece;
  for (;;) {
    wait_for(descriptor, POLLIN);
    const ssize_t count = ::read(descriptor, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

std::optional<fs::path> find_program(const std::string& name) {
  std::vector<fs::path> folders;
  if (const fs::path here = base::program_folder(); !here.empty())
    folders = {here, here.parent_path() / "libexec" / "byteformer"};
  const char* path = std::getenv("PATH");
  std::istringstream parts(path != nullptr ? path : "");
  for (std::string part; std::getline(parts, part, ':');) folders.emplace_back(part);
  for (const fs::path& folder : folders)
    if (is_program(folder / name)) return folder / name;
  return std::nullopt;
}

fs::path find_trainer(const std::string& who, const std::string& otherwise) {
  if (const auto program = find_program("byteformer-train")) {
    set_trainer_environment();
    return *program;
  }
  throw Error(ErrorCode::kUnsupported,
              who +
                  " the program byteformer-train, which is not installed here. Build it with LibTorch: "
                  "`./scripts/install_dependencies.sh train && cmake --preset release && cmake --build --preset "
                  "release`" +
                  otherwise);
}

void become(const fs::path& program, const std::vector<std::string>& arguments) {
  execv(program.c_str(), words_of(program, arguments).data());
  throw_system(program, "cannot be started", errno);
}

int run_program(const fs::path& program, const std::vector<std::string>& arguments) {
  return Child(program, arguments, {{STDERR_FILENO, STDOUT_FILENO}}).wait();
}

std::string run_filter(const fs::path& program, const std::vector<std::string>& arguments,
                       std::span<const std::uint8_t> input) {
  std::signal(SIGPIPE, SIG_IGN);  // a program that ends early must not end this one
  Pipe to = make_pipe(program), from = make_pipe(program);
  Child child(program, arguments, {{to.to_read.get(), STDIN_FILENO}, {from.to_write.get(), STDOUT_FILENO}});
  to.to_read.close();
  from.to_write.close();
  write_all(to.to_write.get(), input);
  to.to_write.close();
  std::string output = read_all_of(from.to_read.get());
  int status = 0;
  if (error_of([&] { status = child.wait(); }) || status != kExitOk) {
    if (interrupted()) throw Interrupted{};
    throw Error(ErrorCode::kInternal, base::printable(program) + " failed");
  }
  return output;
}

}  // namespace byteformer::cli
