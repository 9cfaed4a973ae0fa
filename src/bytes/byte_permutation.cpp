// Tables of byte values, known by seed, key or fingerprint.
#include "bytes/byte_permutation.hpp"

#include <algorithm>
#include <bitset>
#include <utility>

#include "base/sha256.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"

namespace byteformer::bytes {
namespace {

constexpr std::size_t kFingerprintDigits = 2 * std::tuple_size_v<base::Sha256>;

std::string fingerprint_of(const ByteTable& table) { return base::hex(base::sha256(table)); }

}  // namespace

ByteTable inverse(const ByteTable& table) noexcept {
  ByteTable back{};
  for (std::size_t value = 0; value < table.size(); ++value) back[table[value]] = static_cast<std::uint8_t>(value);
  return back;
}

void substitute(const ByteTable& table, std::span<std::uint8_t> bytes) noexcept {
  for (std::uint8_t& byte : bytes) byte = table[byte];
}

BytePermutation::BytePermutation(std::optional<std::uint64_t> seed, std::optional<ByteTable> table,
                                 std::string fingerprint)
    : seed_(seed), table_(table), fingerprint_(std::move(fingerprint)) {}

BytePermutation BytePermutation::of_seed(std::uint64_t seed) {
  ByteTable table;
  std::ranges::transform(base::randperm(table.size(), seed), table.begin(),
                         [](std::uint32_t value) { return static_cast<std::uint8_t>(value); });
  return {seed, table, fingerprint_of(table)};
}

BytePermutation BytePermutation::of_key(const ByteTable& key) {
  std::bitset<256> values;
  for (const std::uint8_t value : key) values.set(value);
  if (!values.all())
    throw Error(ErrorCode::kInvalidArgument, "the key is no permutation of the 256 byte values: it has " +
                                                 std::to_string(values.count()) + " different ones");
  return {std::nullopt, key, fingerprint_of(key)};
}

BytePermutation BytePermutation::of_fingerprint(std::string fingerprint) {
  if (fingerprint.size() != kFingerprintDigits ||
      fingerprint.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw Error(ErrorCode::kInvalidArgument, "the fingerprint of a key has " + std::to_string(kFingerprintDigits) +
                                                 " digits in lower-case hexadecimal");
  return {std::nullopt, std::nullopt, std::move(fingerprint)};
}

const ByteTable& BytePermutation::table() const {
  if (table_) return *table_;
  throw Error(ErrorCode::kInvalidArgument, "the bytes are to be permuted by the secret key " + fingerprint_ +
                                               ", which is not given; bytes that are permuted already must be read as "
                                               "they are");
}

}  // namespace byteformer::bytes
