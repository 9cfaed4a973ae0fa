// `byteformer classify` with models of pictures and sounds: what is prepared, what is not, and what is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "exit_status.hpp"
#include "folder_test.hpp"
#include "run_program.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string with_transforms(std::string preprocess, const std::string& list) {
  preprocess.pop_back();
  return preprocess + ",\"transforms\":[" + list + "]}";
}

class PreparationTest : public FolderTest {
 protected:
  Outcome classify(std::vector<std::string> arguments, const std::string& input = "") const {
    arguments.insert(arguments.begin(), {"classify", "-m", at("model"), "--jsonl", "--logits", "--features"});
    return run_program(arguments, input);
  }
  nlohmann::json answer(std::vector<std::string> arguments, const std::string& input = "") const {
    const Outcome outcome = classify(std::move(arguments), input);
    EXPECT_EQ(outcome.status, kExitOk) << outcome.out;
    return nlohmann::json::parse(outcome.out);
  }
};

TEST_F(PreparationTest, APictureIsAnsweredAsTheEncodedFile) {
  nano_model(folder_ / "model", kFhwc8);
  const std::string ppm_file = put("a.ppm", some_picture(30, 20, 1));
  ASSERT_EQ(run_program({"encode", ppm_file, "--to", "png", "-o", at("png")}).status, kExitOk);
  const std::string picture = at("png/a.png");
  ASSERT_EQ(run_program({"encode", picture, "--like", at("model"), "-o", at("encoded")}).status, kExitOk);
  const Outcome prepared = classify({picture});
  EXPECT_EQ(prepared.err,
            "byteformer: prepared 1 file as raw RGB bytes (fHWC) of 8x8 pixels; --as-is reads bytes as they are\n");
  const nlohmann::json of_picture = nlohmann::json::parse(prepared.out);
  const nlohmann::json of_encoded = answer({at("encoded/a.fhwc")});
  const nlohmann::json as_is = answer({at("encoded/a.fhwc"), "--as-is"});
  EXPECT_EQ(of_picture["logits"], of_encoded["logits"]);
  EXPECT_EQ(of_picture["features"], of_encoded["features"]);
  EXPECT_EQ(as_is["logits"], of_encoded["logits"]);
  EXPECT_EQ(of_picture["bytes"], 192);
  EXPECT_EQ(of_picture["prepared"], true);
  EXPECT_FALSE(of_encoded.contains("prepared"));
}

TEST_F(PreparationTest, AsIsReadsTheBytesOfTheFile) {
  nano_model(folder_ / "model", kFhwc8);
  const std::string picture = put("a.ppm", some_picture(30, 20, 1));
  const Outcome outcome = classify({picture, "--as-is"});
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["bytes"], fs::file_size(picture));
  EXPECT_FALSE(nlohmann::json::parse(outcome.out).contains("prepared"));
}

TEST_F(PreparationTest, StandardInputIsPreparedToo) {
  nano_model(folder_ / "model", kFhwc8);
  const std::string content = some_picture(30, 20, 1);
  const nlohmann::json of_file = answer({put("a.ppm", content)});
  const nlohmann::json of_input = answer({"-"}, content);
  EXPECT_EQ(of_input["logits"], of_file["logits"]);
  EXPECT_EQ(of_input["prepared"], true);
  EXPECT_EQ(answer({"-", "--as-is"}, content)["bytes"], content.size());
  EXPECT_THAT(classify({"-"}, "hello").out, HasSubstr(R"("message":"-: is no picture)"));
}

TEST_F(PreparationTest, TransformsAreAppliedOnceAndNotAsIs) {
  nano_model(folder_ / "plain", kFhwc8);
  nano_model(folder_ / "model", with_transforms(kFhwc8, R"({"type":"shuffle","mode":"reverse"})"));
  const std::string picture = put("a.ppm", some_picture(8, 8, 1));
  ASSERT_EQ(run_program({"encode", picture, "--like", at("plain"), "-o", at("in_form")}).status, kExitOk);
  ASSERT_EQ(run_program({"encode", picture, "--like", at("model"), "-o", at("encoded")}).status, kExitOk);
  std::string reversed = test::read_file(at("in_form/a.fhwc"));
  std::ranges::reverse(reversed);
  EXPECT_EQ(test::read_file(at("encoded/a.fhwc")), reversed);
  const nlohmann::json as_is = answer({at("encoded/a.fhwc"), "--as-is"});
  EXPECT_FALSE(as_is.contains("prepared"));
  for (const std::string& file : {picture, at("in_form/a.fhwc")}) {
    EXPECT_EQ(answer({file})["logits"], as_is["logits"]) << file;
    EXPECT_EQ(answer({file})["prepared"], true) << file;
  }
  EXPECT_NE(answer({at("in_form/a.fhwc"), "--as-is"})["logits"], as_is["logits"]);
  EXPECT_THAT(classify({picture}).err, HasSubstr("as raw RGB bytes (fHWC) of 8x8 pixels with bytes reversed; --as-is"));
}

TEST_F(PreparationTest, FilesOfAnyKindAreTransformedToo) {
  nano_model(folder_ / "model", with_transforms(R"({"kind":"bytes"})", R"({"type":"byte_permutation","seed":1})"));
  const std::string file = put("notes.txt", "hello, hello");
  ASSERT_EQ(run_program({"encode", file, "--like", at("model"), "-o", at("encoded")}).status, kExitOk);
  EXPECT_NE(test::read_file(at("encoded/notes.txt")), "hello, hello");
  const nlohmann::json as_is = answer({at("encoded/notes.txt"), "--as-is"});
  EXPECT_EQ(answer({file})["logits"], as_is["logits"]);
  EXPECT_EQ(answer({"-"}, "hello, hello")["logits"], as_is["logits"]);
}

TEST_F(PreparationTest, ManyFilesKeepTheirOrderAndTheirErrors) {
  nano_model(folder_ / "model", kJoint);
  std::vector<std::string> files{put("text", "hello"), put("empty", ""), at("missing"),
                                 put("a.wav", float32_wav(16'000, std::string(400, '\0')))};
  for (unsigned i = 0; i < 20; ++i) files.push_back(put(std::to_string(i), some_picture(9 + i, 12, i)));
  std::string expected;
  for (const std::string& file : files) expected += classify({file}).out;
  const Outcome together = classify(files);
  EXPECT_EQ(together.status, kExitInputFailed);
  EXPECT_EQ(together.out, expected);
  EXPECT_THAT(together.err, HasSubstr("prepared 21 files as TIFF of 8x8 pixels, or WAV uint8 of 0.05 s at 8000 Hz"));
  std::istringstream lines(together.out);
  for (const char* code : {"unsupported", "empty_file", "not_found"}) {
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(nlohmann::json::parse(line)["error"]["code"], code);
  }
}

TEST_F(PreparationTest, AFileThatFitsNeitherIsToldWhatTheModelExpects) {
  nano_model(folder_ / "model", kFhwc8);
  const Outcome outcome = run_program({"classify", "-m", at("model"), put("a.wav", float32_wav(8'000, "abcd"))});
  EXPECT_EQ(outcome.status, kExitInputFailed);
  EXPECT_THAT(outcome.err,
              HasSubstr("a.wav: is a file of kind wav, but the model expects raw RGB bytes (fHWC) of 8x8 pixels"));
  EXPECT_EQ(outcome.out, "");
}

TEST_F(PreparationTest, APreprocessOfALaterVersionNeedsAsIs) {
  nano_model(folder_ / "model", R"({"version":2,"kind":"image","encoding":{"format":"fhwc"}})");
  const std::string file = put("a", "hello");
  EXPECT_EQ(classify({file}).status, kExitFailure);
  EXPECT_EQ(classify({file, "--as-is"}).status, kExitOk);
}

}  // namespace
}  // namespace byteformer::cli
