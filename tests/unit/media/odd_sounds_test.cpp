// Sounds as people have them: lengths that nobody knew, tags and rubbish around them, several joined.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/bytes_io.hpp"
#include "media/places.hpp"
#include "media/sound.hpp"
#include "media/sounds.hpp"
#include "support/errors.hpp"

namespace byteformer::media {
namespace {

FileBytes sound_file(const std::string& name) { return test::read_bytes(test::data_path("sounds/" + name)); }

void append(FileBytes& file, const FileBytes& more) { file.insert(file.end(), more.begin(), more.end()); }
void append(FileBytes& file, std::string_view text) { base::append_text(file, text); }

FileBytes joined(FileBytes first, const FileBytes& second) {
  append(first, second);
  return first;
}

std::size_t position_of(const FileBytes& file, std::string_view tag) { return base::as_text(file).find(tag); }

/// Writes `value` over the `num_bytes` bytes at `offset`.
void put(FileBytes& file, std::size_t offset, std::uint64_t value, std::size_t num_bytes, bool is_big_endian) {
  for (std::size_t i = 0; i < num_bytes; ++i)
    file[offset + (is_big_endian ? num_bytes - 1 - i : i)] = static_cast<std::uint8_t>(value >> (8 * i));
}

/// The tag that begins with ID3, of `num_bytes` bytes of nothing.
FileBytes id3v2(std::size_t num_bytes) {
  FileBytes tag;
  append(tag, {"ID3\4\0\0\0\0", 8});
  tag.push_back(static_cast<std::uint8_t>(num_bytes >> 7));
  tag.push_back(static_cast<std::uint8_t>(num_bytes & 127));
  tag.resize(tag.size() + num_bytes, 'x');
  return tag;
}

FileBytes id3v1() {
  FileBytes tag;
  append(tag, "TAGa title");
  tag.resize(128, ' ');
  return tag;
}

FileBytes ape() {
  FileBytes tag;
  append(tag, {"APETAGEX\xD0\7\0\0\x28\0\0\0\1\0\0\0\0\0\0\xA0\0\0\0\0\0\0\0\0", 32});
  tag.resize(32 + 40, 'y');
  return tag;
}

FileBytes lyrics() {
  FileBytes tag;
  append(tag, "LYRICSBEGININD0000200000028LYRICS200");
  return tag;
}

const FileBytes kZeros(1000, 0);

void expect_tone(const FileBytes& file, double tolerance) {
  const Sound sound = decode_sound(file, "x");
  const std::vector<float> tone = test::tone();
  ASSERT_EQ(sound.samples.size(), tone.size());
  for (std::size_t i = 0; i < tone.size(); ++i) ASSERT_NEAR(sound.samples[i], tone[i], tolerance + 1e-4) << i;
}

// What sox, ffmpeg, arecord, parec, lame, espeak, GStreamer and Python leave where they cannot go back.
constexpr std::uint64_t kUnknown32[] = {0,          0x7F000008, 0x7FFFF000, 0x7FFFFFFF, 0x80000000,
                                        0x7FFFFFDB, 0xFFFFFFD3, 0xFFFFF000, 0xFFFFFFFF};
constexpr std::uint64_t kUnknown64[] = {0, 0x7FFFFFFFFFFFFFFF, 0x7FFFFFFFFFFFFFDB, 0xFFFFFFFFFFFFFFFF};

TEST(UnknownLength, MeansToTheEndInWav) {
  for (const char* name : {"int16.wav", "int24.wav", "float32.wav", "stereo.wav", "big_endian.wav", "mulaw.wav"})
    for (const std::uint64_t length : kUnknown32) {
      SCOPED_TRACE(std::string(name) + " " + std::to_string(length));
      FileBytes file = sound_file(name);
      const bool is_big_endian = base::has_tag(file, 0, "RIFX");
      const std::size_t data = position_of(file, "data");
      const std::size_t num_bytes =
          is_big_endian ? base::big_endian(file, data + 4, 4) : base::little_endian(file, data + 4, 4);
      file.resize(data + 8 + num_bytes);
      put(file, 4, length, 4, is_big_endian);
      put(file, data + 4, length, 4, is_big_endian);
      expect_tone(file, base::has_tag(file, 20, {"\7", 1}) ? 0.03 : 0);
    }
}

TEST(UnknownLength, MeansToTheEndInRf64AndBw64) {
  const FileBytes wav = encode_wav({16000, test::tone()}, SampleFormat::kInt16);
  for (const std::string_view tag : {"RF64", "BW64"})
    for (const std::uint64_t length : kUnknown64) {
      SCOPED_TRACE(std::string(tag) + " " + std::to_string(length));
      FileBytes file;
      append(file, tag);
      append(file, {"\xFF\xFF\xFF\xFFWAVEds64\x1C\0\0\0", 16});
      for (int i = 0; i < 3; ++i) base::append_little_endian(file, length, 8);
      base::append_little_endian(file, 0, 4);
      file.insert(file.end(), wav.begin() + 12, wav.end());
      put(file, position_of(file, "data") + 4, 0xFFFFFFFF, 4, false);
      expect_tone(file, 0);
    }
}

TEST(UnknownLength, MeansToTheEndInW64) {
  const FileBytes wav = encode_wav({16000, test::tone()}, SampleFormat::kInt16);
  constexpr std::string_view kGuid("\xF3\xAC\xD3\x11\x8C\xD1\x00\xC0\x4F\x8E\xDB\x8A", 12);
  for (const std::uint64_t length : {std::uint64_t{24} + 3200, kUnknown64[0], kUnknown64[1], kUnknown64[3]}) {
    SCOPED_TRACE(length);
    FileBytes file;
    append(file, {"riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB\x04\xC1\0\0", 16});
    base::append_little_endian(file, length, 8);
    append(file, "wave");
    append(file, kGuid);
    append(file, "fmt ");
    append(file, kGuid);
    base::append_little_endian(file, 24 + 16, 8);
    file.insert(file.end(), wav.begin() + 20, wav.begin() + 36);
    append(file, "data");
    append(file, kGuid);
    base::append_little_endian(file, length, 8);
    file.insert(file.end(), wav.begin() + 44, wav.end());
    EXPECT_EQ(sound_kind(file), "w64");
    expect_tone(file, 0);
    file.resize(file.size() - 100);
    if (length == 3224)
      test::expect_error(ErrorCode::kInvalidFormat, {"ends too early"}, [&] { decode_sound(file, "x"); });
  }
}

TEST(UnknownLength, MeansToTheEndInAiffAuAndCaf) {
  for (const char* name : {"tone.aiff", "tone.aifc"})
    for (const std::uint64_t length : kUnknown32) {
      SCOPED_TRACE(std::string(name) + " " + std::to_string(length));
      FileBytes file = sound_file(name);
      const std::size_t samples = position_of(file, "SSND");
      file.resize(samples + 8 + base::big_endian(file, samples + 4, 4));
      put(file, 4, length, 4, true);
      put(file, position_of(file, "COMM") + 10, length / 2, 4, true);
      put(file, samples + 4, length, 4, true);
      expect_tone(file, 0);
    }
  for (const std::uint64_t length : kUnknown32) {
    FileBytes file = sound_file("tone.au");
    put(file, 8, length, 4, true);
    expect_tone(file, 0);
  }
  for (const std::uint64_t length : kUnknown64) {
    FileBytes file = sound_file("tone.caf");
    const std::size_t samples = position_of(file, "data");
    file.resize(samples + 12 + base::big_endian(file, samples + 4, 8));
    put(file, samples + 4, length, 8, true);
    expect_tone(file, 0);
  }
}

TEST(UnknownLength, IsNoneWhereAFileIsReallyEmpty) {
  FileBytes empty = encode_wav({16000, {0}}, SampleFormat::kInt16);
  empty.resize(44);
  put(empty, 40, 0, 4, false);
  test::expect_error(ErrorCode::kInvalidFormat, {"no samples"}, [&] { decode_sound(empty, "x"); });
  append(empty, {"LIST\4\0\0\0INFO", 12});
  test::expect_error(ErrorCode::kInvalidFormat, {"no samples"}, [&] { decode_sound(empty, "x"); });
}

TEST(TagsAround, AnyFormatAreSkipped) {
  for (const test::SoundSample& sample : test::sounds()) {
    SCOPED_TRACE(sample.name);
    const FileBytes file = sample.bytes();
    for (const FileBytes& before :
         {id3v2(300), joined(id3v2(10), kZeros), kZeros, ape(), joined(id3v2(0), id3v2(20))}) {
      const FileBytes tagged = joined(before, file);
      EXPECT_EQ(sound_kind(tagged), sound_kind(file));
      EXPECT_EQ(decode_sound(tagged, "x"), decode_sound(file, "x"));
    }
    for (const FileBytes& behind : {id3v1(), kZeros, ape(), joined(lyrics(), id3v1()), joined(ape(), id3v1())})
      EXPECT_EQ(decode_sound(joined(file, behind), "x"), decode_sound(file, "x"));
  }
}

/// A chunk of this tag and content, whose length is even.
FileBytes chunk(std::string_view tag, std::string_view content) {
  FileBytes out;
  append(out, tag);
  base::append_little_endian(out, content.size(), 4);
  append(out, content);
  return out;
}

TEST(Metadata, OfWavHaveNoSayInWhetherItIsRead) {
  using namespace std::string_view_literals;
  const FileBytes whole = sound_file("int16.wav");
  const auto data = static_cast<std::ptrdiff_t>(position_of(whole, "data"));
  const FileBytes format(whole.begin() + static_cast<std::ptrdiff_t>(position_of(whole, "fmt ")), whole.begin() + data);
  const FileBytes odd[] = {
      chunk("LIST", "INFOISFT\4\0\0\0Lavf\0\0"sv), chunk("LIST", "in"),     chunk("acid", "xy"), chunk("smpl", "xyzw"),
      chunk("cue ", "x\0"sv),                        chunk("bext", "short!"), chunk("PEAK", "ab"), chunk("fact", ""),
      chunk("\1\2\3\4", "zz"),                       format};
  for (const FileBytes& more : odd)
    for (const bool is_before : {true, false}) {
      SCOPED_TRACE(std::string(base::as_text(more).substr(0, 4)) + (is_before ? " before" : " behind"));
      FileBytes file = whole;
      file.insert(is_before ? file.begin() + data : file.end(), more.begin(), more.end());
      put(file, 4, file.size() - 8, 4, false);
      expect_tone(file, 0);
    }
}

TEST(TagsAround, MakeNoMp3OfWhatIsNone) {
  FileBytes rubbish = id3v2(100);
  rubbish.resize(5000, 'z');
  test::expect_error(ErrorCode::kUnsupported, {"x", "byte 110", "no sound"}, [&] { decode_sound(rubbish, "x"); });
  append(rubbish, sound_file("tone.mp3"));  // frames that a decoder would find if it searched
  test::expect_error(ErrorCode::kUnsupported, {"x", "byte 110", "no sound"}, [&] { decode_sound(rubbish, "x"); });
}

TEST(TagsAround, LeaveTheStartOfAFileAnMp3WhileNothingElseIsSeen) {
  FileBytes start = id3v2(2000);
  start.resize(1000);
  EXPECT_EQ(sound_kind(start), "mp3");
  test::expect_error(ErrorCode::kInvalidFormat, {"x", "mp3", "ends too early"}, [&] { decode_sound(start, "x"); });
}

TEST(JoinedSounds, AreReadOnWhereStreamsMayFollowOneAnother) {
  for (const char* name : {"vorbis.ogg", "tone.opus", "tone.mp3", "tagged.mp3"}) {
    SCOPED_TRACE(name);
    const FileBytes file = sound_file(name);
    const Sound once = decode_sound(file, "x");
    const Sound twice = decode_sound(joined(file, file), "x");
    ASSERT_EQ(twice.samples.size(), 2 * once.samples.size());
    for (std::size_t i = 0; i < once.samples.size(); ++i) {
      ASSERT_EQ(twice.samples[i], once.samples[i]) << i;
      ASSERT_EQ(twice.samples[once.samples.size() + i], once.samples[i]) << i;
    }
    EXPECT_EQ(decode_sound(joined(joined(file, kZeros), file), "x").samples.size(), 2 * once.samples.size());
  }
}

TEST(JoinedSounds, AreRefusedWhereTheSecondWouldBeLost) {
  for (const char* first : {"int16.wav", "big_endian.wav", "tone.aiff", "tone.au", "tone.caf", "tone.flac"})
    for (const char* second : {"int16.wav", "tone.flac", "vorbis.ogg", "tone.mp3"}) {
      const bool is_seen = std::string_view(first) != "tone.flac" || std::string_view(second) == "tone.flac";
      if (!is_seen) continue;  // where a FLAC ends is known to its decoder alone
      test::expect_error(ErrorCode::kInvalidFormat, {"another sound begins at byte"},
                         [&] { decode_sound(joined(sound_file(first), sound_file(second)), "x"); });
    }
  test::expect_error(ErrorCode::kInvalidFormat, {"another sound"},
                     [&] { decode_sound(joined(sound_file("tone.mp3"), sound_file("int16.wav")), "x"); });
}

TEST(JoinedSounds, OfTwoRatesAreDamage) {
  const FileBytes slow = encode_mp3({8000, std::vector<float>(8000, 0.25f)});
  for (const FileBytes& between : {FileBytes{}, id3v2(10)})
    test::expect_error(ErrorCode::kInvalidFormat, {"changes on the way"}, [&] {
      decode_sound(joined(joined(encode_mp3({16000, test::tone()}), between), slow), "x");
    });
}

TEST(ShortSounds, AreNeverRoundedToNothing) {
  for (const int rate : {44100, 16000, 8000}) {
    const Sound sound = resampled({48000, {0.5f}}, rate);
    EXPECT_EQ(sound.samples.size(), 1u) << rate;
  }
  for (const auto format : {SampleFormat::kFloat32, SampleFormat::kUint8})
    test::expect_error(ErrorCode::kInvalidArgument, {"no samples"}, [&] { encode_wav({8000, {}}, format); });
  test::expect_error(ErrorCode::kInvalidArgument, {"no samples"}, [] { encode_mp3({8000, {}}); });
}

TEST(Mp3Places, BeginBehindTags) {
  const FileBytes mp3 = encode_mp3({16000, test::tone()});
  const auto places = mp3_places(joined(id3v2(300), mp3));
  ASSERT_TRUE(places);
  EXPECT_EQ(places->parts.front().bytes.begin, 310u);
  EXPECT_EQ(places->num_blocks, mp3_places(mp3)->num_blocks);
}

}  // namespace
}  // namespace byteformer::media
