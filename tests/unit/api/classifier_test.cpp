// The public API: errors, streams, batches, threads, ranking and allocation.
#include "byteformer/classifier.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <numeric>
#include <thread>

#include "byteformer/explain.hpp"
#include "format/model_folder.hpp"
#include "model/byteformer.hpp"
#include "support/allocation_budget.hpp"
#include "support/effort.hpp"
#include "support/random_model.hpp"
#include "support/run_model.hpp"

namespace byteformer {
namespace {

using test::Random;

format::ModelConfig small_config() {
  format::ModelConfig config;
  config.hidden_size = 24;
  config.num_hidden_layers = 3;
  config.num_attention_heads = 3;
  config.intermediate_size = 40;
  config.conv_kernel_size = 8;
  config.max_position_embeddings = 100;
  config.window_sizes = {16, 16, 8};
  config.window_shifts = {0, 8, 3};
  config.downsample = {true, false, true};
  config.num_labels = 4;
  config.labels = {"a", "b", "c", "d"};
  config.temperature = 2.0;
  return config;
}

class ClassifierTest : public ::testing::Test {
 protected:
  ClassifierTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "classifier_XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
    Random random(1);
    const auto tensors = test::random_tensors(small_config(), random);
    format::write_model_folder(dir_ / "model", small_config(), tensors->by_name);
  }
  ~ClassifierTest() override { std::filesystem::remove_all(dir_); }

  Classifier load(LoadOptions options = {.num_threads = 2, .masking = {}}) const {
    return Classifier::load(dir_ / "model", options);
  }

  std::filesystem::path write(const std::string& name, const std::vector<std::uint8_t>& bytes) const {
    std::ofstream(dir_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return dir_ / name;
  }

  template <typename Action>
  static ErrorCode code_of(const Action& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  }

  std::filesystem::path dir_;
  Random random_{2};
};

TEST_F(ClassifierTest, OneBadFileCostsOneEntry) {
  const Classifier classifier = load();
  const auto good = test::random_file(random_, 200);
  ::mkfifo((dir_ / "fifo").c_str(), 0600);
  const std::vector<std::filesystem::path> paths = {
      write("good", good), dir_ / "missing",
      write("empty", {}),  dir_,
      dir_ / "fifo",       write("long", test::random_file(random_, 5000)),
      write("good2", good)};
  const auto results = classifier.classify_files(paths);
  ASSERT_EQ(results.size(), paths.size());
  const auto expected = classifier.classify(good);
  EXPECT_EQ(std::get<Output>(results.front()).logits, expected.logits);
  EXPECT_EQ(std::get<Output>(results.back()).logits, expected.logits);
  const ErrorCode codes[] = {ErrorCode::kNotFound, ErrorCode::kEmptyFile, ErrorCode::kNotARegularFile,
                             ErrorCode::kNotARegularFile, ErrorCode::kTooManyTokens};
  for (std::size_t i = 0; i < 5; ++i) {
    const Error& error = std::get<Error>(results[i + 1]);
    EXPECT_EQ(error.code(), codes[i]) << error.what();
    EXPECT_NE(std::string(error.what()).find(paths[i + 1].string()), std::string::npos) << error.what();
  }
}

TEST_F(ClassifierTest, ManyFilesOfOneCallKeepTheirOrder) {
  const Classifier classifier = load();
  std::vector<std::filesystem::path> paths;
  std::vector<std::vector<std::uint8_t>> files;
  for (int i = 0; i < 150; ++i) {
    files.push_back(test::random_file(random_, static_cast<std::size_t>(test::pick(random_, 1, 30))));
    paths.push_back(write("many" + std::to_string(i), files.back()));
  }
  const auto results = classifier.classify_files(paths);
  ASSERT_EQ(results.size(), files.size());
  for (std::size_t i = 0; i < files.size(); ++i)
    EXPECT_EQ(std::get<Output>(results[i]).logits, classifier.classify(files[i]).logits) << i;
}

TEST_F(ClassifierTest, FilesForOneThreadAndForAllGiveTheSameBits) {
  format::ModelConfig config = small_config();
  config.position_embedding = format::PositionEmbedding::kSinusoidal;
  Random random(5);
  format::write_model_folder(dir_ / "endless", config, test::random_tensors(config, random)->by_name);
  std::vector<std::vector<std::uint8_t>> files;
  std::vector<std::filesystem::path> paths;
  for (const std::size_t size : {9'000, 3, 40'000, 200, 6'000, 6'000, 50, 1'200, 30'000}) {
    files.push_back(test::random_file(random, size));
    paths.push_back(write("of" + std::to_string(files.size()), files.back()));
  }
  const std::vector<Bytes> batch(files.begin(), files.end());
  const Classifier alone = Classifier::load(dir_ / "endless", {.num_threads = 1, .masking = {}});
  std::vector<Output> expected;
  for (const Bytes file : batch) expected.push_back(alone.classify(file));
  for (const int num_threads : {1, 2, 3, 16}) {
    const Classifier classifier = Classifier::load(dir_ / "endless", {.num_threads = num_threads, .masking = {}});
    const auto of_bytes = classifier.classify_batch(batch);
    const auto of_paths = classifier.classify_files(paths);
    for (std::size_t i = 0; i < files.size(); ++i) {
      EXPECT_EQ(std::get<Output>(of_bytes[i]).logits, expected[i].logits) << i << " of " << num_threads;
      EXPECT_EQ(std::get<Output>(of_paths[i]).features, expected[i].features) << i << " of " << num_threads;
    }
  }
}

TEST_F(ClassifierTest, TooManyTokensNamesBothNumbers) {
  const Classifier classifier = load();
  try {
    classifier.classify(test::random_file(random_, 4 * 101));
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTooManyTokens);
    EXPECT_NE(std::string(error.what()).find("101"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("100"), std::string::npos) << error.what();
  }
  EXPECT_NO_THROW(classifier.classify(test::random_file(random_, 4 * 100)));
}

TEST_F(ClassifierTest, StreamGivesTheBitsOfTheWholeFile) {
  const Classifier classifier = load();
  Stream stream = classifier.stream();
  EXPECT_EQ(code_of([&] { stream.finish(); }), ErrorCode::kEmptyFile);
  for (int file = 0; file < 3; ++file) {
    const auto bytes = test::random_file(random_, 300);
    for (std::size_t i = 0; i < bytes.size(); i += 7)
      stream.feed(Bytes(bytes).subspan(i, std::min<std::size_t>(7, bytes.size() - i)));
    const Output output = stream.finish();
    const Output expected = classifier.classify(bytes);
    EXPECT_EQ(output.logits, expected.logits);
    EXPECT_EQ(output.features, expected.features);
    EXPECT_EQ(output.num_bytes, 300u);
    EXPECT_EQ(output.num_tokens, expected.num_tokens);
  }
}

TEST_F(ClassifierTest, AStreamThatGrewTooLongStaysFailed) {
  const Classifier classifier = load();
  Stream stream = classifier.stream();
  const auto bytes = test::random_file(random_, 100'000);
  EXPECT_EQ(code_of([&] { stream.feed(bytes); }), ErrorCode::kTooManyTokens);
  EXPECT_EQ(code_of([&] { stream.finish(); }), ErrorCode::kTooManyTokens);
}

/// A model of 8 x 8 pixels as they are: 192 bytes.
class PictureModelTest : public ClassifierTest {
 protected:
  PictureModelTest() {
    format::ModelConfig config = small_config();
    config.preprocess =
        R"({"version": 1, "kind": "image", "image": {"resize": 8, "crop": 8}, "encoding": {"format": "fhwc"}})";
    Random random(1);
    format::write_model_folder(dir_ / "picture", config, test::random_tensors(config, random)->by_name);
  }

  Classifier load_picture(bool as_is = false) const {
    return Classifier::load(dir_ / "picture", {.num_threads = 2, .masking = {}, .as_is = as_is});
  }

  /// Not in form; the last has more tokens than the model takes and more bytes than are read at once.
  std::vector<std::vector<std::uint8_t>> others() {
    return {test::random_file(random_, 191), test::random_file(random_, 193), test::random_file(random_, 100'000),
            test::random_file(random_, 2'000'000)};
  }

  const std::vector<std::uint8_t> picture_ = test::random_file(random_, 192);
};

TEST_F(PictureModelTest, FilesInFormAreClassifiedAsThoseOfAnyModel) {
  const Classifier classifier = load_picture();
  const Output expected = load().classify(picture_);
  EXPECT_EQ(classifier.classify(picture_).logits, expected.logits);
  EXPECT_EQ(classifier.classify_file(write("picture.bin", picture_)).logits, expected.logits);
  EXPECT_EQ(Occluder(classifier, picture_).output().logits, expected.logits);
  Stream stream = classifier.stream();
  for (int file = 0; file < 2; ++file) {
    stream.feed(Bytes(picture_).first(100));
    stream.feed(Bytes(picture_).subspan(100));
    EXPECT_EQ(stream.finish().logits, expected.logits);
  }
}

TEST_F(PictureModelTest, OtherFilesAreRefusedAtEveryDoor) {
  const Classifier classifier = load_picture();
  for (const auto& file : others()) {
    EXPECT_EQ(code_of([&] { classifier.classify(file); }), ErrorCode::kNotPrepared) << file.size();
    EXPECT_EQ(code_of([&] { classifier.classify_file(write("other.bin", file)); }), ErrorCode::kNotPrepared)
        << file.size();
    EXPECT_EQ(code_of([&] { Occluder(classifier, file); }), ErrorCode::kNotPrepared) << file.size();
    Stream stream = classifier.stream();
    EXPECT_EQ(code_of([&] {
                stream.feed(file);
                stream.finish();
              }),
              ErrorCode::kNotPrepared)
        << file.size();
  }
  EXPECT_EQ(code_of([&] { classifier.classify(Bytes()); }), ErrorCode::kEmptyFile);
}

TEST_F(PictureModelTest, ARefusedFileCostsOneEntryAndSaysWhatToDo) {
  const Classifier classifier = load_picture();
  const std::filesystem::path good = write("good.bin", picture_), bad = write("bad.bin", others()[0]);
  const auto results = classifier.classify_files(std::vector{bad, good});
  const Error& error = std::get<Error>(results[0]);
  EXPECT_EQ(error.code(), ErrorCode::kNotPrepared);
  EXPECT_EQ(error.subject(), bad.native());
  EXPECT_NE(std::string(error.what()).find("raw RGB bytes (fHWC) of 8x8 pixels"), std::string::npos) << error.what();
  EXPECT_EQ(std::get<Output>(results[1]).logits, load().classify(picture_).logits);
}

TEST_F(PictureModelTest, AStreamGoesOnAfterAFileThatWasNotInForm) {
  const Classifier classifier = load_picture();
  Stream stream = classifier.stream();
  stream.feed(others()[0]);
  EXPECT_EQ(code_of([&] { stream.finish(); }), ErrorCode::kNotPrepared);
  stream.feed(picture_);
  EXPECT_EQ(stream.finish().logits, load().classify(picture_).logits);
}

TEST_F(PictureModelTest, AsIsRefusesNothingForItsForm) {
  const Classifier classifier = load_picture(/*as_is=*/true);
  const auto file = others()[0];
  EXPECT_EQ(classifier.classify(file).logits, load().classify(file).logits);
  EXPECT_EQ(code_of([&] { classifier.classify(others()[2]); }), ErrorCode::kTooManyTokens);
}

TEST_F(ClassifierTest, ManyThreadsShareOneModel) {
  const Classifier classifier = load();
  std::vector<std::vector<std::uint8_t>> files;
  std::vector<Output> expected;
  for (int i = 0; i < 8; ++i) {
    files.push_back(test::random_file(random_, static_cast<std::size_t>(20 + 40 * i)));
    expected.push_back(classifier.classify(files.back()));
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, copy = classifier] {
      for (std::size_t round = 0; round < 40; ++round)
        if (copy.classify(files[round % 8]).logits != expected[round % 8].logits) ++wrong;
    });
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&, copy = classifier] {
      const std::vector<Bytes> batch(files.begin(), files.end());
      for (int round = 0; round < 5; ++round) {
        const auto results = copy.classify_batch(batch);
        for (std::size_t i = 0; i < batch.size(); ++i)
          if (std::get<Output>(results[i]).logits != expected[i].logits) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(ClassifierTest, ScoresAndRanking) {
  const Classifier classifier = load();
  Output output;
  output.logits = {1.0f, 3.0f, 3.0f, -2.0f};
  const auto scores = classifier.scores(output);
  EXPECT_NEAR(std::accumulate(scores.begin(), scores.end(), 0.0), 1.0, 1e-6);
  EXPECT_NEAR(scores[0] / scores[1], std::exp(-2.0 / 2.0), 1e-6);  // temperature 2
  const auto top = classifier.top_k(output, 3);
  ASSERT_EQ(top.size(), 3u);
  EXPECT_EQ(top[0].index, 1);
  EXPECT_EQ(top[1].index, 2);
  EXPECT_EQ(top[2].label, "a");
  EXPECT_EQ(classifier.top_k(output, 99).size(), 4u);
  EXPECT_TRUE(classifier.top_k(output, -1).empty());
}

TEST_F(ClassifierTest, LogitsThatAreNoNumbersHaveAnOrder) {
  const Classifier classifier = load();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
  const auto ranked = [&](const std::vector<float>& logits) {
    Output output;
    output.logits = logits;
    std::vector<int> order;
    for (const Prediction& prediction : classifier.top_k(output, 4)) order.push_back(prediction.index);
    EXPECT_EQ(classifier.top_k(output, 1).front().index, order.front());
    return order;
  };
  EXPECT_EQ(ranked({kNan, kNan, kNan, kNan}), (std::vector{0, 1, 2, 3}));
  EXPECT_EQ(ranked({kNan, 1, kNan, 2}), (std::vector{3, 1, 0, 2}));
  EXPECT_EQ(ranked({-kInfinity, kNan, kInfinity, 0}), (std::vector{2, 3, 0, 1}));
  Output output;
  output.logits = {kInfinity, 1, 2, 3};
  for (const float score : classifier.scores(output)) EXPECT_TRUE(std::isnan(score));
  output.logits = {-kInfinity, 1, 2, 3};
  EXPECT_EQ(classifier.scores(output)[0], 0);
}

TEST_F(ClassifierTest, RefusesOutputsOfOtherModels) {
  const Classifier classifier = load();
  Output output;
  output.logits.resize(5);
  EXPECT_THROW(classifier.scores(output), Error);
  EXPECT_THROW(classifier.top_k(output, 5), Error);
  EXPECT_THROW(classifier.log_odds(output, 0), Error);
  EXPECT_THROW(classifier.scores({}), Error);
}

TEST_F(ClassifierTest, LoadOptions) {
  EXPECT_EQ(load({.num_threads = 3, .masking = Masking::kReleased}).masking(), Masking::kReleased);
  EXPECT_EQ(load().masking(), Masking::kMasked);
  EXPECT_EQ(load().precision(), Precision::kFloat32);
  EXPECT_EQ(load({.num_threads = 3, .masking = {}}).num_threads(), 3);
  EXPECT_EQ(code_of([&] { load({.num_threads = -1, .masking = {}}); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([&] { Classifier::load(dir_ / "none"); }), ErrorCode::kNotFound);
}

TEST_F(ClassifierTest, AnEmptyPathIsSaidToBeEmpty) {
  const Error error = std::get<Error>(load().classify_files(std::vector<std::filesystem::path>(1)).front());
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_STREQ(error.what(), "the path is empty");
  try {
    Classifier::load("");
    ADD_FAILURE() << "no error";
  } catch (const Error& of_load) {
    EXPECT_STREQ(of_load.what(), "the path of the model is empty: it is a folder");
  }
}

TEST_F(ClassifierTest, NothingIsAllocatedAfterWarmUp) {
  Random random(3);
  base::ThreadPool pool(2);
  const model::ByteFormer model(small_config(), test::random_tensors(small_config(), random), Masking::kReleased,
                                kernels::default_kernels(), pool);
  model::Workspace ws = model.make_workspace(pool);
  const auto large = test::random_file(random, 400);
  const auto run = [&](std::span<const std::uint8_t> file) {
    for (int i = 0; i < 40; ++i) {
      model.feed(file, ws);
      model.end_file(ws);
    }
    model.flush(ws);
    ws.results.clear();
  };
  const auto small = std::span(large).first(123);
  run(large);  // warm-up: the most rows
  run(small);  // and the most files in flight
  const std::size_t held = ws.num_bytes();
  const test::AllocationBudget nothing(0);
  EXPECT_NO_THROW(run(large));
  EXPECT_NO_THROW(run(small));
  EXPECT_EQ(ws.num_bytes(), held);
}

TEST_F(ClassifierTest, WorkspaceStaysWithinItsBound) {
  Random random(4);
  base::ThreadPool pool(2);
  format::ModelConfig config = small_config();
  config.position_embedding = format::PositionEmbedding::kSinusoidal;
  for (const Masking masking : {Masking::kReleased, Masking::kMasked}) {
    const model::ByteFormer model(config, test::random_tensors(config, random), masking, kernels::default_kernels(),
                                  pool);
    EXPECT_LE(model.max_workspace_bytes(2), 2 * model.max_workspace_bytes(1));  // as workspace_bytes() promises
    model::Workspace ws = model.make_workspace(pool);
    const auto check = [&](std::size_t file_bytes, int num_files) {
      const auto file = test::random_file(random, file_bytes);
      for (int i = 0; i < num_files; ++i) {
        model.feed(file, ws);
        model.end_file(ws);
      }
      model.flush(ws);
      EXPECT_LE(ws.num_bytes(), model.max_workspace_bytes(2)) << file_bytes;
    };
    check(1, test::effort(20'000));
    check(10, test::effort(5'000));
    check(300'000, 1);  // enough rounds for every layer to have held the most that it ever holds
    const std::size_t held = ws.num_bytes();
    check(300'000 + test::effort(900'000), 1);
    EXPECT_EQ(ws.num_bytes(), held) << "memory grew with the file";
  }
}

}  // namespace
}  // namespace byteformer
