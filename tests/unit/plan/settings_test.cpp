// The table of settings: every row on its way to the trainer, to a shell, and into a run that goes on.
#include "plan/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "support/errors.hpp"

namespace byteformer::plan {
namespace {

TEST(SettingsTest, SurvivesTheJourney) {
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

TEST(SettingsTest, CarriesPathsOfAnyBytes) {
  Request request;
  request.data = "caf\xe9";
  request.output = "caf\\xe9";  // looks like an escape
  const Request back = parse_request(to_json(request));
  EXPECT_EQ(back.data, request.data);
  EXPECT_EQ(back.output, request.output);
  EXPECT_EQ(command_line(request), R"(byteformer train --data $'caf\351' --output 'caf\xe9')");
}

TEST(SettingsTest, ReadsAsTheCommandThatAsksForIt) {
  Request request;
  request.data = "some folder";
  request.output = "out";
  request.time_s = 90;
  request.dry_run = true;
  EXPECT_EQ(command_line(request), "byteformer train --data 'some folder' --output out --time 90");
}

TEST(SettingsTest, WhatIsGivenWinsOverWhatIsFilledIn) {
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

TEST(SettingsTest, UnknownKeysAndWrongTypesAreErrors) {
  test::expect_error(ErrorCode::kInvalidArgument, {"one version"}, [] { parse_request(R"({"kernl": 8})"); });
  test::expect_error(ErrorCode::kInvalidArgument, {"malformed"}, [] { parse_request(R"({"kernel": "8"})"); });
  test::expect_error(ErrorCode::kInvalidArgument, {"malformed"}, [] { parse_request("{"); });
}

/// Sets it to the first or the second of two values that it takes.
class SetTo {
 public:
  SetTo(const Setting& setting, bool second, Request& request)
      : setting_(setting), second_(second), request_(request) {}
  void operator()(const Flag&) { value<bool>() = true; }
  void operator()(const Text& text) {
    value<std::optional<std::string>>() = text.value_name == "JSON"
                                              ? second_ ? R"([{"type":"shuffle","mode":"reverse"}])" : "[]"
                                          : second_ ? "there"
                                                    : "here";
  }
  void operator()(const Choice& choice) { value<std::optional<std::string>>() = choice.values.at(second_ ? 1 : 0); }
  void operator()(const Whole& range) { value<std::optional<std::int64_t>>() = range.max - (second_ ? 1 : 0); }
  void operator()(const Decimal& range) { value<std::optional<double>>() = second_ ? range.max / 2 : range.max; }
  void operator()(const Duration&) { value<std::optional<double>>() = second_ ? Duration::kMax : Duration::kMax / 2; }

 private:
  template <typename T>
  T& value() {
    return request_.*std::get<T Request::*>(setting_.member);
  }
  const Setting& setting_;
  bool second_;
  Request& request_;
};

Request with(const Setting& setting, bool second = false) {
  Request request;
  std::visit(SetTo(setting, second, request), setting.values);
  return request;
}

TEST(SettingsTest, EveryMemberHasOneRow) {
  std::set<std::string> names;
  std::size_t num_bytes = 0;
  for (const Setting& s : settings()) {
    EXPECT_TRUE(names.insert(s.name).second) << s.name;
    EXPECT_EQ(&setting(s.member), &s);
    num_bytes += std::visit([](auto member) { return sizeof(std::declval<Request>().*member); }, s.member);
  }
  EXPECT_GT(num_bytes + 32, sizeof(Request));  // nothing is left but padding
  EXPECT_LE(num_bytes, sizeof(Request));
}

TEST(SettingsTest, EveryRowSurvivesTheJourney) {
  for (const Setting& s : settings()) {
    const Request request = with(s);
    EXPECT_THAT(to_json(request), testing::HasSubstr("\"" + key(s) + "\":"));
    EXPECT_EQ(to_json(parse_request(to_json(request))), to_json(request)) << s.name;
    const bool is_shown = s.group != Group::kDisplay;
    EXPECT_EQ(command_line(request).find("--" + s.name) != std::string::npos, is_shown) << s.name;
  }
}

TEST(SettingsTest, EveryRowMayOrMayNotChangeWhenARunGoesOn) {
  for (const Setting& s : settings()) {
    const std::string name = option_name(s);
    const auto changes = changes_of_result(with(s, true), with(s), {});
    if (s.effect == Effect::kNone) {
      EXPECT_TRUE(changes.empty()) << name;
      continue;
    }
    ASSERT_EQ(changes.size(), 1U) << name;
    EXPECT_THAT(changes.front(), testing::StartsWith(name + " "));
    EXPECT_EQ(changes_of_result(with(s), {}, {}).empty(),
              s.effect == Effect::kDecidesResult && command_line(with(s)).ends_with(" auto"))
        << name << ", which was left open";
    if (s.effect != Effect::kDecidesResult) continue;
    EXPECT_TRUE(changes_of_result(with(s), with(s), {}).empty()) << name << ", as it was asked for";
    EXPECT_TRUE(changes_of_result(with(s, true), {}, with(s, true)).empty()) << name << ", as it was chosen";
  }
}

TEST(SettingsTest, NamesOfAnyBytesSurviveTheJourney) {
  for (const char* name :
       {"caf\xE9", "caf\xC3\xA9", "\\xE9", "a\\b", "\\x5CxE9", "\xF0\x9F\x98", "\xED\xA0\x80", "plain"}) {
    Request request;
    request.data = name;
    EXPECT_EQ(parse_request(to_json(request)).data, name);
  }
}

}  // namespace
}  // namespace byteformer::plan
