// Command lines and the exit statuses that they end in; no model is needed for these.
#include "application.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exit_status.hpp"
#include "run_program.hpp"

namespace byteformer::cli {
namespace {

using ::testing::HasSubstr;

void expect_usage_error(const std::vector<std::string>& arguments, const std::string& message,
                        const std::optional<std::string>& input = "") {
  const Outcome outcome = run_program(arguments, input);
  EXPECT_EQ(outcome.status, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr(message));
  EXPECT_THAT(outcome.err, HasSubstr("--help`"));
  EXPECT_EQ(outcome.out, "");
}

TEST(CommandLine, HelpAndVersionSucceed) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"},
                                                    {"-h"},
                                                    {"help"},
                                                    {"classify", "--help"},
                                                    {"help", "bench"},
                                                    {"--version"},
                                                    {"-V"},
                                                    {"inspect", "--system"},
                                                    {"completions", "bash"},
                                                    {"man"}}) {
    const Outcome outcome = run_program(arguments);
    EXPECT_EQ(outcome.status, kExitOk) << arguments[0];
    EXPECT_FALSE(outcome.out.empty());
    EXPECT_EQ(outcome.err, "");
  }
}

TEST(CommandLine, WithoutACommandShowsHelpAsAnError) {
  const Outcome outcome = run_program({});
  EXPECT_EQ(outcome.status, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("Commands:"));
  EXPECT_EQ(outcome.out, "");
}

TEST(CommandLine, SuggestsTheNearestWord) {
  expect_usage_error({"clasify"}, "unknown command `clasify`; did you mean `classify`?");
  expect_usage_error({"classify", "-m", "x", "--jsonlines", "a"}, "unknown option `--jsonlines`");
  expect_usage_error({"classify", "-m", "x", "--treads", "2", "a"}, "did you mean `--threads`?");
  expect_usage_error({"help", "bnech"}, "did you mean `bench`?");
  expect_usage_error({"--verison"}, "unknown option `--verison`");
}

TEST(CommandLine, NumbersAreChecked) {
  const std::vector<std::string> classify{"classify", "--model", "x", "file"};
  for (const auto& [option, value] : {std::pair<std::string, std::string>{"--threads", "0"},
                                      {"--threads", "-1"},
                                      {"--threads", "1000000"},
                                      {"--threads", "two"},
                                      {"--threads", "2.5"},
                                      {"--threads", "99999999999999999999"},
                                      {"--top-k", "0"},
                                      {"--batch-size", "0"},
                                      {"--threshold", "1.5"},
                                      {"--threshold", "-0.1"},
                                      {"--threshold", "nan"},
                                      {"--masking", "none"},
                                      {"--precision", "int4"}}) {
    std::vector<std::string> arguments = classify;
    arguments.push_back(option + "=" + value);
    expect_usage_error(arguments, option + " must be");
  }
}

TEST(CommandLine, ContradictionsAreRefused) {
  expect_usage_error({"classify", "-m", "x", "--json", "--jsonl", "a"}, "--json");
  expect_usage_error({"classify", "-m", "x"}, "no files given");
  expect_usage_error({"explain", "a"}, "--model is required");
  expect_usage_error({"classify", "-m", "x", "-", "-"}, "more than once");
  expect_usage_error({"classify", "-m", "x", "-", "--files-from", "-"}, "cannot both");
  expect_usage_error({"classify", "-m", "x", "-0", "a"}, "--null needs --files-from");
  expect_usage_error({"classify", "-m", "x", "--features", "a"}, "--features needs --json");
  expect_usage_error({"classify", "-m", "x", ""}, "must not be empty");
  expect_usage_error({"classify", "-m", "x", "--files-from", "/nowhere/list"}, "cannot open /nowhere/list");
  expect_usage_error({"classify", "-m", "x", "--files-from", "/"}, "/: it is a directory");
  expect_usage_error({"inspect"}, "--model or --system is required");
  expect_usage_error({"inspect", "models/mnist"}, "did you mean `--model models/mnist`?");
  expect_usage_error({"inspect", "--system", "-m", "x"}, "--model cannot be combined with --system");
  expect_usage_error({"bench", "-m", "x", "--bytes", "5", "file"}, "FILE cannot be combined with --bytes");
  expect_usage_error({"export", "x", "--to", "gguf"}, "--to must be pt or safetensors or onnx");
  expect_usage_error({"import", "x"}, "is required");
  expect_usage_error({"completions", "tcsh"}, "bash or zsh or fish");
  expect_usage_error({"completions", "bash", "zsh"}, "unexpected argument `zsh`");
}

TEST(CommandLine, AClosedStandardInputIsAUsageError) {
  expect_usage_error({"classify", "-m", "x", "-"}, "standard input is closed", std::nullopt);
  expect_usage_error({"classify", "-m", "x", "--files-from", "-"}, "standard input is closed", std::nullopt);
}

TEST(CommandLine, AMissingModelIsAFailure) {
  const Outcome outcome = run_program({"classify", "--model", "/nowhere/model", "file"});
  EXPECT_EQ(outcome.status, kExitFailure);
  EXPECT_THAT(outcome.err, HasSubstr("/nowhere/model"));
  EXPECT_EQ(outcome.out, "");
}

TEST(CommandLine, FilesMayBeNamedLikeCommandsOrLists) {
  // The model is missing, so getting as far as that means that the arguments were understood.
  for (const std::string file : {"inspect", "[a,b]", "[]", "\x01", "%%", "--", "help"}) {
    std::vector<std::string> arguments{"classify", "-m", "/nowhere", "a", file};
    if (file == "--") arguments.emplace_back("--json");
    EXPECT_EQ(run_program(arguments).status, kExitFailure) << file;
  }
}

}  // namespace
}  // namespace byteformer::cli
