// What one of the ranks has of c10d, for the files that make Ranks: ranks.cpp joins and finds who is missing,
// rank_sums.cpp adds up.
#pragma once

#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <vector>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "train/rank_store.hpp"
#include "train/ranks.hpp"

namespace byteformer::train {

#if TORCH_VERSION_MAJOR >= 2
using Group = c10d::Backend;
#else
using Group = c10d::ProcessGroup;
#endif

inline constexpr Milliseconds kSilence{4000};  // without a sign of life: gone, or stopped
inline constexpr Milliseconds kLook{500};      // between two looks whether somebody has failed

inline std::size_t index(int rank) { return static_cast<std::size_t>(rank); }

/// A sum that is under way.
struct Sum {
  at::Tensor result;       // where it is to be
  at::Tensor numbers;      // the same, or what is sent for it
  bool has_parts = false;  // `numbers` are, or will be, the part of this rank as each rank has it
  c10::intrusive_ptr<c10d::Work> work;
};

struct Ranks::Impl {
  Impl(const World& of, double timeout_s) : world(of), timeout(static_cast<std::int64_t>(timeout_s * 1000)) {}

  void open();
  void meet();
  void connect();

  /// Calls action() with the store. \throws Error kInternal where that is gone.
  template <typename Action>
  auto with_store(const Action& action) {
    // A call may hang with the process that holds the store.
    if (!is_concluding)
      watchdog.arm(Clock::now() + timeout - last_moments(), speaks_for_lost_store() ? lost_store().what() : "");
    try {
      auto result = action(*store);
      if (!is_concluding) watchdog.disarm();
      return result;
    } catch (const std::exception&) {
      throw lost_store();
    }
  }
  bool has_failed() {
    return with_store([](c10d::Store& s) { return s.check({kAlarm}) || s.check({kFailed}); });
  }
  void set(const std::string& name, const std::string& text) {
    with_store([&](c10d::Store& s) { return s.set(name, bytes_of(text)), true; });
  }
  std::string await(const std::string& name, int from);
  void wait_for(c10d::Work& work, Milliseconds look = kLook);
  [[noreturn]] void conclude(const std::string& reason, Clock::time_point end);
  std::string name(int rank) const {  // who has not come has none
    return index(rank) < names.size() ? base::joined("rank ", rank, " (", names[index(rank)], ")")
                                      : base::joined("rank ", rank);
  }
  Error lost(const std::vector<int>& ranks, const std::string& reason) const;
  Error lost_store() const;
  bool speaks_for_lost_store() const { return world.rank == (world.store_is_launchers ? 0 : 1); }
  c10::intrusive_ptr<Group> group_for(const at::Tensor& tensor);
  void go_on(Sum& sum);

  /// Time to find out who is missing is part of the timeout.
  Milliseconds last_moments() const { return std::min(Milliseconds(5000), timeout / 5); }
  Milliseconds silence() const { return std::min(kSilence, timeout / 2); }

  const World& world;
  Milliseconds timeout;
  Watchdog watchdog;
  c10::intrusive_ptr<c10d::Store> store;
  std::unique_ptr<Heart> heart;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
  c10::intrusive_ptr<Group> cuda_group;
  std::vector<Sum> sums;
  std::vector<std::string> names;  // [size]
  std::int64_t num_texts = 0;
  bool is_concluding = false;
};

}  // namespace byteformer::train
