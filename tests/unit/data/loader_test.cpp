// Batches of training files: every sample once an epoch, and the same whatever the workers and the start.
#include "data/loader.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include "media/sound.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::data {
namespace {

using test::TemporaryFolder;

/// `count` files of two classes, the second rarer; file i holds i times the letter of i.
std::vector<Sample> make_samples(const TemporaryFolder& folder, int count) {
  std::vector<Sample> samples;
  for (int i = 0; i < count; ++i) {
    const auto path = folder / ("file" + std::to_string(i));
    test::write_file(path, std::string(static_cast<std::size_t>(i + 1), static_cast<char>('a' + i % 26)));
    samples.push_back({path, i % 5 == 0 ? 1 : 0, {}});
  }
  return samples;
}

LoaderOptions options(std::size_t batch_size, int num_workers = 1) {
  LoaderOptions o;
  o.batch_size = batch_size;
  o.seed = 7;
  o.num_workers = num_workers;
  return o;
}

std::vector<media::FileBytes> bytes_of(const std::vector<LoadedFile>& batch) {
  std::vector<media::FileBytes> all;
  for (const LoadedFile& file : batch) all.push_back(file.bytes);
  return all;
}

TEST(LoaderTest, AnEpochHasEverySampleOnceInEvenBatches) {
  const TemporaryFolder folder;
  Loader loader(make_samples(folder, 23), options(5));
  const std::size_t per_epoch = num_batches(23, 5);
  ASSERT_EQ(per_epoch, 5U);
  for (int epoch = 0; epoch < 2; ++epoch) {
    std::map<std::size_t, int> seen;
    for (std::size_t b = 0; b < per_epoch; ++b) {
      const auto batch = loader.next();
      EXPECT_GE(batch.size(), 4U);
      EXPECT_LE(batch.size(), 5U);
      for (const LoadedFile& file : batch) ++seen[file.sample];
    }
    EXPECT_EQ(seen.size(), 23U);
  }
}

TEST(LoaderTest, EpochsHaveOrdersOfTheirOwn) {
  const TemporaryFolder folder;
  Loader loader(make_samples(folder, 40), options(40));
  EXPECT_NE(bytes_of(loader.next()), bytes_of(loader.next()));
}

TEST(LoaderTest, WorkersAndStartChangeNothing) {
  const TemporaryFolder folder;
  const auto samples = make_samples(folder, 23);
  LoaderOptions cut = options(5);
  cut.max_bytes = 7;
  Loader one(samples, cut);
  std::vector<std::vector<media::FileBytes>> expected;
  for (int b = 0; b < 12; ++b) expected.push_back(bytes_of(one.next()));
  for (const int workers : {1, 4})
    for (const std::size_t start : {0U, 3U, 7U}) {
      cut.num_workers = workers;
      Loader other(samples, cut, start);
      for (std::size_t b = start; b < 12; ++b)
        EXPECT_EQ(bytes_of(other.next()), expected[b]) << workers << " " << start;
    }
}

TEST(LoaderTest, BalancedClassesComeEquallyOften) {
  const TemporaryFolder folder;
  LoaderOptions o = options(50);
  o.balance_classes = true;
  Loader loader(make_samples(folder, 50), o);
  const auto batch = loader.next();
  EXPECT_EQ(std::ranges::count_if(batch, [](const LoadedFile& file) { return file.label == 1; }), 25);
}

TEST(LoaderTest, BalancedKindsComeEquallyOften) {
  const TemporaryFolder folder;
  std::vector<Sample> samples;
  for (int i = 0; i < 40; ++i) {
    const bool is_sound = i % 10 == 3;
    const auto path = folder / ("file" + std::to_string(i));
    test::write_file(path, is_sound ? "RIFF....WAVEfmt " : "P6\n1 1\n255\nabc");
    samples.push_back({path, i % 2, {}});
  }
  LoaderOptions o = options(40);
  o.balance_kinds = true;
  const auto is_sound = [](const LoadedFile& file) { return file.bytes[0] == 'R'; };
  Loader loader(samples, o);
  EXPECT_EQ(std::ranges::count_if(loader.next(), is_sound), 20);
  o.balance_classes = true;  // all four sounds belong to class 1, so that three groups take turns
  Loader both(samples, o);
  EXPECT_NEAR(static_cast<double>(std::ranges::count_if(both.next(), is_sound)), 40.0 / 3, 1);
}

TEST(LoaderTest, EveryErrorNamesItsFile) {
  const TemporaryFolder folder;
  const media::FileBytes wav = media::encode_wav({8000, std::vector<float>(100)}, media::SampleFormat::kInt16);
  test::write_file(folder / "a.wav", std::string(wav.begin(), wav.end()));
  LoaderOptions o = options(1);
  o.preprocess.sound = prepare::SoundPreparation{.sample_rate = 1, .duration_s = {}, .encoding = {}};
  Loader loader({{folder / "a.wav", 0, {}}}, o);
  const std::string error = loader.next().at(0).error;
  EXPECT_TRUE(error.starts_with((folder / "a.wav").string() + ": cannot resample")) << error;
}

TEST(LoaderTest, AFileThatCannotBeReadCostsItself) {
  const TemporaryFolder folder;
  auto samples = make_samples(folder, 6);
  std::filesystem::remove(samples[2].path);
  Loader loader(samples, options(6));
  int num_bad = 0;
  for (const LoadedFile& file : loader.next()) {
    if (file.error.empty()) continue;
    ++num_bad;
    EXPECT_EQ(file.sample, 2U);
    EXPECT_NE(file.error.find("file2"), std::string::npos) << file.error;
  }
  EXPECT_EQ(num_bad, 1);
}

TEST(LoaderTest, LongFilesAreCutToPiecesOfThemselves) {
  const TemporaryFolder folder;
  const auto path = folder / "long";
  std::string text;
  for (int i = 0; i < 200; ++i) text += static_cast<char>(i);
  test::write_file(path, text);
  LoaderOptions o = options(1);
  o.max_bytes = 50;
  Loader loader({{path, 0, {}}}, o);
  int num_heads = 0;
  for (int i = 0; i < 40; ++i) {
    const auto bytes = loader.next().front().bytes;
    ASSERT_EQ(bytes.size(), 50U);
    for (std::size_t j = 1; j < bytes.size(); ++j) ASSERT_EQ(bytes[j], bytes[0] + j);
    num_heads += bytes[0] == 0 ? 1 : 0;
  }
  EXPECT_GT(num_heads, 8);
  EXPECT_LT(num_heads, 36);
}

TEST(LoaderTest, TransformsComeAnewInEveryEpoch) {
  const TemporaryFolder folder;
  const auto path = folder / "file";
  test::write_file(path, std::string(300, '\x80'));
  LoaderOptions o = options(1);
  o.preprocess.transforms.noise = {-20, 20};
  o.preprocess.transforms.mask = {0.5};
  Loader loader({{path, 0, {}}}, o);
  const auto first = loader.next().front().bytes;
  EXPECT_EQ(first.size(), 150U);
  EXPECT_NE(loader.next().front().bytes, first);
  EXPECT_EQ(Loader({{path, 0, {}}}, o).next().front().bytes, first);
  const auto judged = load_for_evaluation({path, 0, {}}, o.preprocess);
  EXPECT_EQ(judged, load_for_evaluation({path, 0, {}}, o.preprocess));
  EXPECT_EQ(judged.size(), 150U);
}

TEST(LoaderTest, PiecesAreCutBeforeTheyAreTransformed) {
  const TemporaryFolder folder;
  const auto path = folder / "file";
  test::write_file(path, "0123456789");
  LoaderOptions o = options(1);
  o.max_bytes = 4;
  o.preprocess.transforms.shuffle = bytes::Shuffle{bytes::ShuffleMode::kReverse};
  Loader loader({{path, 0, {}}}, o);
  for (int i = 0; i < 20; ++i) {
    const auto bytes = loader.next().front().bytes;
    ASSERT_EQ(bytes.size(), 4U);
    for (std::size_t j = 1; j < bytes.size(); ++j) EXPECT_EQ(bytes[j] + 1, bytes[j - 1]);
  }
}

TEST(LoaderTest, OnlyThePiecesOfALongFileAreRead) {
  const TemporaryFolder folder;
  const auto path = folder / "file";
  test::write_file(path, "start");
  std::filesystem::resize_file(path, std::uintmax_t{1} << 40);  // with holes: nobody could read all of it
  prepare::Preprocess preprocess;
  preprocess.transforms.pieces = bytes::Pieces{5, 2, 1};
  const prepare::PreparedFile file = load_prepared({path, 0, {}}, preprocess);
  EXPECT_EQ(std::string(file.bytes.begin(), file.bytes.end()), std::string("start\0\0\0", 8));
  EXPECT_FALSE(file.was_prepared);
  LoaderOptions o = options(1);
  o.preprocess = preprocess;
  EXPECT_EQ(Loader({{path, 0, {}}}, o).next().front().bytes, file.bytes);
}

TEST(LoaderTest, AMaskThatKeepsNothingCostsItsFile) {
  const TemporaryFolder folder;
  LoaderOptions o = options(2);
  o.preprocess.transforms.mask = {0.6};
  Loader loader(make_samples(folder, 2), o);  // of one byte and of two
  for (const LoadedFile& file : loader.next()) {
    EXPECT_EQ(file.bytes.size(), file.sample);
    EXPECT_EQ(file.error.find("file0: keep_frac 0.6 keeps none of 1 bytes") != std::string::npos, file.sample == 0);
  }
}

std::string wav_of(const std::vector<float>& samples) {
  const media::FileBytes wav = media::encode_wav({8000, samples}, media::SampleFormat::kFloat32);
  return {wav.begin(), wav.end()};
}

TEST(LoaderTest, AClipIsThePartThatTheSampleSays) {
  const TemporaryFolder folder;
  std::vector<float> samples(8000, 0.25F);
  std::fill(samples.begin() + 4000, samples.begin() + 6000, 0.5F);
  test::write_file(folder / "a.wav", wav_of(samples));
  const prepare::Encoding as_float{.format = prepare::FileFormat::kWav, .sample_format = media::SampleFormat::kFloat32};
  const prepare::Preprocess sounds{{}, prepare::SoundPreparation{{}, {}, as_float}};
  const auto loaded = [&](std::optional<double> start_s, std::optional<double> duration_s) {
    const media::FileBytes wav = load_for_evaluation({folder / "a.wav", 0, start_s, duration_s}, sounds);
    return media::decode_sound(wav, "t").samples;
  };
  EXPECT_EQ(loaded(0.5, 0.25), std::vector<float>(2000, 0.5F));
  EXPECT_EQ(loaded({}, 0.5), std::vector<float>(4000, 0.25F));
  EXPECT_EQ(loaded(0.75, {}), std::vector<float>(2000, 0.25F));
  EXPECT_EQ(loaded({}, 9.0).size(), 8000U);
  test::expect_error(ErrorCode::kInvalidFormat, {"a.wav", "no sound from 1.5"}, [&] { loaded(1.5, {}); });
  test::expect_error(ErrorCode::kUnsupported, {"a.wav", "is a clip"}, [&] {
    load_for_evaluation({folder / "a.wav", 0, 0.5, {}}, prepare::Preprocess{});
  });
  LoaderOptions with = options(1);
  with.preprocess = sounds;
  Loader loader({{folder / "a.wav", 0, 0.5, 0.25}}, with);
  EXPECT_EQ(media::decode_sound(loader.next().at(0).bytes, "t").samples, std::vector<float>(2000, 0.5F));
}

TEST(LoaderTest, MixedFilesHaveTwoLabelsInTheSharesOfWhatTheyHold) {
  const TemporaryFolder folder;
  std::vector<Sample> pictures, sounds;
  for (int label = 0; label < 2; ++label) {
    const std::string name = std::to_string(label);
    const media::Image image{8, 8, std::vector<std::uint8_t>(192, label == 0 ? 0 : 200)};
    const media::FileBytes png = prepare::encode_image(image, {.format = prepare::FileFormat::kPng});
    test::write_file(folder / (name + ".png"), std::string(png.begin(), png.end()));
    test::write_file(folder / (name + ".wav"), wav_of(std::vector<float>(100, label == 0 ? 0 : 0.5F)));
    pictures.push_back({folder / (name + ".png"), label, {}});
    sounds.push_back({folder / (name + ".wav"), label, {}});
  }
  test::write_file(folder / "damaged.png", "\x89PNG\r\n\x1a\n");
  pictures.push_back({folder / "damaged.png", 0, {}});
  LoaderOptions o = options(pictures.size());
  o.preprocess = {prepare::ImagePreparation{8, 8, {.format = prepare::FileFormat::kFhwc}},
                  prepare::SoundPreparation{
                      {}, {}, {.format = prepare::FileFormat::kWav, .sample_format = media::SampleFormat::kFloat32}}};
  o.image_augmentation.cutmix_probability = 0.5;
  o.sound_augmentation.mixup = true;
  Loader of_pictures(pictures, o), of_sounds(sounds, o);
  int num_mixed = 0, num_same = 0, num_mixed_sounds = 0;
  for (int epoch = 0; epoch < 40; ++epoch) {
    for (const LoadedFile& file : of_pictures.next()) {
      EXPECT_EQ(file.error.empty(), file.sample != 2) << "a damaged picture costs no other: " << file.error;
      if (!file.error.empty()) continue;
      const auto ones = static_cast<double>(std::ranges::count(file.bytes, 200)) / 192;
      const double share = file.label == 1 ? file.first_share : 1 - file.first_share;
      if (file.label != file.other_label) {
        EXPECT_NEAR(ones, share, 1e-6);
      }
      if (file.first_share == 1) ++num_same;
      if (file.label != file.other_label) ++num_mixed;
    }
    for (const LoadedFile& file : of_sounds.next()) {
      const float sample = media::decode_sound(file.bytes, "t").samples.at(50);
      const double share = file.label == 1 ? file.first_share : 1 - file.first_share;
      if (file.label != file.other_label) {
        EXPECT_NEAR(sample, 0.5 * share, 1e-6);
        ++num_mixed_sounds;
      }
    }
  }
  EXPECT_GT(num_same, 20);
  EXPECT_GT(num_mixed, 5);
  EXPECT_GT(num_mixed_sounds, 20);
}

TEST(LoaderTest, LargeSetsOfArchivesAreReadArchiveByArchive) {
  constexpr std::size_t kPerArchive = 10'000, kNumArchives = 8, kBatch = 1000, kPerEpoch = 80, kWindow = 65;  // batches
  const TemporaryFolder folder;
  std::vector<Sample> samples;
  for (std::size_t a = 0; a < kNumArchives; ++a) {
    const auto archive = std::make_shared<std::filesystem::path>(folder / std::to_string(a));
    test::write_file(*archive, "x");
    for (std::size_t i = 0; i < kPerArchive; ++i)
      samples.push_back({*archive / std::to_string(i), 0, {}, {}, ArchivePlace{archive, {0, 1}}});
  }
  Loader loader(samples, options(kBatch));
  std::vector<bool> seen(samples.size());
  std::set<std::size_t> archives, of_first_batch;
  std::vector<LoadedFile> later;
  for (std::size_t batch = 0; batch < kPerEpoch; ++batch) {
    std::vector<LoadedFile> files = loader.next();
    for (const LoadedFile& file : files) {
      EXPECT_EQ(file.error, "");
      EXPECT_FALSE(seen[file.sample]);
      seen[file.sample] = true;
      if (batch < kWindow) archives.insert(file.sample / kPerArchive);
      if (batch == 0) of_first_batch.insert(file.sample / kPerArchive);
    }
    if (batch == kPerEpoch - 2) later = std::move(files);
  }
  EXPECT_EQ(archives.size(), 7U) << "the eighth is not touched before the first are done";
  EXPECT_EQ(of_first_batch.size(), 7U) << "files of these are mixed";
  const std::vector<LoadedFile> again = Loader(samples, options(kBatch), kPerEpoch - 2).next();
  ASSERT_EQ(again.size(), later.size());
  for (std::size_t i = 0; i < again.size(); ++i) EXPECT_EQ(again[i].sample, later[i].sample);
}

#ifndef BYTEFORMER_RUNS_SLOWLY  // sanitizers need all addresses, and emulators many
TEST(LoaderTest, AFileThatMemoryDoesNotSufficeForIsAnErrorOfThatFile) {
  const TemporaryFolder folder;
  test::write_file(folder / "small", "x");
  test::write_file(folder / "huge", "x");
  std::filesystem::resize_file(folder / "huge", std::uintmax_t{1} << 30);  // with holes
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  std::size_t num_pages = 0;
  std::ifstream("/proc/self/statm") >> num_pages;
  rlimit tight = before;
  tight.rlim_cur = num_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + (std::size_t{600} << 20);
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &tight), 0);
  std::vector<LoadedFile> batch;
  {
    Loader loader({{folder / "huge", 0, {}}, {folder / "small", 1, {}}}, options(2));
    batch = loader.next();
  }
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &before), 0);
  ASSERT_EQ(batch.size(), 2U);
  for (const LoadedFile& file : batch)
    EXPECT_EQ(file.error, file.label == 1 ? "" : (folder / "huge").string() + ": there is not enough memory for it");
}
#endif

}  // namespace
}  // namespace byteformer::data
