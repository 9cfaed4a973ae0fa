// Threads that take what waits, a job of each client in turn: one by one while few wait, else their share as one batch.
#include "serve/queue.hpp"

#include <algorithm>
#include <exception>

#include "base/check.hpp"
#include "base/processors.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "serve/exchange.hpp"

namespace byteformer::serve {
namespace {

constexpr auto kLookAfterClient = std::chrono::milliseconds(100);

// So many for each worker run alone: in a batch all wait for the last one, which costs the slowest hundredth of requests at
// half load a service time, and gives a file of some hundred tokens 2 %.
constexpr std::size_t kFewPerWorker = 4;
constexpr const char* kTooLate = "the request waited longer than it may; try again";

}  // namespace

void ByteBudget::Share::grow(std::uint64_t num_bytes) {
  if (num_bytes > budget_.limit_ - held_)
    throw Refusal{413, base::joined("the request is too large: all requests together hold at most ", budget_.limit_,
                                    " bytes, with what is made of them")};
  if (budget_.used_.fetch_add(num_bytes) > budget_.limit_ - num_bytes) {
    budget_.used_ -= num_bytes;
    throw Refusal{503, "the server holds as many bytes of requests as it may; try again"};
  }
  held_ += num_bytes;
}

void ByteBudget::Share::shrink(std::uint64_t num_bytes) noexcept {
  budget_.used_ -= num_bytes;
  held_ -= num_bytes;
}

ClientLimit::Share::Share(ClientLimit& limit, const std::string& client) : limit_(limit) {
  const std::lock_guard lock(limit_.mutex_);
  place_ = limit_.requests_.try_emplace(client, 0).first;
  if (place_->second == limit_.limit_)
    throw Refusal{503, "this client has as many requests at once as it may; try again"};
  ++place_->second;
}

ClientLimit::Share::~Share() {
  const std::lock_guard lock(limit_.mutex_);
  if (--place_->second == 0) limit_.requests_.erase(place_);
}

Queue::Queue(std::size_t max_waiting, std::size_t max_batch, std::size_t num_workers, Run run,
             const std::vector<int>& processors)
    : max_waiting_(max_waiting), max_batch_(max_batch), num_workers_(num_workers), run_(std::move(run)) {
  BF_CHECK(num_workers > 0);
  const bool has_one_each = processors.size() == num_workers;
  try {
    while (workers_.size() < num_workers)
      workers_.emplace_back([this, processor = has_one_each ? processors[workers_.size()] : -1] {
        if (processor >= 0) base::stay_on(processor);
        work();
      });
  } catch (...) {
    stop();
    throw;
  }
}

Queue::~Queue() { stop(); }

void Queue::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Queue::submit(Jobs jobs) {
  if (jobs.size() > max_waiting_)
    throw Refusal{413, base::joined("the request has ", jobs.size(), " files, of which at most ", max_waiting_,
                                    " can wait; send fewer at once")};
  {
    const std::lock_guard lock(mutex_);
    if (num_waiting_ > max_waiting_ - jobs.size())
      throw Refusal{503, "too many files wait already; try again"};
    const Clock::time_point now = Clock::now();
    if (std::ranges::any_of(jobs, [&](const auto& job) { return now >= job->deadline; })) throw Refusal{503, kTooLate};
    for (const std::shared_ptr<Job>& job : jobs) {
      std::deque<std::shared_ptr<Job>>& of_client = waiting_[job->client];
      if (of_client.empty()) turns_.push_back(job->client);
      of_client.push_back(job);
      job->state_ = Job::State::kWaiting;
      job->since_ = now;
    }
    num_waiting_ += jobs.size();
  }
  if (jobs.size() == 1)
    wake_.notify_one();
  else
    wake_.notify_all();
}

void Queue::wait(Jobs jobs, const std::function<bool()>& is_client_gone) {
  std::unique_lock lock(mutex_);
  for (const std::shared_ptr<Job>& job : jobs) {
    while (job->state_ != Job::State::kDone) {
      if (job->state_ == Job::State::kRunning) {  // its end is near, and its bytes are in use until then
        job->changed_.wait(lock);
        continue;
      }
      const Clock::time_point now = Clock::now();
      if (now >= job->deadline) {
        drop(jobs);
        throw Refusal{503, kTooLate};
      }
      job->changed_.wait_until(lock, std::min(job->deadline, now + kLookAfterClient));
      if (job->state_ != Job::State::kWaiting) continue;
      lock.unlock();
      const bool is_gone = is_client_gone();
      lock.lock();
      if (!is_gone) continue;
      drop(jobs);
      throw ClientGone{};
    }
  }
}

std::size_t Queue::num_waiting() const {
  const std::lock_guard lock(mutex_);
  return num_waiting_;
}

/// Takes those of `jobs` that wait out of the queue.
void Queue::drop(Jobs jobs) {
  for (const std::shared_ptr<Job>& job : jobs) {
    if (job->state_ != Job::State::kWaiting) continue;
    job->state_ = Job::State::kDropped;
    --num_waiting_;
    const auto of_client = waiting_.find(job->client);
    std::erase(of_client->second, job);
    if (!of_client->second.empty()) continue;
    waiting_.erase(of_client);
    std::erase(turns_, job->client);
  }
}

/// The next job where few wait, else a worker's share: jobs of one model, one of each client in turn.
std::vector<std::shared_ptr<Job>> Queue::take_batch() {
  const bool few_wait = num_waiting_ <= kFewPerWorker * num_workers_;
  const std::size_t share = few_wait ? 1 : std::min(max_batch_, (num_waiting_ + num_workers_ - 1) / num_workers_);
  std::vector<std::shared_ptr<Job>> batch;
  std::size_t num_passed_over = 0;  // clients in a row whose next job is for another model
  while (batch.size() < share && num_passed_over < turns_.size()) {
    const std::string client = turns_.front();
    turns_.pop_front();
    std::deque<std::shared_ptr<Job>>& of_client = waiting_.find(client)->second;
    if (!batch.empty() && batch.front()->model != of_client.front()->model) {
      turns_.push_back(client);
      ++num_passed_over;
      continue;
    }
    num_passed_over = 0;
    batch.push_back(std::move(of_client.front()));
    of_client.pop_front();
    if (of_client.empty())
      waiting_.erase(client);
    else
      turns_.push_back(client);
  }
  num_waiting_ -= batch.size();
  return batch;
}

void Queue::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return is_stopping_ || num_waiting_ > 0; });
    if (num_waiting_ == 0) return;
    const std::vector<std::shared_ptr<Job>> batch = take_batch();
    const Clock::time_point start = Clock::now();
    for (const std::shared_ptr<Job>& job : batch) job->state_ = Job::State::kRunning;
    lock.unlock();
    try {
      run_(batch);
    } catch (const std::exception& error) {  // no memory; nothing else comes out of there
      for (const std::shared_ptr<Job>& job : batch)
        if (!job->result) job->result = Error(ErrorCode::kInternal, error.what());
    }
    const Clock::time_point end = Clock::now();
    lock.lock();
    for (const std::shared_ptr<Job>& job : batch) {
      BF_CHECK(job->result.has_value());
      job->times.queue_s = in_seconds(start - job->since_);
      job->times.compute_s = in_seconds(end - start);
      job->state_ = Job::State::kDone;
    }
    lock.unlock();  // or those who wake would wait at once for the lock
    for (const std::shared_ptr<Job>& job : batch) job->changed_.notify_all();
    lock.lock();
  }
}

}  // namespace byteformer::serve
