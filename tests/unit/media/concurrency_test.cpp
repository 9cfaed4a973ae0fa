// Decoders and encoders used by several threads at once give what one thread gets.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "media/image.hpp"
#include "media/pictures.hpp"
#include "media/sound.hpp"
#include "media/sounds.hpp"

namespace byteformer::media {
namespace {

constexpr int kNumThreads = 4;

/// Runs `check` on several threads at once and returns how often it said no.
template <typename Check>
int count_failures(Check check) {
  std::atomic<int> num_failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kNumThreads; ++i) threads.emplace_back([&] { num_failures += check() ? 0 : 1; });
  for (std::thread& thread : threads) thread.join();
  return num_failures;
}

TEST(Concurrency, Pictures) {
  for (const test::Picture& picture : test::pictures()) {
    const auto bytes = picture.bytes();
    const auto rgb = picture.rgb();
    EXPECT_EQ(count_failures([&] { return decode_image(bytes, "x").rgb == rgb; }), 0) << picture.name;
  }
}

TEST(Concurrency, Sounds) {
  const Sound tone{16000, test::tone()};
  const FileBytes mp3 = encode_mp3(tone);
  for (const test::SoundSample& sample : test::sounds()) {
    const auto bytes = sample.bytes();
    const Sound sound = decode_sound(bytes, "x");
    const Sound slow = resampled(sound, 8000);
    const auto check = [&] {
      return decode_sound(bytes, "x") == sound && resampled(sound, 8000) == slow && encode_mp3(tone) == mp3;
    };
    EXPECT_EQ(count_failures(check), 0) << sample.name;
  }
}

}  // namespace
}  // namespace byteformer::media
