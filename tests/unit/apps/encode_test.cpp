// `byteformer encode`: the published bytes, where they are written, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "base/sha256.hpp"
#include "base/text.hpp"
#include "exit_status.hpp"
#include "folder_test.hpp"
#include "output/output_files.hpp"
#include "run_program.hpp"
#include "support/errors.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Arguments = std::vector<std::string>;

nlohmann::json index_of(const std::string& folder) {
  return nlohmann::json::parse(test::read_file(test::data_path("encoders/" + folder + "/index.json")));
}

class EncodeTest : public FolderTest {
 protected:
  Outcome encode(Arguments arguments, const std::string& input = "") const {
    arguments.insert(arguments.begin(), "encode");
    arguments.insert(arguments.end(), {"-o", at("out")});
    return run_program(arguments, input);
  }
  void expect_usage_error(const Arguments& arguments, const std::string& message) const {
    const Outcome outcome = encode(arguments);
    EXPECT_EQ(outcome.status, kExitUsage);
    EXPECT_THAT(outcome.err, HasSubstr(message));
    EXPECT_FALSE(fs::exists(folder_ / "out"));
  }
  void expect_golden(const std::string& path, const nlohmann::json& golden, const std::string& folder) const {
    const std::vector<std::uint8_t> bytes = test::read_bytes(path);
    EXPECT_EQ(bytes.size(), golden["bytes"].get<std::size_t>()) << path;
    if (golden.contains("sha256"))
      EXPECT_EQ(base::hex(base::sha256(bytes)), golden["sha256"].get<std::string>()) << path;
    else
      EXPECT_EQ(bytes, test::read_bytes(test::data_path("encoders/" + folder) / golden["file"].get<std::string>()));
  }
  /// Encodes `input` anew and gives the path of the output.
  std::string encoded(const std::string& input, const Arguments& form, const std::string& extension) const {
    Arguments arguments{input, "--force"};
    arguments.insert(arguments.end(), form.begin(), form.end());
    const Outcome outcome = encode(arguments);
    EXPECT_EQ(outcome.status, kExitOk) << outcome.err;
    EXPECT_EQ(outcome.out + outcome.err, "");
    return at("out/" + fs::path(input).stem().native() + extension);
  }
};

TEST_F(EncodeTest, PicturesAreThePublishedBytes) {
  const std::map<std::string, std::pair<Arguments, std::string>> forms{
      {"fHWC", {{"--to", "fhwc"}, ".fhwc"}},     {"fCHW", {{"--to", "fchw"}, ".fchw"}},
      {"TIFF", {{"--to", "tiff"}, ".tiff"}},     {"PNG", {{"--to", "png"}, ".png"}},
      {"JPEG_q100", {{"--to", "jpeg"}, ".jpg"}}, {"JPEG_q60", {{"--to", "jpeg", "--quality", "60"}, ".jpg"}}};
  int num_checked = 0;
  for (const nlohmann::json& entry : index_of("images")) {
    const auto rgb = test::read_file(test::data_path("encoders/images/" + entry["rgb"].get<std::string>()));
    const std::string input = put(entry["name"].get<std::string>() + ".ppm", ppm(entry["width"], entry["height"], rgb));
    for (const auto& [name, golden] : entry["outputs"].items()) {
      const auto& [form, extension] = forms.at(name);
      expect_golden(encoded(input, form, extension), golden, "images");
      ++num_checked;
    }
  }
  EXPECT_EQ(num_checked, 36);
}

TEST_F(EncodeTest, SoundsAreThePublishedBytes) {
  const std::map<std::string, std::pair<Arguments, std::string>> forms{
      {"wav_float32", {{"--to", "wav", "--sample-format", "float32"}, ".wav"}},
      {"wav_int32", {{"--to", "wav", "--sample-format", "int32"}, ".wav"}},
      {"wav_int16", {{"--to", "wav"}, ".wav"}},
      {"wav_uint8", {{"--to", "wav", "--sample-format", "uint8"}, ".wav"}},
      {"mp3", {{"--to", "mp3"}, ".mp3"}}};
  int num_checked = 0;
  for (const nlohmann::json& entry : index_of("audio")) {
    const auto samples = test::read_file(test::data_path("encoders/audio/" + entry["f32"].get<std::string>()));
    const std::string input =
        put(entry["name"].get<std::string>() + ".wav", float32_wav(entry["sample_rate"], samples));
    for (const auto& [name, golden] : entry["outputs"].items()) {
      const auto& [form, extension] = forms.at(name);
      expect_golden(encoded(input, form, extension), golden, "audio");
      ++num_checked;
    }
  }
  EXPECT_EQ(num_checked, 10);
}

TEST_F(EncodeTest, ResizesAndCropsAsPublished) {
  for (const nlohmann::json& entry : index_of("resample")) {
    const auto rgb = test::read_file(test::data_path("encoders/resample/" + entry["input"].get<std::string>()));
    const std::string input = put("picture.ppm", ppm(entry["width"], entry["height"], rgb));
    const Arguments form{"--to",     "fhwc",
                         "--resize", std::to_string(entry["resize"].get<int>()),
                         "--crop",   std::to_string(entry["crop"].get<int>())};
    EXPECT_EQ(base::hex(base::sha256(test::read_bytes(encoded(input, form, ".fhwc")))),
              entry["sha256"].get<std::string>());
  }
}

TEST_F(EncodeTest, SoundsGetTheRateAndLengthAskedFor) {
  const std::string input = put("tone.wav", float32_wav(16'000, std::string(4 * 1'000, '\0')));
  EXPECT_EQ(fs::file_size(encoded(input, {"--to", "wav"}, ".wav")), 44U + 2 * 1'000);
  EXPECT_EQ(fs::file_size(encoded(input, {"--to", "wav", "--sample-rate", "8000"}, ".wav")), 44U + 2 * 500);
  EXPECT_EQ(fs::file_size(encoded(input, {"--to", "wav", "--duration", "0.25"}, ".wav")), 44U + 2 * 4'000);
}

TEST_F(EncodeTest, OneBadFileCostsOneLine) {
  const std::string good = put("good.ppm", some_picture(5, 4, 1));
  const std::string text = put("text.png", "hello");
  const std::string cut = put("cut.ppm", some_picture(5, 4, 2).substr(0, 40));
  const std::string empty = put("empty.ppm", "");
  const std::string sound = put("sound.wav", float32_wav(8'000, "abcd"));
  const Outcome outcome = encode({text, cut, good, empty, sound, at("missing"), "--to", "fhwc", "-j", "3"});
  EXPECT_EQ(outcome.status, kExitInputFailed);
  EXPECT_EQ(outcome.out, "");
  std::istringstream lines(outcome.err);
  for (const std::string& path : {text, cut, empty, sound, at("missing")}) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_THAT(line, ::testing::StartsWith("byteformer: " + path + ": "));
  }
  EXPECT_EQ(lines.peek(), EOF);
  EXPECT_EQ(test::read_file(at("out/good.fhwc")).size(), 60U);
  EXPECT_EQ(std::distance(fs::directory_iterator(at("out")), {}), 1);
}

TEST_F(EncodeTest, TheFirstOfTwoWithOneOutputWins) {
  const std::string first = put("a/x.ppm", some_picture(2, 2, 1));
  const std::string second = put("b/x.ppm", some_picture(3, 3, 2));
  for (const char* jobs : {"1", "4"}) {
    const Outcome outcome = encode({first, second, "--to", "fhwc", "--force", "-j", jobs});
    EXPECT_EQ(outcome.status, kExitInputFailed);
    EXPECT_THAT(outcome.err, HasSubstr(second + ": " + at("out/x.fhwc") + " is already the output of " + first));
    EXPECT_EQ(fs::file_size(at("out/x.fhwc")), 12U);
  }
}

TEST_F(EncodeTest, ABadFileTakesNoOutputAway) {
  const std::string bad = put("x.txt", "no picture");
  const std::string good = put("x.ppm", some_picture(2, 2, 1));
  const Outcome outcome = encode({bad, good, "--to", "fhwc"});
  EXPECT_EQ(outcome.status, kExitInputFailed);
  EXPECT_THAT(outcome.err, HasSubstr(bad + ": is no picture"));
  EXPECT_EQ(fs::file_size(at("out/x.fhwc")), 12U);
}

TEST_F(EncodeTest, ExistingOutputsStayUnlessForced) {
  const std::string input = put("x.ppm", some_picture(2, 2, 1));
  put("out/x.fhwc", "old");
  const Outcome outcome = encode({input, "--to", "fhwc"});
  EXPECT_EQ(outcome.status, kExitInputFailed);
  EXPECT_THAT(outcome.err, HasSubstr("exists already; --force overwrites it"));
  EXPECT_EQ(test::read_file(at("out/x.fhwc")), "old");
  EXPECT_EQ(encode({input, "--to", "fhwc", "--force"}).status, kExitOk);
  EXPECT_EQ(fs::file_size(at("out/x.fhwc")), 12U);
}

TEST_F(EncodeTest, NeverOverwritesOtherInputs) {
  const std::string ppm_of = put("d/x.ppm", some_picture(2, 2, 1)), other = put("d/x.png", some_picture(2, 2, 2));
  const std::string before = test::read_file(other);
  const Outcome folder = run_program({"encode", "-r", at("d"), "-o", at("d"), "--to", "png", "--force"});
  EXPECT_EQ(folder.status, kExitInputFailed);
  EXPECT_THAT(folder.err, HasSubstr("may be an input itself"));
  const Outcome files = run_program({"encode", ppm_of, other, "-o", at("d"), "--to", "png", "--force"});
  EXPECT_THAT(files.err, HasSubstr("may be an input itself"));
  EXPECT_EQ(test::read_file(other), before);
  EXPECT_EQ(run_program({"encode", ppm_of, "--to", "png", "-o", "-"}).status, kExitUsage) << "which is no folder";
}

TEST_F(EncodeTest, NeverOverwritesArchivesThatItReads) {
  put("in/a.ppm", some_picture(2, 2, 1));
  put("in/b.ppm", some_picture(2, 2, 2));
  const std::string archive = at("s-000.tar"), rest = at("s-001.tar"), row = at("s-%03d.tar");
  ASSERT_EQ(run_program({"encode", "-r", at("in"), "-o", archive, "--to", "png"}).status, kExitOk);
  fs::copy_file(archive, rest);
  const std::string before = test::read_file(archive);
  const Outcome first =
      run_program({"encode", "--tar", archive, "-o", row, "--to", "png", "--files-per-archive", "1", "-f"});
  EXPECT_NE(first.status, kExitOk);
  EXPECT_THAT(first.err, HasSubstr("may be an input itself"));
  fs::rename(archive, at("t.tar"));
  EXPECT_NE(run_program({"encode", "--tar", at("t.tar"), rest, "-o", row, "--to", "png", "-f"}).status, kExitOk);
  EXPECT_EQ(test::read_file(rest), before) << "and is not removed as the rest of an earlier row";
}

TEST_F(EncodeTest, NeverOverwritesTheInputItself) {
  const std::string png = encoded(put("x.ppm", some_picture(2, 2, 1)), {"--to", "png"}, ".png");
  const Outcome outcome = encode({png, "--to", "png", "--force"});
  EXPECT_EQ(outcome.status, kExitInputFailed);
  EXPECT_THAT(outcome.err, HasSubstr("would overwrite it"));
}

TEST_F(EncodeTest, FoldersKeepTheirStructure) {
  put("in/a/x.ppm", some_picture(2, 2, 1));
  put("in/b/c/x.ppm", some_picture(2, 2, 2));
  put("in/y.tar.ppm", some_picture(2, 2, 3));
  for (const char* root : {"in", "in/"}) {
    const Outcome outcome = encode({at(root), "-r", "--to", "png", "--force"});
    EXPECT_EQ(outcome.status, kExitOk) << outcome.err;
    for (const char* name : {"out/a/x.png", "out/b/c/x.png", "out/y.tar.png"}) EXPECT_TRUE(fs::exists(at(name)));
    fs::remove_all(at("out"));
  }
  EXPECT_EQ(encode({at("in"), "--to", "png"}).status, kExitInputFailed);
}

TEST_F(EncodeTest, ItsOwnOutputsAreNoInputs) {
  put("x.ppm", some_picture(2, 2, 1));
  for (int run = 0; run < 2; ++run) EXPECT_EQ(encode({at(""), "-r", "--to", "png", "--force"}).status, kExitOk);
  EXPECT_THAT(encode({at(""), "-r", "--to", "png", "--force"}).err, HasSubstr("left out 1 file of the output folder"));
  EXPECT_FALSE(fs::exists(at("out/out")));
}

TEST_F(EncodeTest, ReadsListsOfFiles) {
  const std::string input = put("x.ppm", some_picture(2, 2, 1));
  EXPECT_EQ(encode({"--files-from", "-", "--to", "png"}, input + "\n").status, kExitOk);
  EXPECT_TRUE(fs::exists(at("out/x.png")));
}

TEST_F(EncodeTest, LikeAModelTakesEachFileAsWhatItIs) {
  const std::string model = nano_model(folder_ / "model", kJoint);
  const std::string picture = put("a.ppm", some_picture(20, 10, 1));
  const std::string sound = put("b.wav", float32_wav(16'000, std::string(4 * 900, '\0')));
  const Outcome outcome = encode({picture, sound, "--like", model});
  EXPECT_EQ(outcome.status, kExitOk) << outcome.err;
  EXPECT_EQ(fs::file_size(at("out/a.tiff")), 140U + 3 * 8 * 8);
  EXPECT_EQ(fs::file_size(at("out/b.wav")), 44U + 400);
}

TEST_F(EncodeTest, LikeAModelCopiesWhatIsInForm) {
  const std::string model = nano_model(folder_ / "model", kFhwc8);
  const std::string pixels(192, '\x80');
  EXPECT_EQ(encode({put("x.fhwc", pixels), "--like", model}).status, kExitOk);
  EXPECT_EQ(test::read_file(at("out/x.fhwc")), pixels);
}

TEST_F(EncodeTest, AnOutputThatCannotBeWrittenIsAFailure) {
  const std::string input = put("x.ppm", some_picture(2, 2, 1));
  put("out", "a file");
  const Outcome outcome = encode({input, "--to", "png"});
  EXPECT_EQ(outcome.status, kExitFailure);
  EXPECT_THAT(outcome.err, HasSubstr("cannot create this folder"));
}

TEST_F(EncodeTest, RefusesOptionsThatMakeNoSense) {
  expect_usage_error({"x"}, "--to or --like is required");
  expect_usage_error({"--to", "png"}, "no files given");
  expect_usage_error({"-", "--to", "png"}, "has no name");
  expect_usage_error({"x", "--to", "gif"}, "--to must be");
  expect_usage_error({"x", "--to", "png", "--quality", "90"}, "--quality needs --to jpeg");
  expect_usage_error({"x", "--to", "mp3", "--sample-format", "int16"}, "--sample-format needs --to wav");
  expect_usage_error({"x", "--to", "wav", "--crop", "4"}, "--crop needs --to tiff");
  expect_usage_error({"x", "--to", "png", "--duration", "1"}, "--duration needs --to wav");
  expect_usage_error({"x", "--to", "png", "--resize", "4", "--crop", "5"}, "must not be larger");
  expect_usage_error({"x", "--to", "png", "--like", "model"}, "cannot be combined");
  expect_usage_error({"x", "--like", nano_model(folder_ / "model", "")}, "reads files as they are");
}

class WrittenOutputsTest : public FolderTest {};

TEST_F(WrittenOutputsTest, HoldInARunOfAnyLength) {
  for (const char* name : {"old", "first", "second", "third"}) test::write_file(at(name), "");
  std::filesystem::last_write_time(at("old"), std::filesystem::last_write_time(at("old")) - std::chrono::hours(1));
  WrittenOutputs written(at(""), 2);
  for (const char* name : {"first", "second", "third"}) {
    EXPECT_NO_THROW(written.check(at(name)));
    test::write_file(at(name), "x");
    written.add(at(name), std::string("input of ") + name);
  }
  test::expect_error(ErrorCode::kAlreadyExists, {"third is already the output of input of third"},
                     [&] { written.check(at("./third")); });
  test::expect_error(ErrorCode::kAlreadyExists, {"first is already the output of another input"},
                     [&] { written.check(at("first")); });  // its name is not kept any more
  EXPECT_NO_THROW(written.check(at("old")));
  EXPECT_NO_THROW(written.check(at("new")));
}

}  // namespace
}  // namespace byteformer::cli
