// Rekeying: which rows move, what is recorded, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "bytes/byte_permutation.hpp"
#include "format/model_folder.hpp"
#include "interop/import_export.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::interop {
namespace {

namespace fs = std::filesystem;
using bytes::BytePermutation;
using test::expect_error;

class RekeyTest : public testing::Test {
 protected:
  prepare::Preprocess rekey(const fs::path& model, const BytePermutation& key, const std::string& name,
                            bool adds_to_keys = false) const {
    return rekey_model({model, key, folder_ / name, adds_to_keys});
  }

  const fs::path plain_ = test::data_path("untrained-nano");
  test::TemporaryFolder folder_;
};

std::span<const std::byte> row(const format::ModelFolder& model, std::size_t value) {
  const auto bytes = model.tensors.by_name.at("embeddings.weight").bytes;
  return bytes.subspan(value * bytes.size() / 257, bytes.size() / 257);
}

TEST_F(RekeyTest, OnlyRowsOfByteValuesMove) {
  const BytePermutation key = bytes::random_key();
  rekey(plain_, key, "keyed");
  const auto plain = format::read_model_folder(plain_);
  const auto keyed = format::read_model_folder(folder_ / "keyed");
  for (std::size_t value = 0; value < 256; ++value)
    EXPECT_TRUE(std::ranges::equal(row(keyed, key.table()[value]), row(plain, value))) << value;
  EXPECT_TRUE(std::ranges::equal(row(keyed, 256), row(plain, 256)));
  for (const auto& [name, tensor] : plain.tensors.by_name)
    EXPECT_EQ(std::ranges::equal(keyed.tensors.by_name.at(name).bytes, tensor.bytes), name != "embeddings.weight");
  format::ModelConfig config = keyed.config;
  config.preprocess = plain.config.preprocess;
  EXPECT_EQ(config, plain.config);
}

TEST_F(RekeyTest, ASecretIsRecordedAsItsFingerprint) {
  const BytePermutation key = bytes::random_key();
  const prepare::Preprocess preprocess = rekey(plain_, key, "keyed");
  EXPECT_EQ(preprocess, prepare::read_preprocess(folder_ / "keyed"));
  const std::string config = test::read_file(folder_ / "keyed" / "config.json");
  EXPECT_THAT(config, testing::HasSubstr("\"fingerprint\": \"" + key.fingerprint() + "\""));
  EXPECT_THAT(config, testing::Not(testing::HasSubstr("seed")));
  rekey(plain_, BytePermutation::of_seed(), "open");
  EXPECT_THAT(test::read_file(folder_ / "open" / "config.json"), testing::HasSubstr("\"seed\": 2147483647"));
}

TEST_F(RekeyTest, AKeyedModelIsKeyedAgainOnlyWhereThatIsSaid) {
  const BytePermutation first = bytes::random_key();
  const BytePermutation second = bytes::random_key();
  rekey(plain_, first, "once");
  expect_error(ErrorCode::kInvalidArgument, {"once", "keyed already", first.fingerprint().substr(0, 12), "--again"},
               [&] { rekey(folder_ / "once", second, "twice"); });
  EXPECT_FALSE(fs::exists(folder_ / "twice"));
  const prepare::Preprocess preprocess = rekey(folder_ / "once", second, "twice", true);
  EXPECT_EQ(preprocess.transforms.permutations, (std::vector{first, second}));
  const auto plain = format::read_model_folder(plain_);
  const auto twice = format::read_model_folder(folder_ / "twice");
  for (std::size_t value = 0; value < 256; ++value)
    EXPECT_TRUE(std::ranges::equal(row(twice, second.table()[first.table()[value]]), row(plain, value))) << value;
}

TEST_F(RekeyTest, TheInverseKeyGivesTheOldRows) {
  const BytePermutation key = bytes::random_key();
  rekey(plain_, key, "keyed");
  rekey(folder_ / "keyed", BytePermutation::of_key(bytes::inverse(key.table())), "back", true);
  const auto plain = format::read_model_folder(plain_);
  const auto back = format::read_model_folder(folder_ / "back");
  for (std::size_t value = 0; value <= 256; ++value)
    EXPECT_TRUE(std::ranges::equal(row(back, value), row(plain, value))) << value;
}

TEST_F(RekeyTest, RefusesWhatWouldNotWork) {
  const BytePermutation key = bytes::random_key();
  expect_error(ErrorCode::kInvalidArgument, {"not given"},
               [&] { rekey(plain_, BytePermutation::of_fingerprint(key.fingerprint()), "keyed"); });
  expect_error(ErrorCode::kNotFound, {"missing"}, [&] { rekey(folder_ / "missing", key, "keyed"); });
  EXPECT_FALSE(fs::exists(folder_ / "keyed"));
  rekey(plain_, key, "keyed");
  expect_error(ErrorCode::kAlreadyExists, {"keyed"}, [&] { rekey(plain_, key, "keyed"); });
}

TEST_F(RekeyTest, SaysSoWhereNoMoreKeysCanBeRecorded) {
  fs::path model = plain_;
  for (int i = 0; i < 16; ++i) {
    const std::string name = std::to_string(i);
    rekey(model, bytes::random_key(), name, true);
    model = folder_ / name;
  }
  expect_error(ErrorCode::kInvalidFormat, {"transforms", "17", "at most 16"},
               [&] { rekey(model, bytes::random_key(), "keyed", true); });
  EXPECT_FALSE(fs::exists(folder_ / "keyed"));
}

}  // namespace
}  // namespace byteformer::interop
