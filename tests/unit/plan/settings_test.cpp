// What the command hands to the trainer.
#include "plan/settings.hpp"

#include <gtest/gtest.h>

#include "support/errors.hpp"

namespace byteformer::plan {
namespace {

TEST(TrainingRequestTest, SurvivesTheJourney) {
  Request request;
  request.data = "some folder";
  request.output = "out";
  request.time_s = 90;
  request.kernel = 8;
  request.dry_run = true;
  const Request back = parse_request(to_json(request));
  EXPECT_EQ(back.data, request.data);
  EXPECT_EQ(back.time_s, 90);
  EXPECT_EQ(back.kernel, 8);
  EXPECT_TRUE(back.dry_run);
  EXPECT_FALSE(back.epochs);
  EXPECT_EQ(to_json(back), to_json(request));
}

TEST(TrainingRequestTest, CarriesPathsOfAnyBytes) {
  Request request;
  request.data = "caf\xe9";
  request.output = "caf\\xe9";  // looks like an escape
  const Request back = parse_request(to_json(request));
  EXPECT_EQ(back.data, request.data);
  EXPECT_EQ(back.output, request.output);
  EXPECT_EQ(command_line(request), R"(byteformer train --data $'caf\351' --output 'caf\xe9')");
}

TEST(TrainingRequestTest, ReadsAsTheCommandThatAsksForIt) {
  Request request;
  request.data = "some folder";
  request.output = "out";
  request.time_s = 90;
  request.dry_run = true;
  EXPECT_EQ(command_line(request), "byteformer train --data 'some folder' --output out --time 90");
}

TEST(TrainingRequestTest, WhatIsGivenWinsOverWhatIsFilledIn) {
  Request request, defaults;
  request.kernel = defaults.kernel = 8;
  request.min_learning_rate = 0.1;
  request.data = "a b";
  defaults.min_learning_rate = 0.2;
  defaults.data = "c";
  defaults.epochs = 300;
  EXPECT_EQ(fill_in(request, defaults),
            (std::vector<std::string>{"--data 'a b', not c", "--min-learning-rate 0.1, not 0.2"}));
  EXPECT_EQ(request.data, "a b");
  EXPECT_EQ(request.min_learning_rate, 0.1);
  EXPECT_EQ(request.epochs, 300);
}

TEST(TrainingRequestTest, UnknownKeysAndWrongTypesAreErrors) {
  test::expect_error(ErrorCode::kInvalidArgument, {"one version"}, [] { parse_request(R"({"kernl": 8})"); });
  test::expect_error(ErrorCode::kInvalidArgument, {"malformed"}, [] { parse_request(R"({"kernel": "8"})"); });
  test::expect_error(ErrorCode::kInvalidArgument, {"malformed"}, [] { parse_request("{"); });
}

}  // namespace
}  // namespace byteformer::plan
