// Ranks as threads of one process: they compute what one computes, they repeat and resume, and they notice who is gone.
#include "train/ranks.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <functional>
#include <thread>

#include "support/errors.hpp"
#include "training_fixture.hpp"

namespace byteformer::train {
namespace {

World world_of(const RankStore& store, int rank, int size) {
  World world;
  world.rank = world.local_rank = rank;
  world.size = world.local_size = size;
  world.host = "127.0.0.1";
  world.port = store.port();
  world.store_is_launchers = true;
  world.launcher = "the test";
  return world;
}

/// Runs `run` in a thread per rank. \returns what each threw, if anything
std::vector<std::optional<Error>> together(int num_ranks, const std::function<void(Ranks&)>& run,
                                           double timeout_s = 60) {
  const RankStore store;
  std::vector<std::optional<Error>> errors(static_cast<std::size_t>(num_ranks));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < num_ranks; ++rank)
    threads.emplace_back([&, rank] {
      Ranks ranks(world_of(store, rank, num_ranks));
      try {
        ranks.join(timeout_s);
        run(ranks);
      } catch (const Error& error) {
        errors[static_cast<std::size_t>(rank)] = error;
      }
    });
  for (std::thread& thread : threads) thread.join();
  return errors;
}

TEST(RanksTest, TextAndNumbersReachThoseWhoAskForThem) {
  const auto errors = together(3, [](Ranks& ranks) {
    EXPECT_EQ(ranks.from_first(ranks.is_first() ? "a" : "b"), "a");
    const std::vector<std::string> texts = ranks.to_first(std::string(static_cast<std::size_t>(ranks.rank()), 'x'));
    EXPECT_EQ(texts, ranks.is_first() ? (std::vector<std::string>{"", "x", "xx"}) : std::vector<std::string>());
    std::vector<double> numbers{1.0 + ranks.rank(), 0.5};
    ranks.sum(numbers);
    EXPECT_EQ(numbers, (std::vector<double>{6, 1.5}));
    const auto rows = ranks.to_first(std::vector<float>(static_cast<std::size_t>(ranks.rank()), 7.F));
    EXPECT_EQ(rows.size(), ranks.is_first() ? 3U : 0U);
    for (std::size_t rank = 0; rank < rows.size(); ++rank) EXPECT_EQ(rows[rank], std::vector<float>(rank, 7.F));
    for (const SumType type : {SumType::kFloat32, SumType::kBfloat16}) {
      std::vector<torch::Tensor> tensors;
      for (int i = 0; i < 5; ++i) {
        tensors.push_back(torch::full({7 + i}, i + ranks.rank(), torch::kFloat32));
        ranks.start_sum(tensors.back(), type);
      }
      ranks.finish();
      for (int i = 0; i < 5; ++i) EXPECT_TRUE(tensors[static_cast<std::size_t>(i)].eq(3 * i + 3).all().item<bool>());
    }
    std::vector<torch::Tensor> of_each;
    for (int rank = 0; rank < 3; ++rank) {
      of_each.push_back(torch::full({1 + rank}, ranks.rank(), torch::kFloat32));
      ranks.start_copy(of_each.back(), rank);
    }
    ranks.finish();
    for (std::size_t i = 0; i < of_each.size(); ++i) EXPECT_TRUE(of_each[i].eq(static_cast<int>(i)).all().item<bool>());
    ranks.leave();
  });
  for (const auto& error : errors) EXPECT_FALSE(error) << error->what();
}

TEST(RanksTest, OneAloneNeedsNobody) {
  Ranks ranks;
  ranks.join(1);
  EXPECT_EQ(ranks.from_first("a"), "a");
  EXPECT_EQ(ranks.to_first("a"), std::vector<std::string>{"a"});
  ranks.leave();
}

TEST(RanksTest, WhoDoesNotComeIsNamed) {
  const RankStore store;
  Ranks ranks(world_of(store, 0, 3));
  test::expect_error(ErrorCode::kIo, {"rank 1 and 2 of 3"}, [&] { ranks.join(1); });
}

TEST(RanksTest, APortInUseIsNoStore) {
  const RankStore store;
  World world = world_of(store, 0, 2);
  world.store_is_launchers = false;
  Ranks ranks(world);
  test::expect_error(ErrorCode::kIo, {std::to_string(store.port())}, [&] { ranks.join(5); });
}

TEST(RanksTest, WhoDoesNotAnswerIsNamedByTheOthers) {
  const auto errors = together(
      3,
      [](Ranks& ranks) {
        if (ranks.rank() == 1) throw Error(ErrorCode::kIo, "this one has enough");
        std::vector<double> numbers{1};
        ranks.sum(numbers);
      },
      2);
  for (const int rank : {0, 2}) {
    ASSERT_TRUE(errors[static_cast<std::size_t>(rank)]);
    const std::string message = errors[static_cast<std::size_t>(rank)]->what();
    EXPECT_NE(message.find("rank 1 ("), std::string::npos) << message;
    EXPECT_EQ(message.find("rank 0 ("), std::string::npos) << message;
  }
}

TEST(RanksTest, OneFailureIsSaidOnceAndHasOneStatus) {
  std::atomic<int> num_said = 0, sum_of_statuses = 0;
  together(3, [&](Ranks& ranks) {
    int status = ranks.is_first() ? 2 : 3;  // the first one knows why; the others only that they are left alone
    num_said += ranks.claim_failure(status) ? 1 : 0;
    sum_of_statuses += status;
  });
  EXPECT_EQ(num_said, 1);
  EXPECT_EQ(sum_of_statuses, 3 * 2);
}

/// Trainings by several ranks.
class RanksTrainingTest : public TrainerTest {
 protected:
  struct Run {
    std::vector<double> losses;  ///< of each step, from the first of this session
    Outcome outcome;
  };

  /// Trains in `name`, which may hold a run, until `stop_at` or to the end.
  Run train_by(int num_ranks, const std::string& name, std::int64_t stop_at = 0) {
    RunFolder folder(folder_ / name);
    if (!folder.holds_run()) folder.create(plan());
    const plan::TrainingPlan p = folder.read_plan();
    Run run;
    const auto errors = together(num_ranks, [&](Ranks& ranks) {
      TrainingEvents events;
      std::int64_t step = 0;
      events.on_start = [&](std::int64_t first) { step = first; };
      if (ranks.is_first()) events.on_step = [&](const StepReport& report) { run.losses.push_back(report.loss); };
      events.should_stop = [&] { return ++step == stop_at; };
      Outcome outcome = train::train(p, data_, folder, {1, 1, &ranks}, events);
      if (ranks.is_first()) run.outcome = std::move(outcome);
      ranks.leave();
    });
    for (const auto& error : errors) EXPECT_FALSE(error) << error->what();
    return run;
  }

  static void expect_near(const std::vector<double>& some, const std::vector<double>& others) {
    ASSERT_EQ(some.size(), others.size());
    for (std::size_t i = 0; i < some.size(); ++i) EXPECT_NEAR(some[i], others[i], 1e-5) << "step " << i + 1;
  }
};

TEST_F(RanksTrainingTest, AnyNumberOfRanksComputesTheSame) {
  request_.epochs.reset();
  request_.steps = 50;
  const Run one = train_by(1, "one");
  EXPECT_EQ(one.losses.size(), 50U);
  for (const int num_ranks : {2, 4}) {
    const Run many = train_by(num_ranks, std::to_string(num_ranks));
    expect_near(many.losses, one.losses);
    EXPECT_EQ(many.outcome.progress.history.size(), one.outcome.progress.history.size());
    EXPECT_EQ(many.outcome.validation_samples, one.outcome.validation_samples);
    EXPECT_EQ(many.outcome.validation.labels, one.outcome.validation.labels);
    for (std::size_t i = 0; i < one.outcome.validation.logits.size(); ++i)
      EXPECT_NEAR(many.outcome.validation.logits[i], one.outcome.validation.logits[i], 1e-3);
  }
}

TEST_F(RanksTrainingTest, TwoRanksRepeatAndResumeToTheSameBits) {
  const Run whole = train_by(2, "whole");
  EXPECT_EQ(train_by(2, "again").losses, whole.losses);
  EXPECT_EQ(tensor("again/model.safetensors", "classifier.weight"),
            tensor("whole/model.safetensors", "classifier.weight"));
  std::vector<double> losses = train_by(2, "parts", 5).losses;
  EXPECT_EQ(losses.size(), 5U);
  const Run rest = train_by(2, "parts");
  losses.insert(losses.end(), rest.losses.begin(), rest.losses.end());
  EXPECT_EQ(losses, whole.losses);
  EXPECT_EQ(tensor("parts/model.safetensors", "classifier.weight"),
            tensor("whole/model.safetensors", "classifier.weight"));
}

TEST_F(RanksTrainingTest, ARunGoesOnWithAnotherNumberOfRanks) {
  const std::vector<double> whole = train_by(1, "whole").losses;
  std::vector<double> losses;
  for (const auto& [num_ranks, stop_at] : {std::pair(2, 5), std::pair(1, 9), std::pair(4, 0)}) {
    const std::vector<double> part = train_by(num_ranks, "parts", stop_at).losses;
    losses.insert(losses.end(), part.begin(), part.end());
  }
  expect_near(losses, whole);
}

TEST_F(RanksTrainingTest, MoreRanksThanFilesOfABatchHaveNothingToDo) {
  request_.batch_size = 2;
  request_.epochs = 1;
  expect_near(train_by(3, "three").losses, train_by(1, "one").losses);
}

TEST_F(RanksTrainingTest, PassesOfOneFileAreAddedUpFirst) {
  request_.token_budget = 1;
  expect_near(train_by(2, "two").losses, train_by(1, "one").losses);
}

TEST_F(RanksTrainingTest, NoiseOnAFileIsTheSameOnAnyRank) {
  request_.dropout = 0.2;
  request_.stochastic_depth = 0.4;
  const Run one = train_by(1, "one");
  expect_near(train_by(2, "two").losses, one.losses);
  request_.dropout = request_.stochastic_depth = 0;
  EXPECT_NE(train_by(1, "without").losses, one.losses);
}

TEST_F(RanksTrainingTest, GradientsInBfloat16AreNearlyTheSameAndRepeat) {
  const Run exact = train_by(3, "exact");
  request_.all_reduce = "bfloat16";
  const Run rounded = train_by(3, "rounded");
  EXPECT_EQ(train_by(3, "again").losses, rounded.losses);
  EXPECT_NE(rounded.losses, exact.losses);
  for (std::size_t i = 0; i < exact.losses.size(); ++i) EXPECT_NEAR(rounded.losses[i], exact.losses[i], 0.02);
}

TEST_F(RanksTrainingTest, FilesThatCannotBeUsedAreNotedAsByOneProcess) {
  for (const char* name : {"letters/f3", "digits/f7", "digits/f8"}) test::write_file(folder_ / "data" / name, "");
  const Run one = train_by(1, "one"), two = train_by(2, "two");
  EXPECT_FALSE(one.outcome.progress.failures.empty());
  EXPECT_EQ(two.outcome.progress.failures, one.outcome.progress.failures);
  expect_near(two.losses, one.losses);
}

TEST_F(RanksTrainingTest, OneThatIsAskedToStopStopsAll) {
  RunFolder folder(folder_ / "stopped");
  folder.create(plan());
  std::vector<std::int64_t> steps(3);
  together(3, [&](Ranks& ranks) {
    TrainingEvents events;
    int asked = 0;
    events.should_stop = [&] { return ranks.rank() == 1 && ++asked == 3; };
    steps[static_cast<std::size_t>(ranks.rank())] =
        train::train(plan(), data_, folder, {1, 1, &ranks}, events).progress.step;
    ranks.leave();
  });
  EXPECT_EQ(steps, (std::vector<std::int64_t>{3, 3, 3}));
}

}  // namespace
}  // namespace byteformer::train
