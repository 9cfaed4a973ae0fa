// A progress bar on standard error that shows up only where waiting gets long.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "console.hpp"

namespace byteformer::cli {

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
