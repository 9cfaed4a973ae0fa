// Where a command reads and writes, what the terminal there can show, and the progress bar; tests put strings in its
// place.
#pragma once

#include <chrono>
#include <cstddef>
#include <istream>
#include <optional>
#include <ostream>
#include <string>
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

/// A progress bar on standard error that shows up only where waiting gets long.
class ProgressBar {
 public:
  /// `total` is the number of steps, if known. A bar that is not `enabled` never writes. \param step what one is called
  ProgressBar(Console& console, std::optional<std::size_t> total, bool enabled, std::string step = "file");
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(std::size_t num_done);
  void clear();  ///< removes it from the screen, before something else is written there

 private:
  using Clock = std::chrono::steady_clock;

  Console& console_;
  std::optional<std::size_t> total_;
  bool enabled_;
  std::string step_;
  bool is_visible_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_ + std::chrono::seconds(1);
};

}  // namespace byteformer::cli
