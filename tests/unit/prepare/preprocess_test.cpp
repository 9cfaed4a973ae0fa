// The `preprocess` object: read, written, described.
#include "prepare/preprocess.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

#include "format/json.hpp"
#include "support/errors.hpp"

namespace byteformer::prepare {
namespace {

using media::SampleFormat;
using test::expect_error;

void expect_refused(std::string_view json, std::initializer_list<std::string_view> parts,
                    ErrorCode code = ErrorCode::kInvalidFormat) {
  expect_error(code, parts, [&] { parse_preprocess(json, "c.json: preprocess"); });
}

TEST(PreprocessTest, ReadsTheExampleOfTheSpecification) {
  const auto image = parse_preprocess(R"({"version": 1, "kind": "image", "image": {"resize": 256, "crop": 224},
      "encoding": {"format": "jpeg", "quality": 60, "sample_format": "int16"}, "transforms": []})",
                                      "t");
  EXPECT_EQ(image.image, (ImagePreparation{256, 224, {.format = FileFormat::kJpeg, .quality = 60}}));
  EXPECT_FALSE(image.sound);
  EXPECT_EQ(describe(image), "JPEG (quality 60) of 224x224 pixels");
  const auto sound =
      parse_preprocess(R"({"version": 1, "kind": "audio", "audio": {"sample_rate": 8000, "duration_s": 1.0},
      "encoding": {"format": "wav", "sample_format": "uint8"}})",
                       "t");
  EXPECT_EQ(sound.sound,
            (SoundPreparation{8000, 1.0, {.format = FileFormat::kWav, .sample_format = SampleFormat::kUint8}}));
  EXPECT_EQ(describe(sound), "WAV uint8 of 1 s at 8000 Hz");
}

TEST(PreprocessTest, ReadsTheJointKind) {
  const auto joint = parse_preprocess(R"({"kind": "image+audio", "image": {"crop": 28}, "audio": {"sample_rate": 16000},
      "encoding": {"format": "fhwc"}, "audio_encoding": {"format": "mp3"}})",
                                      "t");
  ASSERT_TRUE(joint.image && joint.sound);
  EXPECT_EQ(joint.image->encoding.format, FileFormat::kFhwc);
  EXPECT_EQ(joint.sound->encoding.format, FileFormat::kMp3);
  EXPECT_EQ(describe(joint), "raw RGB bytes (fHWC) of 28x28 pixels, or MP3 at 16000 Hz");
}

// The example of the specification, its transforms.
constexpr const char* kTransforms = R"([ { "type": "pieces", "start": 768, "middle": 512, "end": 256 },
                    { "type": "shuffle", "mode": "stride", "n": 1024 },
                    { "type": "mask_positions", "keep_frac": 0.1, "seed": 2147483647 },
                    { "type": "random_uniform", "low": -20, "high": 20 },
                    { "type": "byte_permutation", "seed": 2147483647 } ])";

TEST(PreprocessTest, ReadsTransforms) {
  const auto p = parse_preprocess(std::string(R"({"kind": "bytes", "transforms": )") + kTransforms + "}", "t");
  EXPECT_TRUE(p.is_bytes());
  EXPECT_FALSE(p.takes_files_as_they_are());
  EXPECT_EQ(p.transforms, (bytes::Transforms{bytes::Pieces{768, 512, 256},
                                             bytes::Shuffle{bytes::ShuffleMode::kStride, 1024},
                                             bytes::PositionMask{0.1, 2147483647},
                                             bytes::UniformNoise{-20, 20},
                                             {bytes::BytePermutation::of_seed(2147483647)}}));
  EXPECT_EQ(describe(p),
            "files with the first 768 bytes, 512 in the middle and the last 256, every 1024th byte in turn, 0.1 of the "
            "positions, noise from -20 to 20, values permuted by seed 2147483647");
  EXPECT_EQ(to_json(p), std::string("{\n    \"version\": 1,\n    \"kind\": \"bytes\",\n    \"transforms\": ") +
                            kTransforms + "\n  }");
}

TEST(PreprocessTest, TransformsHaveDefaults) {
  const auto p = parse_preprocess(R"({"kind": "bytes", "transforms": [{"type": "shuffle", "mode": "window_shuffle"},
                                  {"type": "mask_positions", "keep_frac": 1}]})",
                                  "t");
  EXPECT_EQ(p.transforms.shuffle->n, 1024U);
  EXPECT_EQ(p.transforms.mask->seed, 2147483647U);
}

TEST(PreprocessTest, TransformsComeAfterTheEncoding) {
  const Preprocess image{ImagePreparation{{}, 8, {}}, {}, {.shuffle = bytes::Shuffle{}}};
  EXPECT_EQ(describe(image), "TIFF of 8x8 pixels with bytes reversed");
  EXPECT_EQ(parse_preprocess(to_json(image), "t"), image);
}

TEST(PreprocessTest, ASecretKeyIsWrittenAsItsFingerprint) {
  bytes::ByteTable key = bytes::BytePermutation::of_seed(5).table();
  std::swap(key[0], key[1]);
  const auto secret = bytes::BytePermutation::of_key(key);
  const Preprocess keyed{{}, {}, {.permutations = {bytes::BytePermutation::of_seed(7), secret}}};
  const Preprocess read = parse_preprocess(to_json(keyed), "t");
  EXPECT_EQ(read, keyed);
  ASSERT_EQ(read.transforms.permutations.size(), 2U);
  EXPECT_FALSE(read.transforms.permutations[1].has_table());
  EXPECT_NE(to_json(keyed).find(R"({ "type": "byte_permutation", "fingerprint": ")" + secret.fingerprint() + "\" }"),
            std::string::npos);
  EXPECT_EQ(describe(keyed), "files with values permuted by seed 7, values permuted by the secret key " +
                                 secret.fingerprint().substr(0, 12));
}

TEST(PreprocessTest, NothingMeansFilesAsTheyAre) {
  EXPECT_TRUE(parse_preprocess("", "t").takes_files_as_they_are());
  EXPECT_TRUE(parse_preprocess(R"({"version": 1, "kind": "bytes"})", "t").takes_files_as_they_are());
  EXPECT_EQ(to_json({}), "");
  EXPECT_EQ(describe(Preprocess{}), "files as they are");
  EXPECT_EQ(describe(Preprocess{ImagePreparation{}, {}}), "TIFF");
  EXPECT_EQ(describe(Preprocess{ImagePreparation{64, {}, {}}, {}}), "TIFF of 64 pixels on the shorter side");
}

TEST(PreprocessTest, NamesWhatIsWrong) {
  expect_refused("[]", {"c.json: preprocess: is an array"});
  expect_refused("{", {"c.json: preprocess", "not valid JSON"});
  expect_refused(R"({"kind": "bytes", "kind": "bytes"})", {"\"kind\" stands twice"});
  expect_refused("{}", {"preprocess.kind is missing", "\"image+audio\""});
  expect_refused(R"({"kind": "video"})", {"preprocess.kind is the string \"video\""});
  expect_refused(R"({"kind": 1})", {"preprocess.kind is 1, expected a string"});
  expect_refused(R"({"version": 0, "kind": "bytes"})", {"preprocess.version is 0, expected 1"});
  expect_refused(R"({"kind": "image"})", {"preprocess.encoding is missing"});
  expect_refused(R"({"kind": "image", "encoding": {}})", {"preprocess.encoding.format is missing", "\"tiff\""});
  expect_refused(R"({"kind": "image", "encoding": {"format": "wav"}})", {"format is the string \"wav\"", "\"fchw\""});
  expect_refused(R"({"kind": "audio", "encoding": {"format": "tiff"}})", {"\"tiff\"", "\"wav\" or \"mp3\""});
  expect_refused(R"({"kind": "image+audio", "encoding": {"format": "tiff"}})", {"audio_encoding is missing"});
  expect_refused(R"({"kind": "image", "encoding": {"format": "jpeg", "quality": 101}})", {"encoding.quality is 101"});
  expect_refused(R"({"kind": "audio", "encoding": {"format": "wav", "sample_format": "int8"}})",
                 {"encoding.sample_format is the string \"int8\"", "\"float32\""});
  const auto with_image = [](const std::string& image) {
    return R"({"kind": "image", "encoding": {"format": "tiff"}, "image": )" + image + "}";
  };
  expect_refused(with_image("1"), {"preprocess.image: is 1, expected an object"});
  expect_refused(with_image(R"({"crop": 0})"), {"image.crop is 0", "from 1 to"});
  expect_refused(with_image(R"({"crop": 1.5})"), {"image.crop is 1.5"});
  expect_refused(with_image(R"({"crop": 18446744073709551615})"), {"image.crop is 18446744073709551615"});
  expect_refused(with_image(R"({"crop": 224, "resize": 200})"), {"image.crop is 224", "at most the 200 of resize"});
  const auto with_audio = [](const std::string& audio) {
    return R"({"kind": "audio", "encoding": {"format": "wav"}, "audio": )" + audio + "}";
  };
  expect_refused(with_audio(R"({"sample_rate": 0})"), {"audio.sample_rate is 0"});
  expect_refused(with_audio(R"({"duration_s": 0})"), {"audio.duration_s is 0"});
  expect_refused(with_audio(R"({"duration_s": 1e-9, "sample_rate": 8000})"), {"audio.duration_s is 1e-09"});
  expect_refused(with_audio(R"({"duration_s": 1e300})"), {"audio.duration_s is 1e+300"});
}

TEST(PreprocessTest, NamesWhatIsWrongWithTransforms) {
  expect_refused(R"({"kind": "bytes", "transforms": {}})", {"transforms is an object", "an array of at most 16"});
  const auto refuse = [](const std::string& list, std::initializer_list<std::string_view> parts) {
    expect_refused(R"({"kind": "bytes", "transforms": [)" + list + "]}", parts);
  };
  refuse("1", {"c.json: preprocess.transforms[0]: is 1, expected an object"});
  refuse("{}", {"transforms[0].type is missing", "\"byte_permutation\""});
  refuse(R"({"type": "blur"})", {"transforms[0].type is the string \"blur\""});
  refuse(R"({"type": "pieces"})", {"transforms[0]: the pieces", "1 to 16777216 bytes"});
  refuse(R"({"type": "pieces", "start": -1})", {"transforms[0].start is -1", "0 to 16777216"});
  refuse(R"({"type": "shuffle"}, {"type": "pieces", "end": 1})", {"transforms[0].mode is missing"});
  refuse(R"({"type": "random_uniform", "low": 0, "high": 1}, {"type": "pieces", "end": 1})", {"transforms[1].type"});
  refuse(R"({"type": "shuffle"})", {"transforms[0].mode is missing", "\"random_shuffle\""});
  refuse(R"({"type": "shuffle", "mode": "strides"})", {"mode is the string \"strides\"", "\"stride\""});
  refuse(R"({"type": "shuffle", "mode": "stride", "n": 0})", {"transforms[0].n is 0", "1 to 16777216"});
  refuse(R"({"type": "mask_positions"})", {"keep_frac is missing"});
  refuse(R"({"type": "mask_positions", "keep_frac": 0})", {"keep_frac is 0"});
  refuse(R"({"type": "mask_positions", "keep_frac": 1.5})", {"transforms[0]: keep_frac 1.5", "at most 1"});
  refuse(R"({"type": "mask_positions", "keep_frac": 0.5, "seed": -1})", {"seed is -1", "0 or more"});
  refuse(R"({"type": "shuffle", "mode": "stride", "stride": 4})",
         {"transforms[0]: has the unknown key \"stride\"", "mode, n, type"});
  refuse(R"({"type": "shuffle", "mode": "reverse", "n": 4})", {"unknown key \"n\"", "expected mode, type"});
  refuse(R"({"type": "mask_positions", "keep_frac": 0.5, "sead": 1})", {"\"sead\"; did you mean `seed`?"});
  refuse(R"({"type": "byte_permutation", "seed": 1, "key": 2})", {"unknown key \"key\""});
  refuse(R"({"type": "random_uniform", "low": 0})", {"high is missing"});
  refuse(R"({"type": "random_uniform", "low": 0.5, "high": 1})", {"low is 0.5"});
  refuse(R"({"type": "random_uniform", "low": 0, "high": 256})", {"high is 256", "-255 to 255"});
  refuse(R"({"type": "random_uniform", "low": 1, "high": -1})", {"transforms[0]: noise from 1 to -1", "low <= high"});
  refuse(R"({"type": "byte_permutation"})", {"transforms[0]: expected either seed or", "fingerprint"});
  refuse(R"({"type": "byte_permutation", "seed": 1, "fingerprint": "00"})", {"either seed or"});
  refuse(R"({"type": "byte_permutation", "fingerprint": "00"})", {"transforms[0]:", "64 digits"});
  const std::string noise = R"({"type": "random_uniform", "low": 0, "high": 1})";
  const std::string permutation = R"({"type": "byte_permutation", "seed": 1})";
  refuse(permutation + "," + noise, {"transforms[1].type is the string \"random_uniform\"", "in this order"});
  refuse(noise + "," + noise, {"transforms[1].type", "in this order"});
  std::string many = permutation;
  for (int i = 0; i < 16; ++i) many += "," + permutation;
  refuse(many, {"transforms is an array of 17", "at most 16"});
}

TEST(PreprocessTest, SaysWhatALaterVersionMayRead) {
  expect_refused(R"({"version": 2, "kind": "hologram"})", {"version is 2", "reads 1"}, ErrorCode::kUnsupported);
}

TEST(PreprocessTest, FormatsHaveNames) {
  for (const std::string_view name : {"tiff", "png", "jpeg", "fhwc", "fchw", "wav", "mp3"})
    EXPECT_EQ(to_string(parse_file_format(name)), name);
  EXPECT_EQ(extension(FileFormat::kJpeg), ".jpg");
  EXPECT_TRUE(is_image(FileFormat::kFchw));
  EXPECT_FALSE(is_image(FileFormat::kMp3));
  expect_error(ErrorCode::kInvalidArgument, {"\"gif\"", "tiff", "mp3"}, [] { parse_file_format("gif"); });
}

std::optional<int> maybe(int low, int high) {
  return *rc::gen::arbitrary<bool>() ? std::optional(*rc::gen::inRange(low, high)) : std::nullopt;
}

bytes::Transforms some_transforms() {
  bytes::Transforms transforms;
  if (const auto mode = maybe(0, 5)) {
    transforms.shuffle = bytes::Shuffle{static_cast<bytes::ShuffleMode>(*mode)};
    if (bytes::has_size(transforms.shuffle->mode))
      transforms.shuffle->n = static_cast<std::uint32_t>(*rc::gen::inRange(1, 5000));
  }
  if (const auto percent = maybe(1, 101)) transforms.mask = {*percent / 100.0, *rc::gen::arbitrary<std::uint64_t>()};
  if (const auto low = maybe(-255, 1)) transforms.noise = {*low, *rc::gen::inRange(0, 256)};
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
    transforms.permutations.push_back(bytes::BytePermutation::of_seed(*rc::gen::arbitrary<std::uint64_t>()));
  return transforms;
}

RC_GTEST_PROP(PreprocessProperty, ComesBackFromItsText, ()) {
  Preprocess preprocess;
  if (*rc::gen::arbitrary<bool>()) {
    const auto format = static_cast<FileFormat>(*rc::gen::inRange(0, 5));
    preprocess.image = {maybe(200, 300), maybe(1, 200), {.format = format}};
    if (format == FileFormat::kJpeg) preprocess.image->encoding.quality = *rc::gen::inRange(1, 101);
  }
  if (*rc::gen::arbitrary<bool>()) {
    const bool is_wav = *rc::gen::arbitrary<bool>();
    preprocess.sound = {maybe(8000, 48'001), {}, {.format = is_wav ? FileFormat::kWav : FileFormat::kMp3}};
    if (const auto ms = maybe(1, 10'000)) preprocess.sound->duration_s = *ms / 1000.0;
    if (is_wav) preprocess.sound->encoding.sample_format = static_cast<SampleFormat>(*rc::gen::inRange(0, 4));
  }
  preprocess.transforms = some_transforms();
  const std::string text = to_json(preprocess);
  RC_ASSERT(parse_preprocess(text, "t") == preprocess);
  if (text.empty()) return;
  // config.json keeps the object as nlohmann writes it, with sorted keys.
  RC_ASSERT(parse_preprocess(format::parse_json(text, "t").dump(), "t") == preprocess);
}

}  // namespace
}  // namespace byteformer::prepare
