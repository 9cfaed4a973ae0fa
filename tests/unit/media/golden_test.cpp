// The published bytes: every encoding, resize and crop in tests/data/encoders, byte for byte.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "base/sha256.hpp"
#include "base/text.hpp"
#include "media/image.hpp"
#include "media/sound.hpp"
#include "support/files.hpp"

namespace byteformer::media {
namespace {

using nlohmann::json;

json index_of(const std::string& folder) {
  return json::parse(test::read_file(test::data_path("encoders/" + folder + "/index.json")));
}

std::string digest_of(std::span<const std::uint8_t> bytes) { return base::hex(base::sha256(bytes)); }

Image raw_image(const std::string& path, const json& entry) {
  return {entry["width"], entry["height"], test::read_bytes(test::data_path(path))};
}

TEST(EncoderGoldens, Images) {
  int num_checked = 0;
  for (const json& entry : index_of("images")) {
    const Image image = raw_image("encoders/images/" + entry["rgb"].get<std::string>(), entry);
    const std::map<std::string, FileBytes> encoded{
        {"fHWC", encode_fhwc(image)}, {"fCHW", encode_fchw(image)},           {"TIFF", encode_tiff(image)},
        {"PNG", encode_png(image)},   {"JPEG_q100", encode_jpeg(image, 100)}, {"JPEG_q60", encode_jpeg(image, 60)}};
    for (const auto& [name, output] : entry["outputs"].items()) {
      SCOPED_TRACE(entry["name"].get<std::string>() + " " + name);
      ASSERT_TRUE(encoded.contains(name));
      EXPECT_EQ(encoded.at(name).size(), output["bytes"].get<std::size_t>());
      EXPECT_EQ(digest_of(encoded.at(name)), output["sha256"].get<std::string>());
      ++num_checked;
    }
  }
  EXPECT_EQ(num_checked, 36);
}

TEST(EncoderGoldens, Sounds) {
  int num_checked = 0;
  for (const json& entry : index_of("audio")) {
    const std::string bytes = test::read_file(test::data_path("encoders/audio/" + entry["f32"].get<std::string>()));
    Sound sound{entry["sample_rate"], std::vector<float>(entry["samples"].get<std::size_t>())};
    ASSERT_EQ(bytes.size(), sound.samples.size() * sizeof(float));
    std::memcpy(sound.samples.data(), bytes.data(), bytes.size());
    const std::map<std::string, FileBytes> encoded{{"wav_float32", encode_wav(sound, SampleFormat::kFloat32)},
                                                   {"wav_int32", encode_wav(sound, SampleFormat::kInt32)},
                                                   {"wav_int16", encode_wav(sound, SampleFormat::kInt16)},
                                                   {"wav_uint8", encode_wav(sound, SampleFormat::kUint8)},
                                                   {"mp3", encode_mp3(sound)}};
    for (const auto& [name, output] : entry["outputs"].items()) {
      SCOPED_TRACE(entry["name"].get<std::string>() + " " + name);
      ASSERT_TRUE(encoded.contains(name));
      EXPECT_EQ(encoded.at(name).size(), output["bytes"].get<std::size_t>());
      if (output.contains("sha256")) {
        EXPECT_EQ(digest_of(encoded.at(name)), output["sha256"].get<std::string>());
      } else {
        EXPECT_EQ(encoded.at(name),
                  test::read_bytes(test::data_path("encoders/audio/" + output["file"].get<std::string>())));
      }
      ++num_checked;
    }
  }
  EXPECT_EQ(num_checked, 10);
}

TEST(EncoderGoldens, ResizeAndCrop) {
  int num_checked = 0;
  for (const json& entry : index_of("resample")) {
    SCOPED_TRACE(entry["output"].get<std::string>());
    const Image image = raw_image("encoders/resample/" + entry["input"].get<std::string>(), entry);
    const Image small = with_shorter_side(image, entry["resize"]);
    EXPECT_EQ(small.width, entry["resized"][0].get<int>());
    EXPECT_EQ(small.height, entry["resized"][1].get<int>());
    EXPECT_EQ(digest_of(center_cropped(small, entry["crop"], "x").rgb), entry["sha256"].get<std::string>());
    ++num_checked;
  }
  EXPECT_EQ(num_checked, 5);
}

}  // namespace
}  // namespace byteformer::media
