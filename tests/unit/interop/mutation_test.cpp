// A thousand damaged files of each format: refused or read, never a crash, a hang or runaway memory.
#include <gtest/gtest.h>

#include "interop/checkpoint.hpp"
#include "interop/import_export.hpp"
#include "interop/partial_config.hpp"
#include "interop/zip.hpp"
#include "support/files.hpp"
#include "support/mutations.hpp"

namespace byteformer::interop {
namespace {

constexpr int kNumMutations = 1'000;

void parse_checkpoint(const std::string& bytes) { parse_pt(test::as_bytes(bytes), "x.pt"); }

/// `archive` with other bytes for its data.pkl, every checksum right.
std::string with_pickle(std::string_view archive, const std::string& pickle) {
  std::string out;
  ZipWriter zip([&out](std::span<const std::byte> bytes) {
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  const ZipReader original(test::as_bytes(archive), "original");
  for (const auto& [name, entry] : original.entries())
    zip.add(name, name.ends_with("/data.pkl") ? test::as_bytes(pickle) : entry.bytes);
  zip.finish();
  return out;
}

std::string pickle_of(std::string_view archive) {
  const ZipReader zip(test::as_bytes(archive), "original");
  for (const auto& [name, entry] : zip.entries())
    if (name.ends_with("/data.pkl")) return {reinterpret_cast<const char*>(entry.bytes.data()), entry.bytes.size()};
  return {};
}

class CheckpointMutationTest : public testing::TestWithParam<const char*> {};

TEST_P(CheckpointMutationTest, Zip) {
  test::expect_survives(test::read_file(test::data_path(GetParam())), kNumMutations, parse_checkpoint);
}

TEST_P(CheckpointMutationTest, PickleInAValidZip) {
  const std::string archive = test::read_file(test::data_path(GetParam()));
  test::expect_survives(pickle_of(archive), kNumMutations,
                        [&](const std::string& pickle) { parse_checkpoint(with_pickle(archive, pickle)); });
}

INSTANTIATE_TEST_SUITE_P(Files, CheckpointMutationTest,
                         testing::Values("models/d_k0/weights.pt", "checkpoints/layouts.pt", "checkpoints/training.pt",
                                         "checkpoints/layouts_protocol4.pt"));

TEST(InteropMutationTest, Yaml) {
  test::expect_survives(test::read_file(test::data_path("configs/speech_mp3_k4_w32.yaml")), kNumMutations,
                        [](const std::string& text) { parse_published_yaml(text, "run.yaml"); });
}

TEST(InteropMutationTest, Labels) {
  test::expect_survives("cat\nd\xC3\xB6g\r\nbird\n", kNumMutations,
                        [](const std::string& text) { parse_labels(text, "labels"); });
}

}  // namespace
}  // namespace byteformer::interop
