// `inspect` and `bench` with models of prepared and obfuscated files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "exit_status.hpp"
#include "folder_test.hpp"
#include "run_program.hpp"

namespace byteformer::cli {
namespace {

using ::testing::HasSubstr;

class ModelUseTest : public FolderTest {
 protected:
  nlohmann::json json(const std::vector<std::string>& arguments) const {
    const Outcome outcome = run_program(arguments);
    EXPECT_EQ(outcome.status, kExitOk) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  }

  /// The fingerprint of a key by which the model in keyed/ reads pictures.
  std::string put_keyed_model() const {
    nano_model(folder_ / "plain", kFhwc8);
    std::string fingerprint = run_program({"obfuscate", "keygen", "-o", at("key")}).out;
    fingerprint.pop_back();
    EXPECT_EQ(run_program({"obfuscate", "rekey", at("plain"), "--key", at("key"), "-o", at("keyed")}).status, kExitOk);
    return fingerprint;
  }
};

TEST_F(ModelUseTest, ClassifyHasADefaultModelAndItsThreshold) {
  const std::string model = nano_model(folder_ / "nano", "");
  const std::string file = at("file");
  test::write_file(file, "some bytes");
  ::setenv("BYTEFORMER_MODEL", model.c_str(), 1);
  const Outcome plain = run_program({"classify", "--jsonl", file});
  EXPECT_EQ(plain.out, run_program({"classify", "--jsonl", "--model", model, file}).out);
  std::string config = test::read_file(folder_ / "nano" / "config.json");
  config.insert(config.find('{') + 1, "\"unknown_below\": 1,");
  test::write_file(folder_ / "nano" / "config.json", config);
  EXPECT_THAT(run_program({"classify", "--jsonl", file}).out, HasSubstr("\"unknown\",\"index\":-1"));
  EXPECT_EQ(run_program({"classify", "--jsonl", "--threshold", "0", file}).out, plain.out);
  ::unsetenv("BYTEFORMER_MODEL");
}

TEST_F(ModelUseTest, InspectSaysHowFilesArePrepared) {
  nano_model(folder_ / "model", kFhwc8);
  EXPECT_THAT(run_program({"inspect", "-m", at("model")}).out,
              HasSubstr("\nReads       raw RGB bytes (fHWC) of 8x8 pixels\nFile        192 bytes become"));
  const nlohmann::json summary = json({"inspect", "-m", at("model"), "--json"});
  EXPECT_EQ(summary["reads"], "raw RGB bytes (fHWC) of 8x8 pixels");
  EXPECT_EQ(summary["preprocess"], nlohmann::json::parse(kFhwc8));
  EXPECT_EQ(summary["keys"], nlohmann::json::array());
  EXPECT_EQ(summary["file"]["bytes"], 192);
}

TEST_F(ModelUseTest, InspectNamesKeysByTheirFingerprints) {
  const std::string fingerprint = put_keyed_model();
  EXPECT_THAT(run_program({"inspect", "-m", at("keyed")}).out, HasSubstr("\nKey         " + fingerprint + "\n"));
  EXPECT_EQ(json({"inspect", "-m", at("keyed"), "--json"})["keys"], nlohmann::json{fingerprint});
}

TEST_F(ModelUseTest, InspectOfAModelOfAnyFilesSaysSo) {
  nano_model(folder_ / "model", "");
  EXPECT_THAT(run_program({"inspect", "-m", at("model")}).out,
              HasSubstr("\nReads       files as they are\nFile        150,668"));
  EXPECT_TRUE(json({"inspect", "-m", at("model"), "--json"})["preprocess"].is_null());
}

TEST_F(ModelUseTest, BenchMeasuresPreparedFiles) {
  nano_model(folder_ / "model", kFhwc8);
  const std::string picture = put("a.ppm", some_picture(30, 20, 1));
  const std::vector<std::string> bench{"bench", "-m", at("model"), "-n", "1", "--json"};
  const auto bytes_with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), bench.begin(), bench.end());
    return json(more)["bytes"];
  };
  EXPECT_EQ(bytes_with({picture}), 192);
  EXPECT_EQ(bytes_with({picture, "--as-is"}), std::filesystem::file_size(picture));
  EXPECT_EQ(bytes_with({}), 192);
  EXPECT_EQ(bytes_with({"--bytes", "50"}), 50);
  const Outcome bad = run_program({"bench", "-m", at("model"), "-n", "1", put("text", "hello")});
  EXPECT_EQ(bad.status, kExitInputFailed);
  EXPECT_THAT(bad.err, HasSubstr("text: is no picture"));
}

TEST_F(ModelUseTest, BenchWantsTheKeyForPlainFilesOnly) {
  put_keyed_model();
  const std::string picture = put("a.ppm", some_picture(30, 20, 1));
  const Outcome without = run_program({"bench", "-m", at("keyed"), "-n", "1", picture});
  EXPECT_EQ(without.status, kExitUsage);
  EXPECT_THAT(without.err, HasSubstr("--key KEY obfuscates plain files, --as-is"));
  EXPECT_EQ(json({"bench", "-m", at("keyed"), "-n", "1", "--json", picture, "--key", at("key")})["bytes"], 192);
  EXPECT_EQ(json({"bench", "-m", at("keyed"), "-n", "1", "--json"})["bytes"], 192);
}

}  // namespace
}  // namespace byteformer::cli
