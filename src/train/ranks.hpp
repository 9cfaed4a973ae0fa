// The processes that train together, on PyTorch's c10d: how they find each other, add up, and notice that one is gone.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "train/world.hpp"

namespace at {
class Tensor;
}

namespace byteformer::train {

/// On what ranks of `world` may compute, and how they add up there: "cpu", "cuda by nccl", "cuda by gloo".
std::string devices_of(const World& world);

/// Where ranks find each other. A launcher opens one for the ranks that it starts.
class RankStore {
 public:
  /// Opens a store on a free port of this machine.
  RankStore();
  ~RankStore();
  RankStore(const RankStore&) = delete;
  RankStore& operator=(const RankStore&) = delete;

  std::uint16_t port() const;

  /// \see Ranks::claim_failure(), of ranks whose keys have `prefix`
  bool claim_failure(const std::string& prefix);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// As what numbers travel that are added up.
enum class SumType {
  kFloat32,
  kBfloat16  ///< half of the bytes: each number, and then the sum, is rounded; sums are taken in float32
};

/// One of the ranks, and its ways to the others. Collective calls are made by all ranks, in the same order, by one
/// thread each; with one rank they do nothing. Where a rank is gone or hangs, they throw on all others.
class Ranks {
 public:
  /// \param world  by default one process alone
  explicit Ranks(World world = {});

  /// Finds the others; returns when all are there. To be called once, before all else.
  /// \param timeout_s  how long a rank that does not answer is waited for
  /// \throws Error kIo: the port is in use, the name of rank 0's machine is not known, or a rank has not come in time.
  void join(double timeout_s);

  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  int rank() const noexcept { return world_.rank; }
  int size() const noexcept { return world_.size; }
  const World& world() const noexcept { return world_; }
  bool is_first() const noexcept { return world_.rank == 0; }
  bool are_many() const noexcept { return world_.size > 1; }

  /// "rank 1 (node7, process 4711)"
  std::string name(int rank) const;

  // Text goes through the store and may take its time: a rank is waited for as long as its process lives.

  /// What the first rank says. Collective.
  std::string from_first(const std::string& text);

  /// What all say, in the order of ranks, on the first; nothing on the others. Collective.
  std::vector<std::string> to_first(const std::string& text);

  // Numbers go from rank to rank. \throws Error kInternal naming the rank that has not answered in time.

  /// Overwrites `tensor` (contiguous, same shape everywhere) with the first rank's. Collective.
  void copy_from_first(at::Tensor& tensor);

  /// Adds up numbers of all ranks. Collective.
  void sum(std::span<double> numbers);

  /// Starts to replace `tensor`, contiguous floats of the same shape everywhere, by the sum over all ranks; it must not
  /// be touched until finish(). One number is added in the same order each time, which depends on the number of
  /// ranks alone, and all get the same bits. Collective.
  void start_sum(const at::Tensor& tensor, SumType type = SumType::kFloat32);

  /// Starts to overwrite `tensor`, as above, with that of `rank`. Collective.
  void start_copy(const at::Tensor& tensor, int rank);

  /// Waits for what was started. Collective.
  void finish();

  /// The numbers that all have, in the order of ranks, on the first; nothing on the others. Collective.
  std::vector<std::vector<float>> to_first(const std::vector<float>& numbers);

  /// To be called when this rank fails. \returns whether it is the one to say so: one message is enough.
  /// \param status  that it would end with; becomes that of the one who says so
  bool claim_failure(int& status);

  /// Ends without the others' consent: after claim_failure(). Never returns.
  [[noreturn]] void abandon(int status);

  /// Waits until all are here; then none needs another. Collective, the last call.
  void leave();

 private:
  struct Impl;
  World world_;
  std::unique_ptr<Impl> impl_;  // null for one rank
};

}  // namespace byteformer::train
