// Finds programs of ours, starts them, and waits for their end.
#include "system/external_program.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <thread>

#include "base/file_io.hpp"
#include "base/program.hpp"
#include "byteformer/error.hpp"
#include "common/interrupt.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void throw_cannot_start(const fs::path& program, int error) {
  throw Error(ErrorCode::kIo, program.native(), std::string("cannot be started: ") + std::strerror(error));
}

/// Looks again and again rather than sleep in waitpid(2): a signal that comes just before it would be missed.
/// \throws Error kIo where its status is lost, as in a process that ignores SIGCHLD.
int wait_for(const fs::path& program, pid_t child) {
  constexpr auto kPause = std::chrono::milliseconds(50);
  bool was_told = false;
  int status = 0;
  for (;;) {
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (ended < 0 && errno != EINTR)
      throw Error(ErrorCode::kIo, program.native(), std::string("how it ended is lost: ") + std::strerror(errno));
    if (interrupted() && !was_told) {  // a terminal has told it already; that counts as the same request
      kill(child, SIGINT);
      was_told = true;
    }
    std::this_thread::sleep_for(kPause);
  }
}

bool is_program(const fs::path& path) { return access(path.c_str(), X_OK) == 0 && !fs::is_directory(path); }

}  // namespace

std::vector<char*> words_of(const fs::path& program, const std::vector<std::string>& arguments) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  return argv;
}

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
  if (const auto program = find_program("byteformer-train")) return *program;
  throw Error(ErrorCode::kUnsupported,
              who +
                  " the program byteformer-train, which is not installed here. Build it with LibTorch: "
                  "`./scripts/install_dependencies.sh train && cmake --preset release && cmake --build --preset "
                  "release`" +
                  otherwise);
}

void become(const fs::path& program, const std::vector<std::string>& arguments) {
  execv(program.c_str(), words_of(program, arguments).data());
  throw_cannot_start(program, errno);
}

int run_program(const fs::path& program, const std::vector<std::string>& arguments) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int error =
      posix_spawn(&child, program.c_str(), &actions, nullptr, words_of(program, arguments).data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw_cannot_start(program, error);
  return wait_for(program, child);
}

}  // namespace byteformer::cli
