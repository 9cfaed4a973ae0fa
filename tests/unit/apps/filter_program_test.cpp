// Programs that run as filters.
#include <gtest/gtest.h>

#include <csignal>

#include "byteformer/error.hpp"
#include "common/gradient_messages.hpp"
#include "system/external_program.hpp"

namespace byteformer::cli {
namespace {

ErrorCode code_of(const std::string& program, const std::vector<std::string>& arguments,
                  const std::vector<std::uint8_t>& input = {}) {
  try {
    run_filter(program, arguments, input);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kNotFound;
}

TEST(RunFilter, HandsOverInputAndOutput) {
  const std::vector<std::uint8_t> input(1'000'000, 'x');
  EXPECT_EQ(run_filter("/bin/sh", {"-c", "wc -c"}, input), "1000000\n");
  EXPECT_EQ(run_filter("/bin/sh", {"-c", "cat > /dev/null; head -c 300000 /dev/zero"}, input).size(), 300'000U);
  EXPECT_EQ(run_filter("/bin/sh", {"-c", "echo \"$0\"", "a b"}, {}), "a b\n");
}

TEST(RunFilter, SaysWhatWentWrong) {
  const std::vector<std::uint8_t> much(1'000'000, 'x');
  EXPECT_EQ(code_of("/bin/sh", {"-c", "exit 3"}, much), ErrorCode::kInternal);  // and reads nothing of it
  EXPECT_EQ(code_of("/bin/sh", {"-c", "kill -9 $$"}), ErrorCode::kInternal);
  EXPECT_EQ(code_of("/no/such/program", {}), ErrorCode::kIo);
}

/// Ends where this does: a process that ignores SIGCHLD, whose children leave no status.
class IgnoringChildren {
 public:
  IgnoringChildren() : before_(std::signal(SIGCHLD, SIG_IGN)) {}
  ~IgnoringChildren() { std::signal(SIGCHLD, before_); }
  IgnoringChildren(const IgnoringChildren&) = delete;
  IgnoringChildren& operator=(const IgnoringChildren&) = delete;

 private:
  void (*before_)(int);
};

TEST(RunFilter, TakesALostStatusForAFailure) {
  const IgnoringChildren ignoring;
  EXPECT_EQ(code_of("/bin/sh", {"-c", "exit 3"}), ErrorCode::kInternal);
}

TEST(RunProgram, TakesALostStatusForAFailure) {
  const IgnoringChildren ignoring;
  EXPECT_THROW(cli::run_program("/bin/sh", {"-c", "exit 3"}), Error);
}

TEST(GradientMessages, ComeThrough) {
  const GradientRequest request{.masking = "released", .label = 3, .of_logit = true, .steps = 7, .threads = 2};
  const GradientRequest same = parse_gradient_request(to_json(request));
  EXPECT_EQ(same.masking, request.masking);
  EXPECT_EQ(same.label, 3);
  EXPECT_TRUE(same.of_logit);
  EXPECT_EQ(same.steps, 7);
  EXPECT_EQ(same.threads, 2);
  EXPECT_FALSE(same.shows_progress);
  const GradientAnswer answer = parse_gradient_answer(to_json(GradientAnswer{0.1, -2.5, {0.1f, -1e-20f}}));
  EXPECT_EQ(answer.value, 0.1);
  EXPECT_EQ(answer.value_without, -2.5);
  EXPECT_EQ(answer.heat, (std::vector<float>{0.1f, -1e-20f}));
  EXPECT_THROW(parse_gradient_answer("{}"), Error);
  EXPECT_THROW(parse_gradient_request("nonsense"), Error);
}

}  // namespace
}  // namespace byteformer::cli
