// All transforms of a file: the goldens, their order, their randomness.
#include "bytes/transforms.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/sha256.hpp"
#include "base/text.hpp"
#include "bytes/files.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"

namespace byteformer::bytes {
namespace {

using nlohmann::json;
using test::expect_error;

File from_hex(const std::string& text) {
  File bytes;
  for (std::size_t i = 0; i < text.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  return bytes;
}

/// "stride_8", "mask_positions_0.5", "byte_permutation", ...
void add(Transforms& transforms, const std::string& name) {
  const std::size_t digits = name.find_first_of("0123456789");
  const std::string kind = name.substr(0, digits == std::string::npos ? digits : digits - 1);
  const std::string number = digits == std::string::npos ? "0" : name.substr(digits);
  if (kind == "byte_permutation")
    transforms.permutations.push_back(BytePermutation::of_seed());
  else if (kind == "mask_positions")
    transforms.mask = {.keep_frac = std::stod(number)};
  else
    transforms.shuffle = {parse_shuffle_mode(kind), static_cast<std::uint32_t>(std::stoul(number))};
}

Transforms parse(const std::string& names) {
  const std::string then = " then ";
  Transforms transforms;
  std::size_t begin = 0;
  for (std::size_t end = 0; end != std::string::npos; begin = end + then.size()) {
    end = names.find(then, begin);
    add(transforms, names.substr(begin, end - begin));
  }
  return transforms;
}

File counting(std::size_t size) {
  File file(size);
  for (std::size_t i = 0; i < size; ++i) file[i] = static_cast<std::uint8_t>(i);
  return file;
}

TEST(TransformsTest, PiecesAreFromStartMiddleAndEnd) {
  const Transforms transforms{.pieces = Pieces{3, 2, 1}};
  EXPECT_EQ(transformed(transforms, counting(100)), (File{0, 1, 2, 49, 50, 99}));
  EXPECT_EQ(transformed(transforms, counting(101)), (File{0, 1, 2, 49, 50, 100}));
  EXPECT_EQ(transformed(transforms, counting(7)), (File{0, 1, 2, 2, 3, 6})) << "they overlap";
  for (const std::size_t size : {0U, 1U, 5U, 6U}) EXPECT_EQ(transformed(transforms, counting(size)), counting(size));
  EXPECT_EQ(origins(transforms, counting(100)), (std::vector<std::uint32_t>{0, 1, 2, 49, 50, 99}));
}

TEST(TransformsTest, PiecesComeFirstAndDecideTheNoise) {
  Transforms transforms{.pieces = Pieces{64, 64, 64}, .noise = UniformNoise{-20, 20}};
  const File file = counting(5000);
  const File cut_before = transformed({.pieces = transforms.pieces}, file);
  EXPECT_EQ(transformed(transforms, file), transformed(transforms, cut_before));
  transforms.pieces.reset();
  EXPECT_EQ(transformed(transforms, cut_before),
            transformed({.pieces = Pieces{64, 64, 64}, .noise = UniformNoise{-20, 20}}, file));
}

TEST(TransformsTest, PiecesHaveBytes) {
  expect_error(ErrorCode::kInvalidArgument, {"pieces"}, [] { validate(Transforms{.pieces = Pieces{}}); });
  expect_error(ErrorCode::kInvalidArgument, {"pieces"}, [] { validate(Transforms{.pieces = Pieces{1, 1U << 30, 1}}); });
}

TEST(TransformsTest, GiveTheGoldens) {
  const json goldens = json::parse(test::read_file(test::data_path("encoders/transforms.json")));
  int num_checked = 0;
  for (const json& entry : goldens.at("cases"))
    for (const auto& [names, output] : entry["outputs"].items()) {
      EXPECT_EQ(base::hex(transformed(parse(names), from_hex(entry["input"]))), output.get<std::string>())
          << entry["length"] << " " << names;
      ++num_checked;
    }
  EXPECT_EQ(num_checked, 27);
}

TEST(TransformsTest, NothingChangesNothing) {
  EXPECT_TRUE(Transforms().empty());
  EXPECT_FALSE(Transforms().needs_length());
  EXPECT_FALSE(Transforms().is_random());
  EXPECT_EQ(transformed({}, counting(300)), counting(300));
  EXPECT_EQ(transformed({}, {}), File{});
}

TEST(TransformsTest, SayWhatTheyNeed) {
  for (const ShuffleMode mode : {ShuffleMode::kReverse, ShuffleMode::kCyclicHalfLength, ShuffleMode::kStride,
                                 ShuffleMode::kWindowShuffle, ShuffleMode::kRandomShuffle}) {
    const Transforms transforms{.shuffle = Shuffle{mode}};
    EXPECT_FALSE(transforms.empty());
    EXPECT_EQ(transforms.needs_whole_file(), mode != ShuffleMode::kWindowShuffle);
    EXPECT_EQ(transforms.needs_length(), mode != ShuffleMode::kWindowShuffle);
    EXPECT_EQ(transforms.is_random(), mode == ShuffleMode::kRandomShuffle);
  }
  const Transforms mask{.mask = PositionMask{0.5}};
  EXPECT_TRUE(mask.needs_length());
  EXPECT_FALSE(mask.needs_whole_file());
  EXPECT_TRUE((Transforms{.noise = UniformNoise{-1, 1}}).is_random());
  EXPECT_FALSE((Transforms{.permutations = {BytePermutation::of_seed()}}).empty());
}

TEST(TransformsTest, PermutationsComeOneAfterAnother) {
  const auto first = BytePermutation::of_seed(1);
  const auto second = BytePermutation::of_seed(2);
  const File file = transformed({.permutations = {first, second}}, counting(256));
  for (std::size_t i = 0; i < 256; ++i) EXPECT_EQ(file[i], second.table()[first.table()[i]]);
}

TEST(TransformsTest, NoiseComesBeforeThePermutation) {
  const auto permutation = BytePermutation::of_seed();
  const File noisy = transformed({.noise = UniformNoise{-5, 5}}, counting(1000));
  File expected = noisy;
  substitute(permutation.table(), expected);
  EXPECT_EQ(transformed({.noise = UniformNoise{-5, 5}, .permutations = {permutation}}, counting(1000)), expected);
}

TEST(TransformsTest, AFileHasRandomnessOfItsOwn) {
  const Transforms noise{.noise = UniformNoise{0, 255}};
  const Transforms order{.shuffle = Shuffle{ShuffleMode::kRandomShuffle}};
  const File file = random_file(kHeadBytes + 100);
  for (const Transforms& transforms : {noise, order}) {
    EXPECT_EQ(transformed(transforms, file), transformed(transforms, file));
    EXPECT_NE(transformed(transforms, file), file);
  }
  File other = file;
  other[0] ^= 1;
  const auto last = [&](const File& of) {
    const File noisy = transformed(noise, of);
    return File(noisy.end() - 50, noisy.end());
  };
  EXPECT_NE(last(other), last(file)) << "the head decides about the noise of all bytes";
}

// Computed by a second implementation, in Python.
TEST(TransformsTest, ThisRandomnessIsTheSameEverywhere) {
  EXPECT_EQ(base::hex(transformed({.noise = UniformNoise{0, 255}}, File(8, 0))), "dbd9268041625002");
  EXPECT_EQ(base::hex(transformed({.shuffle = Shuffle{ShuffleMode::kRandomShuffle}}, counting(8))), "0206030107040500");
}

TEST(TransformsTest, TrainingDrawsAnew) {
  const Transforms noise{.noise = UniformNoise{-20, 20}};
  base::Random random(9);
  const File first = transformed(noise, counting(100), random);
  EXPECT_NE(transformed(noise, counting(100), random), first);
  base::Random again(9);
  EXPECT_EQ(transformed(noise, counting(100), again), first);
}

TEST(TransformsTest, RefuseWhatMakesNoSense) {
  const auto refuse = [](const Transforms& transforms, ErrorCode code, std::string_view part) {
    expect_error(code, {part}, [&] { transformed(transforms, counting(10)); });
  };
  refuse({.shuffle = Shuffle{ShuffleMode::kStride, 0}}, ErrorCode::kInvalidArgument, "n of stride is 0");
  refuse({.mask = PositionMask{0}}, ErrorCode::kInvalidArgument, "keep_frac 0");
  refuse({.mask = PositionMask{0.05}}, ErrorCode::kEmptyFile, "keeps none of 10 bytes");
  refuse({.noise = UniformNoise{1, 0}}, ErrorCode::kInvalidArgument, "noise from 1 to 0");
  refuse({.permutations = {BytePermutation::of_fingerprint(std::string(64, '0'))}}, ErrorCode::kInvalidArgument,
         "secret key 0000");
}

TEST(TransformsTest, AKeyGoesWhereItsFingerprintStands) {
  const auto first = BytePermutation::of_key(BytePermutation::of_seed(1).table());
  const auto second = BytePermutation::of_key(BytePermutation::of_seed(2).table());
  Transforms transforms;
  for (const BytePermutation* key : {&first, &second, &first})
    transforms.permutations.push_back(BytePermutation::of_fingerprint(key->fingerprint()));
  use_keys(transforms, std::vector{first});
  ASSERT_EQ(find_without_key(transforms), &transforms.permutations[1]);
  use_keys(transforms, std::vector{second});
  EXPECT_EQ(find_without_key(transforms), nullptr);
  EXPECT_EQ(transformed(transforms, counting(256)),
            transformed({.permutations = {first, second, first}}, counting(256)));
}

TEST(TransformsTest, AKeyOfNoneOfThemIsNamed) {
  Transforms transforms{.permutations = {BytePermutation::of_seed(1)}};
  const auto other = BytePermutation::of_key(BytePermutation::of_seed(2).table());
  expect_error(ErrorCode::kInvalidArgument, {other.fingerprint(), "none of those"},
               [&] { use_keys(transforms, std::vector{other}); });
  use_keys(transforms, std::vector{BytePermutation::of_key(transforms.permutations[0].table())});
  EXPECT_EQ(transforms.permutations[0].seed(), 1U) << "what is open stays open";
}

TEST(TransformsTest, OriginsFollowEveryByte) {
  File file(70'001);
  for (std::size_t i = 0; i < file.size(); ++i) file[i] = static_cast<std::uint8_t>(i * i >> 3);
  for (const char* names : {"reverse", "cyclic_half_length", "stride_1000", "window_shuffle_1024", "random_shuffle",
                            "mask_positions_0.3", "random_shuffle then mask_positions_0.01"}) {
    Transforms transforms = parse(names);
    const File moved = transformed(transforms, file);
    transforms.noise = {.low = -20, .high = 20};  // moves nothing, nor what is drawn before it
    transforms.permutations.push_back(BytePermutation::of_seed());
    const std::vector<std::uint32_t> from = origins(transforms, file);
    ASSERT_EQ(from.size(), moved.size()) << names;
    for (std::size_t i = 0; i < from.size(); ++i) ASSERT_EQ(file[from[i]], moved[i]) << names << " at " << i;
    EXPECT_EQ(std::set<std::uint32_t>(from.begin(), from.end()).size(), from.size()) << names;
  }
}

}  // namespace
}  // namespace byteformer::bytes
