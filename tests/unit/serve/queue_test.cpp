// The queue: who runs with whom, in which turn, and what is dropped.
#include "serve/queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/processors.hpp"
#include "serve/exchange.hpp"

namespace byteformer::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr auto kLong = std::chrono::hours(1);

std::shared_ptr<Job> job(const std::string& client, const std::string& name, Clock::duration time = kLong) {
  auto job = std::make_shared<Job>();
  job->client = client;
  job->source = name;
  job->deadline = Clock::now() + time;
  return job;
}

const auto kStays = [] { return false; };

/// Runs `jobs` behind one that holds the queue up until all wait; the batches after it.
std::vector<std::vector<std::string>> batches_of(const std::vector<std::shared_ptr<Job>>& jobs, std::size_t max_batch) {
  std::promise<void> started, gate;
  std::vector<std::vector<std::string>> batches;
  Queue queue(100, max_batch, 1, [&](Queue::Jobs batch) {
    if (batch.front()->source == "holds up") {
      started.set_value();
      gate.get_future().wait();
    } else {
      batches.emplace_back();
      for (const auto& one : batch) batches.back().push_back(one->source);
    }
    for (const auto& one : batch) one->result = Output{};
  });
  const auto first = job("z", "holds up");
  queue.submit(std::vector{first});
  started.get_future().wait();
  for (const auto& one : jobs) queue.submit(std::vector{one});
  gate.set_value();
  queue.wait(std::vector{first}, kStays);
  queue.wait(jobs, kStays);
  return batches;
}

TEST(Queue, ClientsTakeTurns) {
  const std::vector jobs = {job("a", "a1"), job("a", "a2"), job("a", "a3"),
                            job("b", "b1"), job("c", "c1"), job("b", "b2"), job("d", "d1")};
  EXPECT_THAT(batches_of(jobs, 2), ElementsAre(ElementsAre("a1", "b1"), ElementsAre("c1", "d1"), ElementsAre("a2"),
                                               ElementsAre("b2"), ElementsAre("a3")));
}

TEST(Queue, ManyRunTogetherAndFewAlone) {
  std::vector jobs = {job("a", "a1"), job("a", "a2"), job("a", "a3"), job("a", "a4")};
  EXPECT_THAT(batches_of(jobs, 64), SizeIs(4));
  jobs = {job("a", "a1"), job("a", "a2"), job("a", "a3"), job("a", "a4"), job("b", "b1")};
  EXPECT_THAT(batches_of(jobs, 64), ElementsAre(ElementsAre("a1", "b1", "a2", "a3", "a4")));
}

template <typename Action>
int refused_with(const Action& action) {
  try {
    action();
  } catch (const Refusal& refusal) {
    return refusal.status;
  }
  return 0;
}

TEST(Queue, RefusesWhatIsTooMuch) {
  std::promise<void> started, gate;
  Queue queue(2, 1, 1, [&](Queue::Jobs batch) {
    if (batch.front()->source == "first") {
      started.set_value();
      gate.get_future().wait();
    }
    batch.front()->result = Output{};
  });
  const auto first = job("a", "first");
  queue.submit(std::vector{first});
  started.get_future().wait();
  const std::vector two = {job("a", "2"), job("b", "3")};
  queue.submit(two);
  EXPECT_EQ(refused_with([&] { queue.submit(std::vector{job("a", "4")}); }), 503);
  EXPECT_EQ(refused_with([&] { queue.submit(std::vector{job("a", "4"), job("a", "5"), job("a", "6")}); }), 413);
  EXPECT_EQ(queue.num_waiting(), 2U);
  gate.set_value();
  queue.wait(std::vector{first}, kStays);
  queue.wait(two, kStays);
  EXPECT_EQ(queue.num_waiting(), 0U);
}

TEST(Queue, DropsWhatIsLateAndWhoIsGone) {
  std::promise<void> started, gate;
  std::vector<std::string> run;
  {
    Queue queue(10, 1, 1, [&](Queue::Jobs batch) {
      if (batch.front()->source == "first") {
        started.set_value();
        gate.get_future().wait();
      }
      run.push_back(batch.front()->source);
      batch.front()->result = Output{};
    });
    const auto first = job("a", "first");
    queue.submit(std::vector{first});
    started.get_future().wait();
    const std::vector late = {job("b", "late", std::chrono::milliseconds(300)), job("b", "with it")};
    queue.submit(late);
    EXPECT_THROW(queue.wait(late, kStays), Refusal);
    const auto too_late = job("b", "too late", -std::chrono::milliseconds(1));
    EXPECT_EQ(refused_with([&] { queue.submit(std::vector{too_late}); }), 503);
    const std::vector gone = {job("c", "gone")};
    queue.submit(gone);
    EXPECT_THROW(queue.wait(gone, [] { return true; }), ClientGone);
    EXPECT_EQ(queue.num_waiting(), 0U);
    const auto last = job("b", "last");
    queue.submit(std::vector{last});
    gate.set_value();
    queue.wait(std::vector{first, last}, kStays);
  }
  EXPECT_THAT(run, ElementsAre("first", "last"));
}

TEST(Queue, WorkersShareWhatWaits) {
  // Two workers that run at the same time: each waits inside for the other.
  std::promise<void> first_is_in, second_is_in;
  std::mutex mutex;
  std::vector<std::size_t> sizes;
  Queue queue(20, 20, 2, [&](Queue::Jobs batch) {
    std::unique_lock lock(mutex);
    sizes.push_back(batch.size());
    const std::size_t number = sizes.size();
    lock.unlock();
    if (number <= 2) {
      (number == 1 ? first_is_in : second_is_in).set_value();
      (number == 1 ? second_is_in : first_is_in).get_future().wait();
    }
    for (const auto& one : batch) one->result = Output{};
  });
  std::vector<std::shared_ptr<Job>> jobs;
  for (int i = 0; i < 20; ++i) jobs.push_back(job("a", std::to_string(i)));
  queue.submit(jobs);
  queue.wait(jobs, kStays);
  EXPECT_EQ(sizes[0], 10U);  // half of them
  EXPECT_EQ(sizes[1], 5U);   // half of what is left
  EXPECT_EQ(sizes[2], 1U);   // of few
}

/// The processors that the one worker of a queue may use which was given `processors`.
std::vector<int> processors_of_worker(const std::vector<int>& processors) {
  std::vector<int> seen;
  Queue queue(1, 1, 1, [&](Queue::Jobs batch) {
    seen = base::allowed_processors();
    batch.front()->result = Output{};
  }, processors);
  const std::vector jobs = {job("a", "1")};
  queue.submit(jobs);
  queue.wait(jobs, kStays);
  return seen;
}

TEST(Queue, WorkersStayWhereEachHasAProcessor) {
  const std::vector<int> all = base::allowed_processors();
  EXPECT_THAT(processors_of_worker({all.back()}), ElementsAre(all.back()));
  EXPECT_EQ(processors_of_worker({}), all);
  EXPECT_EQ(processors_of_worker({all.front(), all.front()}), all);  // two for one worker
  EXPECT_EQ(base::allowed_processors(), all);                        // of this thread
}

TEST(Queue, ARunThatFailsAnswersAll) {
  Queue queue(10, 10, 1, [](Queue::Jobs) { throw std::runtime_error("broken"); });
  const std::vector jobs = {job("a", "1")};
  queue.submit(jobs);
  queue.wait(jobs, kStays);
  EXPECT_EQ(std::get<Error>(*jobs[0]->result).code(), ErrorCode::kInternal);
}

TEST(ByteBudget, IsSharedAndGivenBack) {
  ByteBudget budget(100);
  ByteBudget::Share a(budget);
  a.grow(60);
  {
    ByteBudget::Share b(budget);
    b.grow(40);
    EXPECT_EQ(refused_with([&] { b.grow(1); }), 503);
    EXPECT_EQ(budget.used(), 100U);
    b.shrink(10);
    b.grow(10);
  }
  EXPECT_EQ(budget.used(), 60U);
  EXPECT_EQ(refused_with([&] { a.grow(41); }), 413);  // which nobody else could make room for
  EXPECT_EQ(refused_with([&] { a.grow(UINT64_MAX); }), 413);
  EXPECT_EQ(budget.used(), 60U);
}

}  // namespace
}  // namespace byteformer::serve
