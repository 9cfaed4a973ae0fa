// Memory that threads share: who wants more than is left waits until others have given theirs back.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/check.hpp"

namespace byteformer::media {

/// Thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// Bytes of the budget, given back when it goes. It travels with what lies in them: a copy has no share, since the
  /// copy is no longer the decoder's affair.
  class Share {
   public:
    Share() = default;
    Share(const Share&) noexcept {}
    Share(Share&& other) noexcept { swap(other); }
    Share& operator=(Share other) noexcept {
      swap(other);
      return *this;
    }
    ~Share() { shrink(0); }

    /// Gives back what is more than `num_bytes`.
    void shrink(std::uint64_t num_bytes) noexcept {
      if (num_bytes >= num_bytes_) return;
      budget_->give_back(owner_, num_bytes_ - num_bytes);
      num_bytes_ = num_bytes;
    }

    /// Takes `more` bytes, as a thread does that has a share, and says whether this share alone stays within the limit;
    /// if not, nothing is taken.
    bool grow(std::uint64_t more) {
      BF_CHECK(budget_ != nullptr);
      if (more > budget_->limit_bytes_ - num_bytes_) return false;
      budget_->take(owner_, more);
      num_bytes_ += more;
      return true;
    }

    /// What the bytes cost is no part of the picture or sound in them.
    bool operator==(const Share&) const noexcept { return true; }

   private:
    friend class MemoryBudget;
    Share(MemoryBudget& budget, std::uint64_t num_bytes)
        : budget_(&budget), owner_(std::this_thread::get_id()), num_bytes_(num_bytes) {}
    void swap(Share& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(owner_, other.owner_);
      std::swap(num_bytes_, other.num_bytes_);
    }

    MemoryBudget* budget_ = nullptr;
    std::thread::id owner_;
    std::uint64_t num_bytes_ = 0;
  };

  std::uint64_t limit_bytes() const noexcept { return limit_bytes_; }

  /// Waits in line until `num_bytes` (at most limit_bytes()) are free. A thread that has a share already goes beyond
  /// the limit instead, since two that waited for each other would do so without end; but only one thread does at a
  /// time, and others that have shares wait until it has given back enough.
  Share reserve(std::uint64_t num_bytes) {
    BF_CHECK(num_bytes <= limit_bytes_);
    std::unique_lock lock(mutex_);
    if (held_.contains(std::this_thread::get_id())) {
      add_to_others(lock, std::this_thread::get_id(), num_bytes);
      return {*this, num_bytes};
    }
    const std::uint64_t place = next_place_++;
    changed_.wait(lock, [&] { return place == first_place_ && is_free(num_bytes); });
    ++first_place_;
    changed_.notify_all();
    add(std::this_thread::get_id(), num_bytes);
    return {*this, num_bytes};
  }

 private:
  bool is_free(std::uint64_t num_bytes) const noexcept {
    return num_bytes <= limit_bytes_ - std::min(used_, limit_bytes_);
  }
  /// Who is beyond the limit never waits, so it comes to its end and the others get their turn.
  void add_to_others(std::unique_lock<std::mutex>& lock, std::thread::id owner, std::uint64_t num_bytes) {
    changed_.wait(lock, [&] { return is_free(num_bytes) || !beyond_ || *beyond_ == owner; });
    if (!is_free(num_bytes)) beyond_ = owner;
    add(owner, num_bytes);
  }
  void add(std::thread::id owner, std::uint64_t num_bytes) {
    held_[owner] += num_bytes;
    used_ += num_bytes;
  }
  void take(std::thread::id owner, std::uint64_t num_bytes) {
    std::unique_lock lock(mutex_);
    add_to_others(lock, owner, num_bytes);
  }
  void give_back(std::thread::id owner, std::uint64_t num_bytes) noexcept {
    const std::lock_guard lock(mutex_);
    used_ -= num_bytes;
    if (used_ <= limit_bytes_) beyond_.reset();
    const auto held = held_.find(owner);
    if ((held->second -= num_bytes) == 0) held_.erase(held);
    changed_.notify_all();
  }

  const std::uint64_t limit_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::thread::id, std::uint64_t> held_;  // of threads that hold some
  std::optional<std::thread::id> beyond_;          // who took more than the limit leaves
  std::uint64_t used_ = 0;
  std::uint64_t next_place_ = 0;   // in line
  std::uint64_t first_place_ = 0;  // whose turn it is
};

}  // namespace byteformer::media
