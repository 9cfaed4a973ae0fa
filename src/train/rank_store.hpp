// c10d's store as ranks use it: keys, signs of life, and an end to waiting.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "train/world.hpp"

namespace byteformer::train {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

// Keys of the store; others are those of a rank, or numbered texts.
inline constexpr const char* kAll = "all";        // all have joined
inline constexpr const char* kAlarm = "alarm";    // somebody misses somebody
inline constexpr const char* kFailed = "failed";               // somebody says why
inline constexpr const char* kFailedStatus = "failed/status";  // the exit status of who does
std::string key(const std::string& what, int rank);

std::vector<std::uint8_t> bytes_of(const std::string& text);
std::string text_of(const std::vector<std::uint8_t>& bytes);

/// What LibTorch says, without where in its sources; the system's word where there is one.
std::string reason_of(const std::exception& error);

/// Opens the store at the place that `world` names, or finds it there. \throws std::exception
c10::intrusive_ptr<c10d::TCPStore> open_store(const World& world, bool is_server, Milliseconds timeout);

/// The part of `store` that is for ranks of this `prefix`.
c10::intrusive_ptr<c10d::Store> prefixed(const std::string& prefix, c10::intrusive_ptr<c10d::Store> store);

/// Whether this call is the first that says so. \throws std::exception
bool claim_failure(c10d::Store& store);

/// Says that this process lives, on a connection of its own: others can tell a rank that computes from one that is
/// gone.
class Heart {
 public:
  Heart(const World& world, Milliseconds timeout);

 private:
  c10::intrusive_ptr<c10d::Store> store_;
  std::jthread thread_;
};

/// Ends the process where a wait outlasts its time in spite of all: the store itself may hang, with the first rank.
class Watchdog {
 public:
  Watchdog();

  /// \param last_words  for standard error at the `end`; mostly none, since another rank speaks
  void arm(Clock::time_point end, std::string last_words);
  void disarm();

 private:
  std::mutex mutex_;  // guards what follows
  std::optional<Clock::time_point> end_;
  std::string last_words_;
  std::jthread thread_;
};

/// For how long a rank has given no sign of life, as far as one knows who began to look at it.
class Pulse {
 public:
  /// \throws std::exception
  Clock::duration silence(c10d::Store& store, int rank);

 private:
  std::int64_t beats_ = -1;
  Clock::time_point heard_;
};

}  // namespace byteformer::train
