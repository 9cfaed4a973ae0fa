// Standard streams on POSIX, and what the terminal behind them can show.
#include "console.hpp"

#include <fcntl.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <clocale>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "system/input_stream.hpp"

namespace byteformer::cli {
namespace {

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

}  // namespace

void complain(Console& console, std::string_view message, std::string_view command) {
  const std::string line = base::joined("byteformer", command.empty() ? "" : " ", command, ": ", message, "\n");
  console.err << base::printable(line, "\n") << std::flush;  // in one piece: other processes write there, too
}

void complain(Console& console, const Error& error) { complain(console, error.what()); }

struct StandardConsole::Streams {
  bool in_is_open = ensure_open(STDIN_FILENO, O_WRONLY);
  bool out_is_open = ensure_open(STDOUT_FILENO, O_RDONLY);
  bool err_is_open = ensure_open(STDERR_FILENO, O_RDONLY);
  DescriptorInput in_buffer{STDIN_FILENO, "standard input"};
  DescriptorOutput out_buffer{STDOUT_FILENO, "standard output"};
  DescriptorOutput err_buffer{STDERR_FILENO, "standard error"};
  std::istream in{&in_buffer};
  std::ostream out{&out_buffer};
  std::ostream err{&err_buffer};
  Console console{.in = in_is_open ? &in : nullptr, .out = out, .err = err};
};

StandardConsole::StandardConsole() : streams_(std::make_unique_for_overwrite<Streams>()) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // a parent that ignores it hands that on, and then no program of ours has a status
  streams_->in.exceptions(std::ios::badbit);
  streams_->out.exceptions(std::ios::badbit);  // but not `err`: where nobody hears us, there is nothing left to say
  Console& console = streams_->console;
  console.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  console.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
  console.has_colour = console.out_is_terminal && wants_colour();
  console.has_unicode = locale_is_utf8();
  if (console.out_is_terminal) console.columns = terminal_columns();
}

StandardConsole::~StandardConsole() = default;

Console& StandardConsole::console() noexcept { return streams_->console; }

}  // namespace byteformer::cli
