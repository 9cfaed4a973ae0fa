// Where a command reads and writes, and what the terminal there can show; tests put strings in its place.
#pragma once

#include <istream>
#include <memory>
#include <ostream>
#include <string_view>

#include "byteformer/error.hpp"

namespace byteformer::cli {

struct Console {
  std::istream* in = nullptr;  ///< null if standard input is closed
  std::ostream& out;           ///< results
  std::ostream& err;           ///< everything else
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool has_colour = false;   ///< of `out`: a terminal, and nobody set NO_COLOR
  bool has_unicode = false;  ///< whether the locale can show block characters
  int columns = 80;          ///< of `out`
};

/// Says `message` on standard error, in a line or several, with whatever could fool a terminal escaped.
void complain(Console& console, std::string_view message, std::string_view command = "");

/// Says what `error` says.
void complain(Console& console, const Error& error);

/// The process's own streams. Also sees to it that writing to a closed pipe does not kill the process.
class StandardConsole {
 public:
  StandardConsole();
  ~StandardConsole();
  StandardConsole(const StandardConsole&) = delete;
  StandardConsole& operator=(const StandardConsole&) = delete;

  Console& console() noexcept;

 private:
  struct Streams;
  std::unique_ptr<Streams> streams_;
};

}  // namespace byteformer::cli
