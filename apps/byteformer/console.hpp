// Where a command reads and writes, and what the terminal there can show; tests put strings in its place.
#pragma once

#include <istream>
#include <memory>
#include <ostream>

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
