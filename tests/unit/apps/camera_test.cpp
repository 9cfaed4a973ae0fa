// `byteformer camera`: the positions that are kept, and the picture of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "bytes/transforms.hpp"
#include "exit_status.hpp"
#include "folder_test.hpp"
#include "media/image.hpp"
#include "run_program.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

using CameraCommandTest = FolderTest;

TEST_F(CameraCommandTest, TheMaskIsThePublishedOne) {
  const Outcome outcome = run_program({"camera", "mask", "--keep-frac", "0.03", "--bytes", "24000"});
  ASSERT_EQ(outcome.status, kExitOk) << outcome.err;
  std::vector<bool> is_kept(24'000);
  std::istringstream lines(outcome.out);
  std::size_t before = 0;
  for (std::size_t position = 0; lines >> position; before = position) {
    EXPECT_GE(position, before);
    is_kept.at(position) = true;
  }
  EXPECT_EQ(is_kept, bytes::kept_positions({.keep_frac = 0.03}, 24'000));
  EXPECT_EQ(run_program({"camera", "mask", "--keep-frac", "0.03", "--bytes", "24000", "-o", at("mask")}).status,
            kExitOk);
  EXPECT_EQ(test::read_file(at("mask")), outcome.out);
  EXPECT_NE(run_program({"camera", "mask", "--keep-frac", "0.03", "--bytes", "24000", "--seed", "1"}).out, outcome.out);
}

TEST_F(CameraCommandTest, MasksThatMakeNoSenseAreUsageErrors) {
  const auto refused = [](const std::vector<std::string>& options) {
    std::vector<std::string> arguments{"camera", "mask"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome outcome = run_program(arguments);
    EXPECT_EQ(outcome.status, kExitUsage);
    return outcome.err;
  };
  EXPECT_THAT(refused({"--keep-frac", "0", "--bytes", "100"}), HasSubstr("above 0"));
  EXPECT_THAT(refused({"--keep-frac", "1.5", "--bytes", "100"}), HasSubstr("--keep-frac must be"));
  EXPECT_THAT(refused({"--keep-frac", "0.001", "--bytes", "100"}), HasSubstr("keeps none of 100"));
  EXPECT_THAT(refused({"--keep-frac", "0.5"}), HasSubstr("--bytes"));
  EXPECT_THAT(refused({"--keep-frac", "0.5", "--bytes", "4294967296"}), HasSubstr("--bytes must be"));
}

TEST_F(CameraCommandTest, SimulatesWhatAPersonCouldSee) {
  const std::string rgb(std::size_t{3} * 20 * 10, '\xc8');
  test::write_file(at("x.ppm"), ppm(20, 10, rgb));
  const Outcome outcome =
      run_program({"camera", "simulate", at("x.ppm"), "--keep-frac", "0.25", "--crop", "8", "-o", at("seen.png")});
  ASSERT_EQ(outcome.status, kExitOk) << outcome.err;
  EXPECT_EQ(outcome.out, at("seen.png") + ": 8 x 8 pixels, 48 of 192 bytes kept\n");
  const media::Image seen = media::decode_image(test::read_bytes(at("seen.png")), "seen");
  const std::vector<bool> is_kept = bytes::kept_positions({.keep_frac = 0.25}, 192);
  for (std::size_t i = 0; i < is_kept.size(); ++i) EXPECT_EQ(seen.rgb.at(i), is_kept[i] ? 0xc8 : 0) << i;
}

TEST_F(CameraCommandTest, SaysWhatItCannotSimulate) {
  test::write_file(at("x.ppm"), ppm(2, 1, "abcdef"));
  test::write_file(at("text"), "hello");
  const auto status = [&](const std::string& input, const std::string& output, const std::string& message) {
    const Outcome outcome = run_program({"camera", "simulate", at(input), "--keep-frac", "0.5", "-o", at(output)});
    EXPECT_THAT(outcome.err, HasSubstr(message));
    return outcome.status;
  };
  EXPECT_EQ(status("text", "seen.png", at("text") + ": is no picture"), kExitInputFailed);
  EXPECT_EQ(status("missing", "seen.png", at("missing") + ": cannot open"), kExitInputFailed);
  EXPECT_FALSE(fs::exists(at("seen.png")));
  EXPECT_EQ(status("x.ppm", "no/seen.png", at("no/seen.png")), kExitFailure);
  EXPECT_EQ(status("x.ppm", "seen.png", ""), kExitOk);
  EXPECT_EQ(status("x.ppm", "seen.png", at("seen.png") + " exists already; --force"), kExitFailure);
}

}  // namespace
}  // namespace byteformer::cli
