// The camera: the published positions, and files too short to keep any.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/sha256.hpp"
#include "base/text.hpp"
#include "bytes/transforms.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"

namespace byteformer::bytes {
namespace {

using nlohmann::json;
using test::expect_error;

TEST(PositionMaskTest, KeepsThePublishedPositions) {
  const json goldens = json::parse(test::read_file(test::data_path("encoders/rng.json")));
  int num_checked = 0;
  for (const json& entry : goldens.at("mask_positions")) {
    SCOPED_TRACE(entry["N"].dump() + " " + entry["keep_frac"].dump());
    const auto is_kept = kept_positions({.keep_frac = entry["keep_frac"]}, entry["N"]);
    std::string positions;
    for (std::size_t i = 0; i < is_kept.size(); ++i)
      if (is_kept[i]) positions += test::little_endian(i, 4);
    EXPECT_EQ(positions.size(), 4 * entry["kept"].get<std::size_t>());
    EXPECT_EQ(base::hex(base::sha256(test::as_octets(positions))), entry["sha256_int32le"].get<std::string>());
    ++num_checked;
  }
  EXPECT_EQ(num_checked, 15);
}

TEST(PositionMaskTest, CountsInDoublePrecision) {
  EXPECT_EQ(std::ranges::count(kept_positions({.keep_frac = 0.03}, 24'000), true), 720);  // 719 in single precision
  for (std::uint64_t length = 1; length < 50; ++length)
    EXPECT_EQ(std::ranges::count(kept_positions({.keep_frac = 1}, length), true), static_cast<std::ptrdiff_t>(length));
}

TEST(PositionMaskTest, TheSeedChoosesThePositions) {
  EXPECT_EQ(kept_positions({.keep_frac = 0.5}, 1000), kept_positions({.keep_frac = 0.5, .seed = 2147483647}, 1000));
  EXPECT_NE(kept_positions({.keep_frac = 0.5}, 1000), kept_positions({.keep_frac = 0.5, .seed = 1}, 1000));
}

TEST(PositionMaskTest, RefusesWhatKeepsNothing) {
  for (const std::uint64_t length : {0, 1, 33})
    expect_error(ErrorCode::kEmptyFile,
                 {"keep_frac 0.03 keeps none of " + std::to_string(length) + " bytes", "too short"},
                 [&] { kept_positions({.keep_frac = 0.03}, length); });
  EXPECT_EQ(std::ranges::count(kept_positions({.keep_frac = 0.03}, 34), true), 1);
  expect_error(ErrorCode::kUnsupported, {"4 GiB"}, [] { kept_positions({.keep_frac = 1e-9}, std::uint64_t{1} << 32); });
}

TEST(PositionMaskTest, RefusesFractionsOutsideOfTheirRange) {
  for (const double frac : {0.0, -0.1, 1.001, std::nan(""), std::numeric_limits<double>::infinity()})
    expect_error(ErrorCode::kInvalidArgument, {"keep_frac", "above 0, at most 1"},
                 [&] { validate(PositionMask{.keep_frac = frac}); });
  expect_error(ErrorCode::kInvalidArgument, {"keep_frac 1.5"}, [] { validate(PositionMask{.keep_frac = 1.5}); });
  validate(PositionMask{.keep_frac = 1});
}

}  // namespace
}  // namespace byteformer::bytes
