// `byteformer obfuscate`: keys that stay secret, files that come back, models that answer as before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <nlohmann/json.hpp>

#include "base/sha256.hpp"
#include "base/text.hpp"
#include "exit_status.hpp"
#include "folder_test.hpp"
#include "run_program.hpp"
#include "support/plain_permissions.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Arguments = std::vector<std::string>;

class ObfuscateTest : public FolderTest {
 protected:
  /// A new key; its path.
  std::string key(const std::string& name = "key", const Arguments& options = {}) const {
    Arguments arguments{"obfuscate", "keygen", "-o", at(name)};
    arguments.insert(arguments.end(), options.begin(), options.end());
    expect_ok(run_program(arguments));
    return at(name);
  }
  static void expect_ok(const Outcome& outcome) {
    EXPECT_EQ(outcome.status, kExitOk) << outcome.err;
    EXPECT_EQ(outcome.err, "");
  }
  static void expect_failure(int status, const std::string& message, const Arguments& arguments) {
    const Outcome outcome = run_program(arguments);
    EXPECT_EQ(outcome.status, status) << message;
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(message));
  }
};

std::string fingerprint_of(const std::string& key) { return base::hex(base::sha256(test::read_bytes(key))); }

TEST_F(ObfuscateTest, KeygenPrintsTheFingerprintOnly) {
  const Outcome outcome = run_program({"obfuscate", "keygen", "-o", at("key")});
  expect_ok(outcome);
  EXPECT_EQ(outcome.out, fingerprint_of(at("key")) + "\n");
  EXPECT_EQ(fs::file_size(at("key")), 256U);
  EXPECT_EQ(fs::status(at("key")).permissions(), fs::perms(0600));
  EXPECT_NE(test::read_file(key("other")), test::read_file(at("key")));
}

TEST_F(ObfuscateTest, KeygenNeverOverwritesByAccident) {
  const std::string old = test::read_file(key());
  expect_failure(kExitFailure, at("key") + ": exists already; --force", {"obfuscate", "keygen", "-o", at("key")});
  EXPECT_EQ(test::read_file(at("key")), old);
  EXPECT_NE(test::read_file(key("key", {"--force"})), old);
  expect_failure(kExitUsage, "never shown", {"obfuscate", "keygen", "-o", "-"});
  expect_failure(kExitFailure, at("no/key"), {"obfuscate", "keygen", "-o", at("no/key")});
}

TEST_F(ObfuscateTest, KeygenGivesThePublishedPermutation) {
  const std::vector<std::uint8_t> table = test::read_bytes(key("paper", {"--seed", "2147483647"}));
  EXPECT_EQ(table[0], 239);
  EXPECT_EQ(table[1], 90);
  expect_failure(kExitUsage, "--seed must be", {"obfuscate", "keygen", "-o", at("x"), "--seed", "4294967296"});
}

TEST_F(ObfuscateTest, FilesComeBack) {
  const std::string plain(700'000, 'x');  // more than two pieces
  const std::string input = put("plain", plain + "\xff" + std::string(1, '\0'));
  expect_ok(run_program({"obfuscate", "apply", "--key", key(), input, "-o", at("secret")}));
  const std::string secret = test::read_file(at("secret"));
  ASSERT_EQ(secret.size(), plain.size() + 2);
  const std::vector<std::uint8_t> table = test::read_bytes(at("key"));
  EXPECT_EQ(static_cast<std::uint8_t>(secret[0]), table['x']);
  EXPECT_EQ(static_cast<std::uint8_t>(secret.back()), table[0]);
  expect_ok(run_program({"obfuscate", "apply", "--key", at("key"), "--inverse", at("secret"), "-o", at("back")}));
  EXPECT_EQ(test::read_file(at("back")), test::read_file(input));
}

TEST_F(ObfuscateTest, AStreamGetsTheBytesOfTheFile) {
  for (const std::size_t size : {0U, 1U, 262'143U, 262'144U, 262'145U, 600'000U}) {
    std::string plain(size, '\0');
    for (std::size_t i = 0; i < size; ++i) plain[i] = static_cast<char>(i * i >> 3);
    const std::string input = put("plain", plain);
    const std::string made = fs::exists(at("key")) ? at("key") : key();
    expect_ok(run_program({"obfuscate", "apply", "--key", made, input, "-o", at("secret"), "--force"}));
    const std::string secret = test::read_file(at("secret"));
    EXPECT_EQ(secret.size(), size);
    EXPECT_EQ(run_program({"obfuscate", "apply", "--key", made, "-"}, plain).out, secret) << size;
    EXPECT_EQ(run_program({"obfuscate", "apply", "--key", made, input, "-o", "-"}).out, secret) << size;
    EXPECT_EQ(run_program({"obfuscate", "apply", "--key", made, "-", "--inverse", "-o", "-"}, secret).out, plain);
    expect_ok(run_program({"obfuscate", "apply", "--key", made, "-", "-o", at("streamed"), "--force"}, plain));
    EXPECT_EQ(test::read_file(at("streamed")), secret);
  }
}

TEST_F(ObfuscateTest, SeveralFilesGoIntoAFolder) {
  const std::string a = put("in/a.bin", "a");
  const std::string b = put("in/sub/b.bin", "b");
  const Arguments apply{"obfuscate", "apply", "--key", key(), "-o", at("out")};
  const auto with = [&](const Arguments& more) {
    Arguments arguments = apply;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  expect_ok(run_program(with({a, b})));
  EXPECT_EQ(test::read_file(at("out/a.bin")).size(), 1U);
  EXPECT_EQ(test::read_file(at("out/b.bin")).size(), 1U);
  expect_ok(run_program(with({"-r", at("in"), "--force"})));
  EXPECT_EQ(test::read_file(at("out/sub/b.bin")).size(), 1U);
  expect_failure(kExitInputFailed, at("out/a.bin") + " exists already", with({a}));
  expect_failure(kExitUsage, "no name in a folder", with({"-"}));
  const std::string twin = put("in/sub/a.bin", "twin");
  expect_failure(kExitInputFailed, twin + ": " + at("out/a.bin") + " is already the output of " + a,
                 with({"--force", a, twin}));
}

TEST_F(ObfuscateTest, OneBadFileCostsOneLine) {
  const std::string good = put("good", "x");
  const Outcome outcome =
      run_program({"obfuscate", "apply", "--key", key(), at("missing"), good, at(""), "-o", at("out")});
  EXPECT_EQ(outcome.status, kExitInputFailed);
  EXPECT_THAT(outcome.err, HasSubstr("byteformer: " + at("missing") + ": cannot open: No such file"));
  EXPECT_THAT(outcome.err, HasSubstr("is a directory"));
  EXPECT_TRUE(fs::exists(at("out/good")));
  EXPECT_EQ(std::distance(fs::directory_iterator(at("out")), {}), 1);
  put("file", "");
  expect_failure(kExitFailure, at("file"), {"obfuscate", "apply", "--key", at("key"), good, "-o", at("file/x")});
}

TEST_F(ObfuscateTest, NeverOverwritesTheInputItself) {
  const std::string input = put("x", "plain");
  expect_failure(kExitInputFailed, "would overwrite it",
                 {"obfuscate", "apply", "--key", key(), input, "-o", input, "--force"});
  EXPECT_EQ(test::read_file(input), "plain");
}

TEST_F(ObfuscateTest, NeverOverwritesTheKey) {
  const std::string k = key(), input = put("x", "plain"), before = test::read_file(k);
  put("key.d/key", "plain");
  for (const Arguments& arguments : {Arguments{input, "-o", k}, Arguments{"-r", at("key.d"), "-o", at("")}}) {
    Arguments all{"obfuscate", "apply", "--key", k, "--force"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    EXPECT_THAT(run_program(all).err, HasSubstr("would replace what is read here"));
    EXPECT_EQ(test::read_file(k), before);
  }
}

TEST_F(ObfuscateTest, NeverOverwritesOtherInputs) {
  const std::string one = put("a/f", "one"), two = put("b/f", "two");
  EXPECT_THAT(run_program({"obfuscate", "apply", "--key", key(), one, two, "-o", at("b"), "--force"}).err,
              HasSubstr("may be an input itself"));
  EXPECT_EQ(test::read_file(two), "two");
}

TEST_F(ObfuscateTest, WhatIsReplacedKeepsItsMode) {
  const std::string input = put("x", "plain"), output = put("private", "");
  fs::permissions(output, fs::perms::owner_read | fs::perms::owner_write);
  ASSERT_EQ(run_program({"obfuscate", "apply", "--key", key(), input, "-o", output, "--force"}).status, kExitOk);
  EXPECT_EQ(fs::status(output).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(ObfuscateTest, RefusesWhatMakesNoSense) {
  const std::string k = key();
  expect_failure(kExitUsage, "no files given", {"obfuscate", "apply", "--key", k});
  expect_failure(kExitUsage, "-o is required", {"obfuscate", "apply", "--key", k, "x"});
  expect_failure(kExitUsage, "takes one input", {"obfuscate", "apply", "--key", k, "x", "y", "-o", "-"});
  expect_failure(kExitUsage, "--key", {"obfuscate", "apply", "x"});
  const std::string other = key("other");
  expect_failure(kExitUsage, "names one key", {"obfuscate", "apply", "--key", k, "--key", other, k, "-o", at("x")});
  expect_failure(kExitUsage, "names one key", {"obfuscate", "rekey", "m", "--key", k, "--key", other, "-o", at("x")});
  expect_failure(kExitUsage, "did you mean `keygen`?", {"obfuscate", "kegen"});
  expect_failure(kExitUsage, "Usage: byteformer obfuscate COMMAND", {"obfuscate"});
  EXPECT_THAT(run_program({"obfuscate", "apply", "--kee", k}).err,
              HasSubstr("Try `byteformer obfuscate apply --help`"));
  EXPECT_THAT(run_program({"help", "obfuscate", "rekey"}).out, HasSubstr("Usage: byteformer obfuscate rekey"));
}

TEST_F(ObfuscateTest, BadKeysAreNamed) {
  const std::string model = nano_model(folder_ / "model", "");
  const std::string bad = put("bad", std::string(256, 'k'));
  for (const Arguments& command : {Arguments{"obfuscate", "apply", put("x", "x"), "-o", at("out"), "--key"},
                                   Arguments{"obfuscate", "rekey", model, "-o", at("out"), "--key"},
                                   Arguments{"classify", "-m", model, "x", "--key"}}) {
    const auto expect_refused = [&](const std::string& path, const std::string& message) {
      Arguments arguments = command;
      arguments.push_back(path);
      expect_failure(kExitFailure, path + ": " + message, arguments);
      EXPECT_FALSE(fs::exists(at("out")));
    };
    expect_refused("/dev/zero", "is a device\n");
    expect_refused(put("short", std::string(255, 'k')), "is no key: it has 255 bytes");
    expect_refused(bad, "the key is no permutation");
    expect_refused(at("missing"), "cannot open");
    expect_refused(at("model"), "is a directory");
    const std::string locked = put("locked", "");
    fs::permissions(locked, fs::perms::none);
    const test::PlainPermissions plain;
    expect_refused(locked, "cannot open: Permission denied");
  }
}

TEST_F(ObfuscateTest, AModelIsKeyedAgainOnlyWhereThatIsSaid) {
  const std::string model = nano_model(folder_ / "model", kFhwc8);
  const Outcome keyed = run_program({"obfuscate", "rekey", model, "--key", key("a"), "-o", at("keyed")});
  expect_ok(keyed);
  const std::string known = "values permuted by the secret key " + fingerprint_of(at("a")).substr(0, 12);
  EXPECT_EQ(keyed.out, at("keyed") + ": reads raw RGB bytes (fHWC) of 8x8 pixels with " + known + "\n");
  expect_failure(kExitUsage, "keyed already", {"obfuscate", "rekey", at("keyed"), "--key", key("b"), "-o", at("x")});
  expect_ok(run_program({"obfuscate", "rekey", at("keyed"), "--key", at("b"), "--again", "-o", at("twice")}));
  expect_failure(kExitFailure, "exists already", {"obfuscate", "rekey", model, "--key", at("a"), "-o", at("keyed")});
}

TEST_F(ObfuscateTest, AKeyedModelReadsPlainFilesOnlyByItsKeys) {
  const std::string model = nano_model(folder_ / "model", kFhwc8);
  const std::string picture = put("x.ppm", some_picture(20, 10, 1));
  run_program({"obfuscate", "rekey", model, "--key", key("a"), "-o", at("keyed")});
  run_program({"obfuscate", "rekey", at("keyed"), "--key", key("b"), "--again", "-o", at("twice")});
  const auto logits = [&](Arguments arguments) {
    arguments.insert(arguments.begin(), {"classify", picture, "--jsonl", "--logits", "-m"});
    const Outcome outcome = run_program(arguments);
    EXPECT_EQ(outcome.status, kExitOk) << outcome.err;
    return nlohmann::json::parse(outcome.out)["logits"];
  };
  const nlohmann::json plain = logits({model});
  EXPECT_EQ(logits({at("keyed"), "--key", at("a")}), plain);
  EXPECT_EQ(logits({at("twice"), "--key", at("a"), "--key", at("b")}), plain);
  EXPECT_EQ(logits({at("twice"), "--key", at("b"), "--key", at("a")}), plain) << "the model knows the order";
  expect_failure(kExitUsage, "--as-is reads files", {"classify", picture, "-m", at("keyed")});
  expect_failure(kExitUsage, fingerprint_of(at("b")), {"classify", picture, "-m", at("twice"), "--key", at("a")});
  expect_failure(kExitUsage, at("b") + " is no key of ", {"classify", picture, "-m", at("keyed"), "--key", at("b")});
  expect_failure(kExitUsage, "is no key of ", {"classify", picture, "-m", model, "--key", at("b")});
  expect_failure(kExitUsage, "cannot be combined", {"classify", "x", "-m", model, "--as-is", "--key", at("b")});
}

TEST_F(ObfuscateTest, AModelOfThePublishedPermutationNeedsNoKey) {
  const std::string model = nano_model(folder_ / "model", kFhwc8);
  const std::string picture = put("x.ppm", some_picture(20, 10, 1));
  run_program({"obfuscate", "rekey", model, "--key", key("paper", {"--seed", "2147483647"}), "-o", at("open")});
  const auto logits = [&](const std::string& dir) {
    return nlohmann::json::parse(run_program({"classify", picture, "--jsonl", "--logits", "-m", dir}).out)["logits"];
  };
  EXPECT_EQ(logits(at("open")), logits(model));
  EXPECT_FALSE(logits(model).empty());
}

TEST_F(ObfuscateTest, EncodeAndEvalTakeKeysToo) {
  const std::string model = nano_model(folder_ / "model", kFhwc8);
  const std::string picture = put("data/0/x.ppm", some_picture(20, 10, 1));
  run_program({"obfuscate", "rekey", model, "--key", key(), "-o", at("keyed")});
  expect_failure(kExitUsage, "is not given", {"encode", picture, "--like", at("keyed"), "-o", at("secret")});
  expect_failure(kExitUsage, "--key needs --like",
                 {"encode", picture, "--to", "png", "--key", "k", "-o", at("secret")});
  expect_ok(run_program({"encode", picture, "--like", at("keyed"), "--key", at("key"), "-o", at("secret")}));
  expect_ok(run_program({"encode", picture, "--like", model, "-o", at("plain")}));
  expect_ok(run_program({"obfuscate", "apply", "--key", at("key"), at("plain/x.fhwc"), "-o", at("applied")}));
  EXPECT_EQ(test::read_file(at("secret/x.fhwc")), test::read_file(at("applied")));
  expect_failure(kExitUsage, "is not given", {"eval", "-m", at("keyed"), "-d", at("data")});
}

struct ShippedExample {
  const char* model;
  const char* file;
};

class ShippedModelsRekeyed : public ObfuscateTest, public testing::WithParamInterface<ShippedExample> {
 protected:
  /// The answer of one file whose bytes are read as they are, without its path.
  static nlohmann::json answer(const std::string& model, const std::string& file) {
    const Outcome outcome =
        run_program({"classify", "-m", model, "--as-is", "--jsonl", "--logits", "--features", file});
    EXPECT_EQ(outcome.status, kExitOk) << outcome.err;
    nlohmann::json json = nlohmann::json::parse(outcome.out);
    json.erase("path");
    return json;
  }
};

// Numbers in the JSON read back to the same float32, so that equal answers are equal bits.
TEST_P(ShippedModelsRekeyed, AnswerObfuscatedFilesWithTheSameBits) {
  const std::string model = in_repository(std::string("models/") + GetParam().model);
  const std::string example = in_repository(std::string("examples/data/") + GetParam().file);
  ASSERT_EQ(run_program({"encode", example, "--like", model, "-o", at("plain")}).status, kExitOk);
  const std::string plain = fs::directory_iterator(at("plain"))->path().native();
  expect_ok(run_program({"obfuscate", "apply", "--key", key("a"), plain, "-o", at("once")}));
  expect_ok(run_program({"obfuscate", "apply", "--key", key("b"), at("once"), "-o", at("twice")}));
  run_program({"obfuscate", "rekey", model, "--key", at("a"), "-o", at("keyed")});
  run_program({"obfuscate", "rekey", at("keyed"), "--key", at("b"), "--again", "-o", at("keyed-twice")});
  const nlohmann::json expected = answer(model, plain);
  EXPECT_GE(expected["logits"].size(), 10U);
  EXPECT_EQ(answer(at("keyed"), at("once")), expected);
  EXPECT_EQ(answer(at("keyed-twice"), at("twice")), expected);
  EXPECT_NE(answer(at("keyed"), plain), expected) << "or this test sees nothing";
}

INSTANTIATE_TEST_SUITE_P(
    Examples, ShippedModelsRekeyed,
    testing::Values(ShippedExample{"spoken-digits", "spoken_3.wav"}, ShippedExample{"spoken-digits", "spoken_7.wav"},
                    ShippedExample{"mnist", "handwritten_3.png"}, ShippedExample{"mnist", "handwritten_7.png"},
                    ShippedExample{"cifar10", "airplane.jpg"}, ShippedExample{"cifar10", "frog.jpg"},
                    ShippedExample{"photos", "frog.jpg"},
                    ShippedExample{"speech-commands", "command_left.wav"}, ShippedExample{"file-types", "frog.jpg"},
                    ShippedExample{"digits-joint", "spoken_7.wav"},
                    ShippedExample{"digits-joint", "handwritten_3.png"}),
    [](const testing::TestParamInfo<ShippedExample>& test) {
      std::string name = std::string(test.param.model) + "_" + test.param.file;
      for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
      return name;
    });

TEST(ShippedModels, AreAllRekeyedHere) {
  const Arguments tested{"cifar10", "digits-joint",    "file-types",   "mnist",
                         "photos",  "speech-commands", "spoken-digits"};
  Arguments shipped;
  for (const auto& folder : fs::directory_iterator(in_repository("models")))
    shipped.push_back(folder.path().filename());
  EXPECT_THAT(shipped, testing::UnorderedElementsAreArray(tested));
}

}  // namespace
}  // namespace byteformer::cli
