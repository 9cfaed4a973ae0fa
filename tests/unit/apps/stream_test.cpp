// Transformed files that flow: the bits of the whole file, memory that does not grow with it, and what cannot flow.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "classify/sample_classifier.hpp"
#include "exit_status.hpp"
#include "folder_test.hpp"
#include "run_program.hpp"
#include "support/allocation_budget.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string preprocess_with(const std::string& transforms) {
  return R"({"version":1,"kind":"bytes","transforms":[)" + transforms + "]}";
}

constexpr const char* kPermutation = R"({"type":"byte_permutation","seed":3})";
constexpr const char* kWindows = R"({"type":"shuffle","mode":"window_shuffle","n":1000})";
constexpr const char* kMask = R"({"type":"mask_positions","keep_frac":0.3})";
constexpr const char* kNoise = R"({"type":"random_uniform","low":-9,"high":9})";
constexpr const char* kReverse = R"({"type":"shuffle","mode":"reverse"})";

std::string some_bytes(std::size_t size, std::uint64_t seed = 1) {
  base::Random random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.bits());
  return bytes;
}

class StreamTest : public FolderTest {
 protected:
  nlohmann::json classify(const std::string& path, const std::string& input = "",
                          const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"classify", "-m", at("model"), "--json", "--logits", path};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_program(arguments, input);
    EXPECT_EQ(outcome.status, kExitOk) << outcome.out << outcome.err;
    return nlohmann::json::parse(outcome.out)[0];
  }

  /// A file of zeros that takes no room on the disk.
  std::string put_sparse(const std::string& name, std::size_t size) const {
    std::ofstream(at(name)).close();
    fs::resize_file(at(name), size);
    return at(name);
  }
};

RC_GTEST_PROP(StreamProperty, TheLogitsAreThoseOfTheWholeFileWhateverThePieces, ()) {
  static const Classifier classifier = Classifier::load(test::data_path("untrained-nano"));
  bytes::Transforms transforms;
  if (*rc::gen::arbitrary<bool>())
    transforms.shuffle = {bytes::ShuffleMode::kWindowShuffle, static_cast<std::uint32_t>(*rc::gen::inRange(1, 3000))};
  if (*rc::gen::arbitrary<bool>()) transforms.mask = {.keep_frac = *rc::gen::inRange(1, 101) / 100.0};
  if (*rc::gen::arbitrary<bool>()) transforms.noise = bytes::UniformNoise{-20, 20};
  if (*rc::gen::arbitrary<bool>()) transforms.permutations = {bytes::BytePermutation::of_seed()};
  const std::string text = some_bytes(static_cast<std::size_t>(*rc::gen::inRange(200, 20'000)));
  const std::vector<std::uint8_t> file(text.begin(), text.end());
  std::span<const std::uint8_t> rest = file;
  const auto read = [&](std::span<std::uint8_t> piece) {
    const auto part = rest.first(std::min(rest.size(), piece.size()));
    std::ranges::copy(part, piece.begin());
    rest = rest.subspan(part.size());
    return part.size();
  };
  const Output streamed = classify_stream(classifier, transforms, file.size(), read);
  const Output whole = classifier.classify(bytes::transformed(transforms, file));
  RC_ASSERT(streamed.logits == whole.logits);
  RC_ASSERT(streamed.num_bytes == whole.num_bytes);
}

TEST_F(StreamTest, LargeFilesAndStandardInputGiveTheBitsOfTheEncodedFile) {
  const std::string content = some_bytes(kLargeBytes + 12'345);
  const std::string large = put("large", content);
  for (const std::string& transforms :
       {std::string(kPermutation), std::string(kWindows) + "," + kNoise + "," + kPermutation, std::string(kMask)}) {
    fs::remove_all(at("model"));
    nano_model(folder_ / "model", preprocess_with(transforms));
    ASSERT_EQ(run_program({"encode", large, "--like", at("model"), "-o", at("encoded"), "--force"}).status, kExitOk);
    const nlohmann::json expected = classify(at("encoded/large"), "", {"--as-is"});
    const nlohmann::json of_file = classify(large), of_input = classify("-", content);
    EXPECT_EQ(of_file["logits"], expected["logits"]) << transforms;
    EXPECT_EQ(of_file["bytes"], expected["bytes"]) << transforms;
    EXPECT_EQ(of_file["prepared"], true);
    EXPECT_EQ(of_input["logits"], expected["logits"]) << transforms;
    EXPECT_EQ(of_input["prepared"], true);
  }
}

TEST_F(StreamTest, LargeAndSmallFilesKeepTheirOrder) {
  nano_model(folder_ / "model", preprocess_with(kPermutation));
  const std::string large = put("large", some_bytes(kLargeBytes)), small = put("small", "hello");
  const Outcome outcome = run_program({"classify", "-m", at("model"), "--jsonl", small, large, at("none"), small});
  EXPECT_EQ(outcome.status, kExitInputFailed);
  std::istringstream lines(outcome.out);
  for (const std::string& path : {small, large, at("none"), small}) {
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(nlohmann::json::parse(line)["path"], path);
  }
}

TEST_F(StreamTest, MemoryDoesNotGrowWithTheFile) {
  nano_model(folder_ / "model", preprocess_with(std::string(kWindows) + "," + kNoise + "," + kPermutation));
  constexpr std::size_t kSize = std::size_t{8} << 20;
  const std::string large = put_sparse("large", kSize);
  classify(put("small", "warm up"));
  const test::AllocationBudget budget(std::size_t{6} << 20);
  EXPECT_EQ(classify(large)["bytes"], kSize);
}

TEST_F(StreamTest, EncodingTakesConstantMemoryToo) {
  nano_model(folder_ / "model", preprocess_with(std::string(kNoise) + "," + kPermutation));
  const std::string large = put_sparse("large", std::size_t{32} << 20);
  const test::AllocationBudget budget(std::size_t{4} << 20);
  EXPECT_EQ(run_program({"encode", large, "--like", at("model"), "-o", at("encoded")}).status, kExitOk);
  EXPECT_EQ(fs::file_size(at("encoded/large")), std::size_t{32} << 20);
}

TEST_F(StreamTest, WhatCannotFlowIsReadWhole) {
  const std::string content = some_bytes(kLargeBytes + 1);
  nano_model(folder_ / "model", preprocess_with(kReverse));
  EXPECT_EQ(classify(put("large", content))["logits"], classify("-", content)["logits"]);
  const Outcome outcome = run_program({"classify", "-m", at("model"), put_sparse("huge", (std::size_t{1} << 30) + 1)});
  EXPECT_EQ(outcome.status, kExitInputFailed);
  EXPECT_THAT(outcome.err, HasSubstr("huge: is larger than 1 GiB"));
}

TEST_F(StreamTest, AnEmptyInputIsAnError) {
  nano_model(folder_ / "model", preprocess_with(kPermutation));
  const Outcome outcome = run_program({"classify", "-m", at("model"), "-"}, "");
  EXPECT_EQ(outcome.status, kExitInputFailed);
  EXPECT_THAT(outcome.err, HasSubstr("byteformer: -: is empty"));
}

}  // namespace
}  // namespace byteformer::cli
