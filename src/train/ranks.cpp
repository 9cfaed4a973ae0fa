// c10d's process groups, in both of their shapes (LibTorch 1.13 and 2.x): joining, adding up, and finding who is
// missing.
#include "train/ranks.hpp"

#include <torch/torch.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "plan/settings.hpp"
#include "train/rank_addresses.hpp"
#include "train/rank_store.hpp"

namespace byteformer::train {
namespace {

using namespace std::chrono_literals;
#if TORCH_VERSION_MAJOR >= 2
using Group = c10d::Backend;
#else
using Group = c10d::ProcessGroup;
#endif

constexpr Milliseconds kSilence = 4s;    // without a sign of life: gone, or stopped
constexpr Milliseconds kLook = 500ms;    // between two looks whether somebody has failed
constexpr Milliseconds kFarewell = 10s;  // for others to read what the first rank's store says

std::size_t index(int rank) { return static_cast<std::size_t>(rank); }

c10::intrusive_ptr<c10d::ProcessGroupGloo> make_gloo(const World& world, const c10::intrusive_ptr<c10d::Store>& store,
                                                     Milliseconds timeout) {
  const auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  // PyTorch's name for what people choose themselves.
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  options->devices.push_back(interface != nullptr && *interface != 0
                                 ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                                 : c10d::ProcessGroupGloo::createDeviceForHostname(own_address(world)));
  options->threads = 2;
  return c10::make_intrusive<c10d::ProcessGroupGloo>(c10::make_intrusive<c10d::PrefixStore>("gloo", store), world.rank,
                                                     world.size, options);
}

/// Whether each rank has a GPU of its own, and there is what adds up between them.
bool has_nccl(const World& world) {
#ifdef USE_C10D_NCCL
  return static_cast<std::size_t>(world.local_size) <= torch::cuda::device_count();
#else
  return static_cast<void>(world), false;
#endif
}

/// A sum that is under way.
struct Sum {
  at::Tensor result;       // where it is to be
  at::Tensor numbers;      // the same, or what is sent for it
  bool has_parts = false;  // `numbers` are, or will be, the part of this rank as each rank has it
  c10::intrusive_ptr<c10d::Work> work;
};

}  // namespace

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
  Milliseconds last_moments() const { return std::min<Milliseconds>(5s, timeout / 5); }
  Milliseconds silence() const { return std::min<Milliseconds>(kSilence, timeout / 2); }

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

Error Ranks::Impl::lost(const std::vector<int>& ranks, const std::string& reason) const {
  std::vector<std::string> who;
  for (const int rank : ranks) who.push_back(name(rank));
  return {ErrorCode::kInternal,
          base::list(who, ", ", " and ") + (ranks.size() == 1 ? " has" : " have") +
              " ended or not answered for too long" + (reason.empty() ? "" : " (" + reason + ")") +
              ". The last checkpoint is whole; go on with " + plan::option_name(&plan::Request::resume)};
}

Error Ranks::Impl::lost_store() const {
  if (!world.store_is_launchers) return lost({0}, "");
  return {ErrorCode::kInternal, world.launcher + " does not answer any more"};
}

void Ranks::Impl::open() {
  require_host(world);
  const bool is_server = world.rank == 0 && !world.store_is_launchers;
  try {
    store = prefixed(world.prefix, open_store(world, is_server, timeout));
  } catch (const std::exception& error) {
    const std::string place = base::joined(base::printable(world.host), " port ", world.port);
    if (is_server)
      base::fail(ErrorCode::kIo, "ranks cannot meet at ", place, ": ", reason_of(error),
                 "; is another run there? MASTER_PORT names another port");
    base::fail(ErrorCode::kIo, world.store_is_launchers ? world.launcher : "rank 0", " does not answer at ", place,
               ": ", reason_of(error));
  }
}

/// Returns when all are there, with their names.
void Ranks::Impl::meet() {
  const auto end = Clock::now() + timeout;
  set(key("joined", world.rank), own_name());
  if (world.rank > 0) {
    while (!with_store([](c10d::Store& s) { return s.check({kAll}); })) {
      if (has_failed() || Clock::now() > end + kFarewell) throw Error(ErrorCode::kIo, "not all ranks have come");
      std::this_thread::sleep_for(20ms);
    }
  }
  std::vector<std::string> missing;
  for (int rank = 0; rank < world.size; ++rank) {
    const std::string name = key("joined", rank);
    while (!with_store([&](c10d::Store& s) { return s.check({name}); }) && Clock::now() < end)
      std::this_thread::sleep_for(20ms);
    const bool is_there = with_store([&](c10d::Store& s) { return s.check({name}); });
    if (!is_there) missing.push_back(std::to_string(rank));
    names.push_back(is_there ? with_store([&](c10d::Store& s) { return text_of(s.get(name)); }) : "");
  }
  if (!missing.empty())
    base::fail(ErrorCode::kIo, "rank ", base::list(missing, ", ", " and "), " of ", world.size, " has not come within ",
               base::duration_text(static_cast<double>(timeout.count()) / 1000), " (",
               plan::option_name(&plan::Request::rank_timeout_s), ")");
  if (world.rank == 0) set(kAll, "");
}

void Ranks::Impl::connect() {
  try {
    heart = std::make_unique<Heart>(world, timeout);
    gloo = make_gloo(world, store, timeout - last_moments());
  } catch (const std::exception& error) {
    base::fail(ErrorCode::kIo, "the other ranks do not answer: ", reason_of(error),
               "; GLOO_SOCKET_IFNAME names the network interface to use");
  }
}

/// The text under `name`, which rank `from` is to write; however long that takes while it lives.
std::string Ranks::Impl::await(const std::string& name, int from) {
  Pulse pulse;
  for (auto wait = 1ms; !with_store([&](c10d::Store& s) { return s.check({name}); });
       wait = std::min(2 * wait, 100ms)) {
    const auto end = Clock::now() + last_moments();
    if (has_failed()) conclude("", end);
    if (with_store([&](c10d::Store& s) { return pulse.silence(s, from); }) > timeout) conclude("no sign of life", end);
    std::this_thread::sleep_for(wait);
  }
  return with_store([&](c10d::Store& s) { return text_of(s.get(name)); });
}

void Ranks::Impl::wait_for(c10d::Work& work, Milliseconds look) {
  const auto end = Clock::now() + timeout;
  for (;;) {
    std::string reason;
    try {
      work.wait(look);
      return;
    } catch (const std::exception& error) {
      reason = reason_of(error);
    }
    if (work.isCompleted() || Clock::now() > end) conclude(reason, end);  // else only the look was too short
    if (has_failed()) conclude("", end);
  }
}

/// Finds out who is missing: those who are here say so, and the others' processes give signs of life or not.
void Ranks::Impl::conclude(const std::string& reason, Clock::time_point end) {
  watchdog.arm(end, speaks_for_lost_store() ? lost_store().what() : "");
  is_concluding = true;
  set(key("here", world.rank), "");
  set(kAlarm, "");
  std::vector<Pulse> pulses(index(world.size));
  for (;; std::this_thread::sleep_for(100ms)) {
    std::vector<int> missing, silent;
    const bool is_said = with_store([&](c10d::Store& s) {
      for (int rank = 0; rank < world.size; ++rank) {
        if (s.check({key("here", rank)})) continue;
        missing.push_back(rank);
        if (pulses[index(rank)].silence(s, rank) > silence()) silent.push_back(rank);
      }
      return s.check({kFailed});
    });
    if (is_said) throw Error(ErrorCode::kInternal, "another rank has failed");
    if (missing.empty())
      throw Error(ErrorCode::kInternal, "the connection between ranks was lost (" + reason +
                                            "). The last checkpoint is whole; go on with " +
                                            plan::option_name(&plan::Request::resume));
    if (!silent.empty()) throw lost(silent, reason);
    if (Clock::now() + 500ms > end) throw lost(missing, reason);
  }
}

/// NCCL where each rank has a GPU of its own, else Gloo, which copies what is on one.
c10::intrusive_ptr<Group> Ranks::Impl::group_for(const at::Tensor& tensor) {
#ifdef USE_C10D_NCCL
  if (tensor.is_cuda() && has_nccl(world)) {
    if (!cuda_group)
      cuda_group = c10::make_intrusive<c10d::ProcessGroupNCCL>(c10::make_intrusive<c10d::PrefixStore>("nccl", store),
                                                               world.rank, world.size);
    return cuda_group;
  }
#else
  static_cast<void>(tensor);
#endif
  return gloo;
}

std::string devices_of(const World& world) {
  if (!torch::cuda::is_available()) return "cpu";
  return has_nccl(world) ? "cuda by nccl" : "cuda by gloo";
}

Ranks::Ranks(World world) : world_(std::move(world)) {}

Ranks::~Ranks() = default;

void Ranks::join(double timeout_s) {
  if (!are_many()) return;
  impl_ = std::make_unique<Impl>(world_, timeout_s);
  impl_->open();
  impl_->meet();
  impl_->connect();
}

std::string Ranks::name(int rank) const { return impl_ ? impl_->name(rank) : base::joined("rank ", rank); }

std::string Ranks::from_first(const std::string& text) {
  if (!are_many()) return text;
  const std::string name = "text/" + std::to_string(impl_->num_texts++);
  if (!is_first()) return impl_->await(name, 0);
  impl_->set(name, text);
  return text;
}

std::vector<std::string> Ranks::to_first(const std::string& text) {
  if (!are_many()) return {text};
  const std::string name = "text/" + std::to_string(impl_->num_texts++);
  std::vector<std::string> texts;
  if (!is_first()) return impl_->set(key(name, rank()), text), texts;
  texts.push_back(text);
  for (int rank = 1; rank < world_.size; ++rank) {
    texts.push_back(impl_->await(key(name, rank), rank));
    impl_->with_store([&](c10d::Store& s) { return s.deleteKey(key(name, rank)); });
  }
  return texts;
}

void Ranks::copy_from_first(at::Tensor& tensor) {
  if (!are_many()) return;
  const torch::NoGradGuard no_grad;
  std::vector<at::Tensor> on_cpu{tensor.detach().cpu()};
  impl_->wait_for(*impl_->gloo->broadcast(on_cpu));
  if (!tensor.is_cpu()) tensor.detach().copy_(on_cpu.front());
}

void Ranks::sum(std::span<double> numbers) {
  if (!are_many()) return;
  std::vector<at::Tensor> tensors{
      torch::from_blob(numbers.data(), {static_cast<std::int64_t>(numbers.size())}, torch::kFloat64)};
  impl_->wait_for(*impl_->gloo->allreduce(tensors));
}

void Ranks::start_sum(const at::Tensor& tensor, SumType type) {
  // Each rank starts each piece of work in the same order, whatever is done when: with the next sum but one.
  if (impl_->sums.size() > 1) impl_->go_on(impl_->sums[impl_->sums.size() - 2]);
  Sum& sum = impl_->sums.emplace_back();
  sum.result = tensor;
  const bool is_of_nccl = impl_->group_for(tensor) != impl_->gloo;
  if (type == SumType::kFloat32 || is_of_nccl) {  // NCCL adds up bfloat16 itself
    sum.numbers = type == SumType::kFloat32 ? tensor : tensor.to(torch::kBFloat16);
    std::vector<at::Tensor> tensors{sum.numbers};
    sum.work = impl_->group_for(tensor)->allreduce(tensors);
    return;
  }
  const std::int64_t part = (tensor.numel() + world_.size - 1) / world_.size;
  at::Tensor sent = torch::zeros({world_.size * part}, torch::kBFloat16);
  sent.narrow(0, 0, tensor.numel()).copy_(tensor);
  sum.numbers = torch::empty_like(sent);
  sum.has_parts = true;
  at::Tensor from = sent.view(torch::kInt8), to = sum.numbers.view(torch::kInt8);  // Gloo knows no bfloat16
  std::vector<std::int64_t> equal;
  sum.work = impl_->gloo->alltoall_base(to, from, equal, equal);
}

void Ranks::finish_sums() {
  for (Sum& sum : impl_->sums) impl_->go_on(sum);
  for (Sum& sum : impl_->sums) {
    // NCCL's work is over once a wait for it is.
    const bool is_of_nccl = impl_->group_for(sum.result) != impl_->gloo;
    impl_->wait_for(*sum.work, is_of_nccl ? impl_->timeout - impl_->last_moments() : kLook);
    if (!sum.numbers.is_same(sum.result)) sum.result.copy_(sum.numbers.narrow(0, 0, sum.result.numel()));
  }
  impl_->sums.clear();
}

/// Once a rank has its part of a sum from all, it adds that up, and hands it to all.
void Ranks::Impl::go_on(Sum& sum) {
  if (!sum.has_parts) return;
  sum.has_parts = false;
  wait_for(*sum.work);
  std::vector<at::Tensor> parts = sum.numbers.view({world.size, -1}).unbind();
  at::Tensor total = parts.front().to(torch::kFloat32);
  for (std::size_t rank = 1; rank < parts.size(); ++rank) total += parts[rank];
  std::vector<at::Tensor> own{total.to(torch::kBFloat16).view(torch::kInt8)};
  std::vector<std::vector<at::Tensor>> all(1);
  for (const at::Tensor& part : parts) all.front().push_back(part.view(torch::kInt8));
  sum.work = gloo->allgather(all, own);
}

std::vector<std::vector<float>> Ranks::to_first(const std::vector<float>& numbers) {
  if (!are_many()) return {numbers};
  std::vector<double> sizes(index(world_.size));
  sizes[index(rank())] = static_cast<double>(numbers.size());
  sum(sizes);
  const auto most = static_cast<std::int64_t>(*std::ranges::max_element(sizes));
  std::vector<at::Tensor> own{torch::zeros({std::max<std::int64_t>(1, most)})};
  std::ranges::copy(numbers, own.front().data_ptr<float>());
  std::vector<std::vector<at::Tensor>> all;
  if (is_first()) {
    all.emplace_back();
    for (int rank = 0; rank < world_.size; ++rank) all.front().push_back(torch::zeros_like(own.front()));
  }
  impl_->wait_for(*impl_->gloo->gather(all, own));
  std::vector<std::vector<float>> result;
  for (int rank = 0; is_first() && rank < world_.size; ++rank) {
    const float* from = all.front()[index(rank)].data_ptr<float>();
    result.emplace_back(from, from + static_cast<std::ptrdiff_t>(sizes[index(rank)]));
  }
  return result;
}

bool Ranks::claim_failure() {
  if (!impl_ || !impl_->store) return true;
  impl_->watchdog.arm(Clock::now() + kFarewell, "");
  try {
    // What all ranks find out at once is said by the first.
    for (int i = 0; !is_first() && i < 10; ++i) {
      if (impl_->store->check({kFailed})) return false;
      std::this_thread::sleep_for(100ms);
    }
    return train::claim_failure(*impl_->store);
  } catch (const std::exception&) {
    return impl_->speaks_for_lost_store();
  }
}

void Ranks::abandon(int status) {
  std::fflush(nullptr);
  if (impl_ && impl_->store) {
    impl_->watchdog.arm(Clock::now() + kFarewell, "");
    try {
      impl_->store->set(key("gone", rank()), bytes_of(""));
      // Those who live must still read why; then the store may go.
      for (int rank = 1; is_first() && !world_.store_is_launchers && rank < world_.size; ++rank) {
        Pulse pulse;
        while (impl_->store->check({key("joined", rank)}) && !impl_->store->check({key("gone", rank)}) &&
               pulse.silence(*impl_->store, rank) < kSilence)
          std::this_thread::sleep_for(50ms);
      }
    } catch (const std::exception&) {  // nobody is there to be told
    }
  }
  std::_Exit(status);
}

void Ranks::leave() {
  if (!are_many()) return;
  impl_->heart.reset();
  to_first("");
}

}  // namespace byteformer::train
