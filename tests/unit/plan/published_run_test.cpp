// Published configurations as runs: keys and values that are wrong, unknown, or without effect.
#include <gtest/gtest.h>

#include <stdexcept>

#include "plan/published_plan.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"
#include "support/mutations.hpp"

namespace byteformer::plan {
namespace {

using test::expect_error;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

std::string published(const std::string& name) {
  return test::read_file(test::data_path("published/" + name + ".yaml"));
}

/// The text with `from`, which stands there once, replaced.
std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto place = text.find(from);
  if (place == std::string::npos) throw std::invalid_argument("no " + from);
  return text.replace(place, from.size(), to);
}

PublishedRun parse_run(const std::string& text) { return parse_published_run(text, "run.yaml"); }

void expect_run_refused(const std::string& text, std::initializer_list<std::string_view> parts,
                        ErrorCode code = ErrorCode::kInvalidFormat) {
  expect_error(code, parts, [&] { parse_run(text); });
}

TEST(PublishedRunTest, UnknownKeysOfWhatIsComputedAreErrorsWithTheNearestName) {
  const std::string tiff = published("image_tiff");
  expect_run_refused(with(tiff, "window_sizes", "window_size"),
                     {"run.yaml: line 66", "model.classification.byteformer.window_size is not known",
                      "did you mean model.classification.byteformer.window_sizes?"});
  expect_run_refused(with(tiff, "pil_save", "pil_sav"), {"image_augmentation.pil_save needs"});
  expect_run_refused(with(tiff, "  rand_augment", "  rand_augmnt"), {"did you mean image_augmentation.rand_augment?"});
  expect_run_refused(with(tiff, "center_crop: {enable: true, size: 224}", "center_crop: 224"),
                     {"image_augmentation.center_crop is not known", "holds further keys"});
}

TEST(PublishedRunTest, SectionsThatAreCalledNearlyAsThoseAreErrors) {
  const std::string tiff = published("image_tiff");
  expect_run_refused(with(tiff, "\nscheduler:", "\nschedulerr:"), {"schedulerr.", "did you mean scheduler?"});
  expect_run_refused(with(tiff, "\noptim:", "\noptm:"), {"optm.", "did you mean optim?"});
  EXPECT_THAT(parse_run(tiff + "\nmy_notes:\n  author: me\n").remarks,
              Contains(HasSubstr("my_notes.author is not known here; it is ignored")));
}

TEST(PublishedRunTest, OtherUnknownKeysAreWarnings) {
  const PublishedRun run = parse_run(with(published("image_tiff"), "accum_freq", "acum_freq"));
  EXPECT_EQ(run.num_accumulated, 1);
  EXPECT_THAT(run.remarks, ElementsAre(HasSubstr("without effect here"),
                                       HasSubstr("line 8: common.acum_freq is not known here; did you mean "
                                                 "common.accum_freq?; it is ignored")));
}

TEST(PublishedRunTest, WhatIsSwitchedOffOrOfTheOtherKindIsWithoutEffect) {
  std::string text = with(published("image_tiff"), "  cutmix", "  random_rotate: {enable: false, angle: 9}\n  cutmix");
  text += "audio_augmentation: {roll: {enable: true}}\n";
  EXPECT_THAT(parse_run(text).remarks, ElementsAre(AllOf(HasSubstr("image_augmentation.random_rotate.angle"),
                                                         HasSubstr("audio_augmentation.roll.enable"))));
}

TEST(PublishedRunTest, NamesValuesThatItCannotUse) {
  const std::string tiff = published("image_tiff"), wav = published("wav_int16_k8");
  expect_run_refused(with(tiff, "file_encoding: TIFF", "file_encoding: TIF"),
                     {"line 34", "\"TIF\"", "tiff, png, jpeg, fhwc or fchw", "did you mean `tiff`?"},
                     ErrorCode::kUnsupported);
  expect_run_refused(with(tiff, "name: imagenet", "name: coco"), {"\"coco\"", "imagenet or speech_commands_v2"},
                     ErrorCode::kUnsupported);
  expect_run_refused(with(wav, "encoding_dtype: int16", "encoding_dtype: int24"), {"encoding_dtype", "\"int24\""},
                     ErrorCode::kUnsupported);
  expect_run_refused(with(tiff, "name: adamw", "name: sgd"), {"optim.name", "adamw"}, ErrorCode::kUnsupported);
  expect_run_refused(with(tiff, "beta1: 0.9", "beta1: 0.8"), {"beta1", "0.8", "0.9"}, ErrorCode::kUnsupported);
  expect_run_refused(with(tiff, "mixup: {enable: false}", "mixup: {enable: true}"), {"image_augmentation.mixup.enable"},
                     ErrorCode::kUnsupported);
  expect_run_refused(with(tiff, "crop_size_width: 224", "crop_size_width: 192"), {"crop_size_width", "192", "224"},
                     ErrorCode::kUnsupported);
  expect_run_refused(with(tiff, "interpolation: bicubic", "interpolation: bilinear"), {"bilinear", "bicubic"},
                     ErrorCode::kUnsupported);
  expect_run_refused(with(tiff, "max_epochs: 300", "max_epochs: none"), {"line 53", "max_epochs", "an integer"});
  expect_run_refused(with(tiff, "p: 0.25", "p: 2"), {"random_erase.p", "from 0 to 1"});
  expect_run_refused(with(published("jpeg_q60_k4_w32"), "quality: 60", "quality: 101"), {"quality", "from 1 to 100"});
  expect_run_refused(with(published("camera_0.1_k4"), "keep_frac: 0.1", "keep_frac: 0"), {"keep_frac"});
  expect_run_refused(with(published("obfuscation_5"), "    - -5\n", ""),
                     {"width_range", "the smallest and the largest"});
  expect_run_refused(with(published("order_stride"), "mode: stride", "mode: strid"), {"did you mean `stride`?"},
                     ErrorCode::kUnsupported);
  expect_run_refused(with(wav, "    - -50\n", "    - -50\n    - -40\n"), {"noise.levels", "one level"},
                     ErrorCode::kUnsupported);
}

TEST(PublishedRunTest, StepsMayBeCountedInsteadOfEpochs) {
  const std::string by_steps = with(published("image_tiff"), "is_iteration_based: false", "is_iteration_based: true");
  expect_run_refused(by_steps, {"needs scheduler.max_iterations"});
  const PublishedRun run = parse_run(with(by_steps, "max_epochs", "max_iterations"));
  EXPECT_EQ(run.max_iterations, 300);
  EXPECT_EQ(run.settings.schedule, "step");
  EXPECT_FALSE(run.settings.epochs);
}

TEST(PublishedRunTest, WhatIsNotSaidIsAsThePublishedCodeHasIt) {
  const PublishedRun run = parse_run(
      "{dataset.name: imagenet, image_augmentation.pil_save: {enable: true, file_encoding: JPEG},"
      " model.classification.byteformer: {dropout: 0.1}}");
  EXPECT_EQ(run.settings.kernel, 16);
  EXPECT_EQ(run.settings.window, 128);
  EXPECT_EQ(run.settings.preset, "tiny");
  EXPECT_EQ(run.settings.quality, 100);
  EXPECT_EQ(run.settings.dropout, 0.1);
  EXPECT_EQ(run.settings.ema_momentum, 1) << "no average";
  EXPECT_FALSE(run.settings.data);
  EXPECT_TRUE(run.remarks.empty());
}

TEST(PublishedRunTest, TheFolderOfBothRootsIsWhereTheDataAre) {
  EXPECT_EQ((PublishedFolders{"/a/train", "/a/val"}).common(), "/a");
  EXPECT_EQ((PublishedFolders{"/a/train/", "/a/val"}).common(), "/a");
  EXPECT_EQ((PublishedFolders{"/a", "/a"}).common(), "/a");
  EXPECT_EQ((PublishedFolders{"/a", ""}).common(), "/a");
  EXPECT_EQ((PublishedFolders{"/a/b/train", "/a/val"}).common(), std::nullopt);
  EXPECT_EQ((PublishedFolders{"train", "val"}).common(), std::nullopt);
  EXPECT_EQ((PublishedFolders{"", "/a/val"}).common(), std::nullopt);
}

TEST(PublishedRunTest, AliasesDoNotMultiplyKeys) {
  std::string bomb = published("image_tiff") + "a0: &a0 {}\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " {x: " + before + ", y: " + before + "}\n";
  }
  expect_run_refused(bomb, {"run.yaml", "keys"});
  expect_run_refused(published("image_tiff") + "b: &b {c: *b}\n", {"too deep"});
  expect_run_refused(published("image_tiff") + "? [1]\n: 2\n", {"a key is a list of 1"});
}

TEST(PublishedRunTest, SurvivesDamage) {
  for (const char* name : {"published/order_window_shuffle.yaml", "published/obfuscation_20.yaml",
                           "published/camera_0.05_k4.yaml", "published/wav_float32_k32.yaml"})
    test::expect_survives(test::read_file(test::data_path(name)), /*num_mutations=*/250,
                          [](const std::string& text) { parse_published_run(text, "run.yaml"); });
}

}  // namespace
}  // namespace byteformer::plan
