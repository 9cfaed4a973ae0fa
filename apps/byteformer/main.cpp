// The byteformer program: the process's own streams, and the command that runs on them.
#include <fcntl.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "application.hpp"
#include "console.hpp"
#include "exit_status.hpp"
#include "system/input_stream.hpp"

namespace byteformer::cli {
namespace {

/// Writes to a descriptor. A stream that wraps it needs `exceptions(std::ios::badbit)` to let its exceptions through.
/// \throws ClosedPipe, or Error kIo with `name` and the system's reason.
class DescriptorOutput : public std::streambuf {
 public:
  DescriptorOutput(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {
    setp(buffer_.data(), buffer_.data() + buffer_.size());
  }

 protected:
  int_type overflow(int_type c) override {
    sync();
    if (!traits_type::eq_int_type(c, traits_type::eof())) sputc(traits_type::to_char_type(c));
    return traits_type::not_eof(c);
  }

  int sync() override {
    const char* next = pbase();
    const char* const end = pptr();
    setp(buffer_.data(), buffer_.data() + buffer_.size());  // whatever fails below, nothing is written twice
    while (next < end) {
      const ssize_t written = ::write(descriptor_, next, static_cast<std::size_t>(end - next));
      if (written >= 0) {
        next += written;
      } else if (errno == EPIPE) {
        throw ClosedPipe{};
      } else if (errno != EINTR) {
        throw Error(ErrorCode::kIo, "cannot write to " + name_ + ": " + std::strerror(errno));
      }
    }
    return 0;
  }

 private:
  int descriptor_;
  std::string name_;
  std::array<char, 1 << 16> buffer_;
};

// A file opened later must not take the number of a standard stream and be written over. The substitute is opened the
// wrong way round, so that using it still fails.
bool ensure_open(int descriptor, int wrong_mode) {
  if (::fcntl(descriptor, F_GETFD) != -1) return true;
  ::open("/dev/null", wrong_mode);
  return false;
}

int terminal_columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool locale_is_utf8() {
  std::setlocale(LC_CTYPE, "");
  return std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
}

bool wants_colour() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && term != nullptr && std::string_view(term) != "dumb";
}

/// What the process reads and writes. A closed pipe does not kill it.
struct StandardStreams {
  bool in_is_open = ensure_open(STDIN_FILENO, O_WRONLY);
  bool out_is_open = ensure_open(STDOUT_FILENO, O_RDONLY);
  bool err_is_open = ensure_open(STDERR_FILENO, O_RDONLY);
  DescriptorInput in_buffer{STDIN_FILENO, "standard input"};
  DescriptorOutput out_buffer{STDOUT_FILENO, "standard output"};
  DescriptorOutput err_buffer{STDERR_FILENO, "standard error"};
  std::istream in{&in_buffer};
  std::ostream out{&out_buffer};
  std::ostream err{&err_buffer};
  Console console{.in = in_is_open ? &in : nullptr,
                  .out = out,
                  .err = err,
                  .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
                  .err_is_terminal = ::isatty(STDERR_FILENO) == 1,
                  .has_colour = ::isatty(STDOUT_FILENO) == 1 && wants_colour(),
                  .has_unicode = locale_is_utf8(),
                  .columns = terminal_columns()};

  StandardStreams() {
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGCHLD, SIG_DFL);  // a parent that ignores it hands that on, and then no program of ours has a status
    in.exceptions(std::ios::badbit);
    out.exceptions(std::ios::badbit);  // but not `err`: where nobody hears us, there is nothing left to say
  }
};

}  // namespace
}  // namespace byteformer::cli

int main(int argc, char** argv) {
  byteformer::cli::StandardStreams standard;
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return byteformer::cli::run(arguments, standard.console);
}
