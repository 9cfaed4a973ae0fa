// PyTorch's random orders: the published values, and the shorter way to the set of the first ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "base/sha256.hpp"
#include "base/text.hpp"
#include "support/files.hpp"

namespace byteformer::base {
namespace {

using nlohmann::json;

std::string digest_of(const std::vector<std::uint32_t>& numbers) {
  std::string bytes;
  for (const std::uint32_t number : numbers) bytes += test::little_endian(number, 4);
  return hex(sha256(test::as_octets(bytes)));
}

std::vector<std::uint32_t> places_of(const std::vector<bool>& is_set) {
  std::vector<std::uint32_t> places;
  for (std::uint32_t i = 0; i < is_set.size(); ++i)
    if (is_set[i]) places.push_back(i);
  return places;
}

TEST(RandpermTest, GivesThePublishedOrders) {
  const json goldens = json::parse(test::read_file(test::data_path("encoders/rng.json")));
  int num_checked = 0;
  for (const json& entry : goldens.at("randperm")) {
    const auto order = randperm(entry["n"], entry["seed"].get<std::uint64_t>());
    SCOPED_TRACE(entry["seed"].dump() + " " + entry["n"].dump());
    EXPECT_EQ(digest_of(order), entry["sha256_int32le"].get<std::string>());
    if (entry.contains("all")) {
      EXPECT_EQ(order, entry["all"].get<std::vector<std::uint32_t>>());
    }
    ++num_checked;
  }
  EXPECT_EQ(num_checked, 24);
}

TEST(RandpermTest, OnlyTheLow32BitsOfTheSeedCount) {
  EXPECT_EQ(randperm(100, 7), randperm(100, (std::uint64_t{5} << 32) + 7));
  EXPECT_NE(randperm(100, 7), randperm(100, 8));
  EXPECT_TRUE(randperm(0, 7).empty());
}

TEST(RandpermTest, TheFirstOnesAreThoseOfTheWholeOrder) {
  for (std::uint32_t n = 0; n < 40; ++n)
    for (std::uint32_t count = 0; count <= n; ++count) {
      auto first = randperm(n, n + count);
      first.resize(count);
      std::ranges::sort(first);
      EXPECT_EQ(places_of(is_among_first(n, count, n + count)), first) << count << " of " << n;
    }
}

}  // namespace
}  // namespace byteformer::base
