// Training runs in small: they learn, they resume to the same bits, and bad files cost themselves.
#include "train/trainer.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <map>
#include <optional>

#include "data/survey.hpp"
#include "format/model_folder.hpp"
#include "format/safetensors.hpp"
#include "plan/planner.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"
#include "train/module.hpp"
#include "train/optimizer.hpp"
#include "train/parameters.hpp"
#include "train/validation_set.hpp"
#include "training_fixture.hpp"

namespace byteformer::train {
namespace {

TEST_F(TrainerTest, LearnsWhatIsEasyAndLeavesAModelFolder) {
  request_.epochs = 20;
  const Outcome outcome = train("run");
  EXPECT_GE(outcome.progress.best_top1, 0.99);
  EXPECT_LT(outcome.progress.history.back().train_loss, outcome.progress.history.front().train_loss);
  const format::ModelFolder model = format::read_model_folder(folder_ / "run");
  EXPECT_EQ(model.config.labels, (std::vector<std::string>{"digits", "letters"}));
  EXPECT_EQ(outcome.validation.size(), data_.validation.size());
  EXPECT_EQ(outcome.temperature, model.config.temperature);
}

TEST_F(TrainerTest, StoppedAndResumedItEndsWithTheSameBits) {
  ASSERT_EQ(plan().optimizer, "muon");
  train("whole");
  train("pieces", 3);
  train("threads", 2, {}, 3);  // their number changes nothing either
  EXPECT_EQ(test::read_file(folder_ / "whole/model.safetensors"),
            test::read_file(folder_ / "threads/model.safetensors"));
  for (const char* name : {"values", "first_moment", "second_moment", "average"})
    EXPECT_EQ(tensor("whole/training/checkpoint.safetensors", name),
              tensor("pieces/training/checkpoint.safetensors", name));
  EXPECT_EQ(test::read_file(folder_ / "whole/model.safetensors"),
            test::read_file(folder_ / "pieces/model.safetensors"));
}

TEST_F(TrainerTest, AdamWAlsoResumesToTheSameBits) {
  request_.optimizer = "adamw";
  train("whole");
  train("pieces", 3, {}, 3);
  for (const char* name : {"values", "first_moment", "second_moment", "average"})
    EXPECT_EQ(tensor("whole/training/checkpoint.safetensors", name),
              tensor("pieces/training/checkpoint.safetensors", name));
}

TEST_F(TrainerTest, LibTorchStepsAsOurKernelsDo) {
  for (const StepRule rule : {StepRule::kAdamW, StepRule::kMuon}) {
    torch::manual_seed(1);
    Parameters own(plan().config, torch::kCPU), other(plan().config, torch::kCPU);
    initialise(own, plan().config, Initialisation::kReleased, 1);
    torch::NoGradGuard no_grad;
    other.values().copy_(own.values());
    const torch::Tensor start = own.values().clone();
    Optimizer by_kernels(own, {.rule = rule, .ema_momentum = 0.1});
    Optimizer by_torch(other, {.rule = rule, .use_own_kernels = false, .ema_momentum = 0.1});
    for (int step = 0; step < 5; ++step) {
      own.gradients().copy_(torch::randn({own.size()}));
      other.gradients().copy_(own.gradients());
      by_kernels.step(0.01, 0.5), by_torch.step(0.01, 0.5);
      EXPECT_EQ(own.gradients().abs().max().item<float>(), 0);
    }
    const auto difference = [](const torch::Tensor& a, const torch::Tensor& b) {
      return (a - b).abs().max().item<float>();
    };
    EXPECT_GT(difference(own.values(), start), 0.02);
    EXPECT_LT(difference(own.values(), other.values()), 1e-4);
    EXPECT_LT(difference(by_kernels.state().average, by_torch.state().average), 1e-4);
    EXPECT_LT(difference(by_kernels.state().first_moment, by_torch.state().first_moment), 1e-5);
    EXPECT_LT(difference(by_kernels.state().second_moment, by_torch.state().second_moment), 1e-5);
  }
}

TEST_F(TrainerTest, NoiseAlsoResumesToTheSameBits) {
  request_.dropout = 0.1;
  request_.stochastic_depth = 0.2;
  train("whole");
  train("pieces", 3);
  EXPECT_EQ(tensor("whole/training/checkpoint.safetensors", "values"),
            tensor("pieces/training/checkpoint.safetensors", "values"));
}

TEST_F(TrainerTest, ProductsInBf16AreOthers) {
  request_.epochs.reset();
  request_.steps = 2;
  std::map<std::string, std::vector<double>> losses;
  for (const std::string precision : {"float32", "bf16"}) {
    request_.precision = precision;
    TrainingEvents events;
    events.on_step = [&](const StepReport& report) { losses[precision].push_back(report.loss); };
    train(precision, 0, events);
  }
  EXPECT_NE(losses["bf16"], losses["float32"]);
  EXPECT_NEAR(losses["bf16"].front(), losses["float32"].front(), 0.05);
}

TEST_F(TrainerTest, PassesOfAnySizeGiveTheSameLoss) {
  std::vector<double> losses[2];
  for (const int budget : {1, 100'000}) {
    request_.token_budget = budget;
    TrainingEvents events;
    events.on_step = [&](const StepReport& report) { losses[budget == 1 ? 0 : 1].push_back(report.loss); };
    train("run" + std::to_string(budget), 0, events);
  }
  ASSERT_EQ(losses[0].size(), losses[1].size());
  for (std::size_t i = 0; i < losses[0].size(); ++i) EXPECT_NEAR(losses[0][i], losses[1][i], 1e-3) << i;
}

TEST_F(TrainerTest, FilesThatCannotBeReadAreNamedAndSkipped) {
  std::filesystem::remove(data_.train[3].path);
  std::vector<std::string> messages;
  TrainingEvents events;
  events.on_message = [&](const std::string& message) { messages.push_back(message); };
  const Outcome outcome = train("run", 0, events);
  ASSERT_EQ(outcome.progress.failures.size(), 1U);
  EXPECT_NE(outcome.progress.failures[0].find(data_.train[3].path.filename().string()), std::string::npos);
  EXPECT_EQ(messages.size(), 1U);
}

TEST_F(TrainerTest, TooManyBadFilesEndTheRunAndAreNotAllNamed) {
  RunFolder(folder_ / "run").create(plan());
  for (const data::Sample& sample : data_.train) std::filesystem::remove(sample.path);
  std::vector<std::string> messages;
  TrainingEvents events;
  events.on_message = [&](const std::string& message) { messages.push_back(message); };
  test::expect_error(ErrorCode::kInvalidFormat, {"too many"}, [&] { train("run", 0, events); });
  EXPECT_EQ(messages.size(), kMostSkippedNamed + 1);
}

TEST_F(TrainerTest, ARunWithoutASingleGoodFileEnds) {
  data_.train.resize(3);
  RunFolder(folder_ / "run").create(plan());
  for (const data::Sample& sample : data_.train) std::filesystem::remove(sample.path);
  test::expect_error(ErrorCode::kInvalidFormat, {"3 of 3 training files cannot be used"}, [&] { train("run"); });
}

TEST_F(TrainerTest, ValidationFilesOfWhichNoneCanBeUsedEndTheRun) {
  ASSERT_FALSE(data_.validation.empty());
  for (const data::Sample& sample : data_.validation) std::filesystem::remove(sample.path);
  test::expect_error(ErrorCode::kInvalidFormat, {"none of the", "validation files can be used"}, [&] { train("run"); });
}

TEST_F(TrainerTest, ALossThatIsNotFiniteStopsWithAdvice) {
  request_.learning_rate = 10;
  request_.epochs = 200;
  request_.clip_norm = 0;
  request_.warmup_steps = 0;
  plan::TrainingPlan p = plan();
  p.schedule.max_lr = 1e30;
  RunFolder run(folder_ / "run");
  run.create(p);
  test::expect_error(ErrorCode::kInternal, {"no longer finite", "--learning-rate"}, [&] {
    train::train(p, data_, run, {2, 1}, {});
  });
}

TEST_F(TrainerTest, ARunFolderIsNeverOverwritten) {
  RunFolder(folder_ / "run").create(plan());
  test::expect_error(ErrorCode::kAlreadyExists, {"--resume"}, [&] { RunFolder(folder_ / "run").create(plan()); });
}

TEST_F(TrainerTest, OneProcessTrainsARun) {
  RunFolder run(folder_ / "run");
  run.create(plan());
  {
    const base::Descriptor held = run.lock();
    test::expect_error(ErrorCode::kAlreadyExists, {"another process trains"},
                       [&] { (void)run.lock(std::chrono::milliseconds(10)); });
  }
  EXPECT_GE(run.lock(std::chrono::milliseconds(0)).get(), 0);
}

TEST(InitialisationTest, TheReleasedOneIsTodays) {
  const format::ModelConfig config = format::parse_config(R"({"model_type": "byteformer", "hidden_size": 32,
    "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64, "conv_kernel_size": 8,
    "max_position_embeddings": 64, "num_labels": 3, "preprocess": {"version": 1, "kind": "audio",
    "audio": {"sample_rate": 8000}, "encoding": {"format": "wav", "sample_format": "uint8"}}})",
                                                          "the test");
  Parameters released(config, torch::kCPU), bank(config, torch::kCPU);
  initialise(released, config, Initialisation::kReleased, 3);
  initialise(bank, config, Initialisation::kFilterBank, 3);
  const auto first = [&](const std::string& name) { return released[name].flatten()[0].item<float>(); };
  EXPECT_NEAR(first("embeddings.weight"), -0.540883124, 1e-6);
  EXPECT_NEAR(first("token_reduction_net.weight"), -0.0453467593, 1e-6);
  EXPECT_NEAR(first("classifier.weight"), -0.410508811, 1e-6);
  for (const auto& [name, values] : released.all()) {
    const bool is_stem = name == "embeddings.weight" || name == "token_reduction_net.weight";
    EXPECT_NE(torch::equal(values, bank[name]), is_stem) << name;
  }
}

TEST_F(TrainerTest, FineTuningKeepsTheRowsOfClassesItKnows) {
  train("first");
  plan::TrainingPlan p = plan();
  p.config.labels = {"letters", "others", "digits"};
  p.config.num_labels = 3;
  Parameters parameters(p.config, torch::kCPU);
  initialise(parameters, p.config, Initialisation::kReleased, 3);
  const torch::Tensor other = parameters["classifier.weight"][1].clone();
  adapt(parameters, p.config, (folder_ / "first").string());
  const std::vector<float> old = tensor("first/model.safetensors", "classifier.weight");
  EXPECT_EQ(parameters["classifier.weight"][0][0].item<float>(), old[32]);
  EXPECT_EQ(parameters["classifier.weight"][2][0].item<float>(), old[0]);
  EXPECT_TRUE(torch::equal(parameters["classifier.weight"][1], other));
  EXPECT_EQ(parameters["embeddings.weight"].flatten()[5].item<float>(),
            tensor("first/model.safetensors", "embeddings.weight")[5]);
}

TEST_F(TrainerTest, PositionsOfAStartRepeatWithItsWindows) {
  request_.positions = "learned";
  request_.window = 8;
  train("first");
  plan::TrainingPlan p = plan();
  const std::int64_t known = p.config.max_position_embeddings;
  p.config.max_position_embeddings = known + 9;
  Parameters parameters(p.config, torch::kCPU);
  initialise(parameters, p.config, Initialisation::kReleased, 3);
  adapt(parameters, p.config, (folder_ / "first").string());
  const torch::Tensor positions = parameters[kPositions];
  for (std::int64_t i = known; i < known + 9; ++i)
    EXPECT_TRUE(torch::equal(positions[0][0][i], positions[0][0][i % 8])) << i;
}

TEST_F(TrainerTest, AResumeDoesNotNeedWhatItStartedFrom) {
  train("first");
  request_.init_from = (folder_ / "first").string();
  RunFolder run(folder_ / "second");
  run.create(plan());
  int steps = 0;
  TrainingEvents events;
  events.should_stop = [&] { return ++steps == 3; };
  EXPECT_FALSE(train::train(run.read_plan(), data_, run, {2, 1}, events).is_finished);
  std::filesystem::remove_all(folder_ / "first");
  EXPECT_TRUE(train("second").is_finished);
}

TEST_F(TrainerTest, AModelThatOnlyGuessesIsSaidOnce) {
  std::vector<std::string> messages;
  TrainingEvents events;
  events.on_message = [&](const std::string& message) { messages.push_back(message); };
  train("good", 0, events);
  EXPECT_THAT(messages, testing::Not(testing::Contains(testing::HasSubstr("guessing"))));
  request_.learning_rate = 1e-6;
  request_.batch_size = 4;
  train("bad", 0, events);
  EXPECT_EQ(std::ranges::count_if(messages, [](const auto& m) { return m.find("no better than guessing") < m.size(); }),
            1);
}

TEST_F(TrainerTest, MeasuresStepsWithoutFilesThatTrainingSkips) {
  request_.positions = "learned";
  plan::TrainingPlan p = plan();
  Module module = make_module(p, {1, 1});
  p.config.max_position_embeddings = module.num_tokens(50);  // of files of 40 to 63 bytes
  EXPECT_GT(measure_step_seconds(p, data_, {1, 1}), 0);
}

/// Files of this process cannot grow beyond some bytes, as on a full disk.
class FullDisk {
 public:
  FullDisk() {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = 16;
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST_F(TrainerTest, ARunThatEndsByTimeOnAFullDiskIsNoSuccess) {
  plan::TrainingPlan p = plan();
  p.time_s = 1e-9;  // over after the first step
  const RunFolder run(folder_ / "full");
  RunFolder(run).create(p);
  std::optional<FullDisk> full;
  TrainingEvents events;
  events.on_evaluation = [&](const plan::ValidationResult&) {
    full.emplace();
  };  // the model is written, nothing after it
  test::expect_error(ErrorCode::kIo, {"full"}, [&] { train::train(p, data_, run, {1, 1}, events); });
}

}  // namespace
}  // namespace byteformer::train
