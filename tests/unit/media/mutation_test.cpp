// Hundreds of damaged pictures and sounds of every kind: decoded or refused, never a crash or another exception.
#include <gtest/gtest.h>

#include "byteformer/error.hpp"
#include "media/image.hpp"
#include "media/pictures.hpp"
#include "media/sound.hpp"
#include "media/sounds.hpp"
#include "support/effort.hpp"
#include "support/mutations.hpp"

namespace byteformer::media {
namespace {

constexpr int kNumMutations = test::effort(300);
constexpr std::size_t kMaxSize = std::size_t{1} << 22;  // pixels or samples: the damage is in the file, not in its size

/// Feeds damaged copies of `file` to `decode` and returns how many were refused.
template <typename Decode>
int count_refused(const std::vector<std::uint8_t>& file, Decode decode) {
  int num_refused = 0;
  for (int seed = 0; seed < kNumMutations; ++seed) {
    const std::string damaged = test::Mutator(static_cast<std::uint64_t>(seed))
                                    .mutate({reinterpret_cast<const char*>(file.data()), file.size()});
    try {
      decode(std::span(reinterpret_cast<const std::uint8_t*>(damaged.data()), damaged.size()));
    } catch (const Error&) {
      ++num_refused;
    } catch (const std::exception& error) {
      ADD_FAILURE() << "mutation " << seed << ": " << error.what();
    }
  }
  return num_refused;
}

class PictureMutationTest : public testing::TestWithParam<test::Picture> {};

TEST_P(PictureMutationTest, IsDecodedOrRefused) {
  EXPECT_GT(
      count_refused(GetParam().bytes(), [](std::span<const std::uint8_t> file) { decode_image(file, "x", kMaxSize); }),
      0);
}

INSTANTIATE_TEST_SUITE_P(Files, PictureMutationTest, testing::ValuesIn(test::pictures()),
                         [](const auto& picture) { return test::test_name(picture.param.name); });

class SoundMutationTest : public testing::TestWithParam<test::SoundSample> {};

TEST_P(SoundMutationTest, IsDecodedOrRefused) {
  EXPECT_GT(
      count_refused(GetParam().bytes(), [](std::span<const std::uint8_t> file) { decode_sound(file, "x", kMaxSize); }),
      0);
}

INSTANTIATE_TEST_SUITE_P(Files, SoundMutationTest, testing::ValuesIn(test::sounds()),
                         [](const auto& sound) { return test::test_name(sound.param.name); });

}  // namespace
}  // namespace byteformer::media
