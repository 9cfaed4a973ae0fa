// Tables of byte values, known by seed, key or fingerprint. Keys are drawn by Fisher and Yates' shuffle, written for
// their owner, and read from files and FIFOs.
#include "bytes/byte_permutation.hpp"

#include <algorithm>
#include <bitset>
#include <numeric>
#include <system_error>
#include <utility>
#include <vector>

#include "base/bytes_io.hpp"
#include "base/file_io.hpp"
#include "base/sha256.hpp"

namespace byteformer::bytes {

using base::fail;

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
    fail(ErrorCode::kInvalidArgument, "the key is no permutation of the 256 byte values: it has ", values.count(),
         " different ones");
  return {std::nullopt, key, fingerprint_of(key)};
}

BytePermutation BytePermutation::of_fingerprint(std::string fingerprint) {
  if (fingerprint.size() != kFingerprintDigits ||
      fingerprint.find_first_not_of("0123456789abcdef") != std::string::npos)
    fail(ErrorCode::kInvalidArgument, "the fingerprint of a key has ", kFingerprintDigits,
         " digits in lower-case hexadecimal");
  return {std::nullopt, std::nullopt, std::move(fingerprint)};
}

const ByteTable& BytePermutation::table() const {
  if (table_) return *table_;
  fail(ErrorCode::kInvalidArgument, "the bytes are to be permuted by the secret key ", fingerprint_,
       ", which is not given; bytes that are permuted already must be read as they are");
}

// Keys.

namespace {

/// Uniform in [0, n), n from 1 to 256.
std::size_t below(std::size_t n, const std::function<std::uint8_t()>& draw) {
  const std::size_t num_fair = 256 / n * n;  // draws from here on would favour small numbers
  for (;;)
    if (const std::size_t drawn = draw(); drawn < num_fair) return drawn % n;
}

class SystemBytes {
 public:
  std::uint8_t next() {
    if (used_ == bytes_.size()) {
      base::fill_from_system_random(bytes_);
      used_ = 0;
    }
    return bytes_[used_++];
  }

 private:
  std::array<std::uint8_t, 1024> bytes_ = {};
  std::size_t used_ = bytes_.size();
};

[[noreturn]] void throw_no_key(const std::filesystem::path& path, const std::string& size) {
  base::fail_format(path.native(), "is no key: it has ", size,
                    " bytes, a key has 256; `byteformer obfuscate keygen` makes one");
}

/// From a program that holds the key, so that it need not lie in a file. Whatever comes, 257 bytes are enough.
ByteTable read_table_from_fifo(const std::filesystem::path& path) {
  ByteTable table;
  const std::vector<std::uint8_t> bytes = base::read_fifo(path, table.size() + 1);
  if (bytes.size() > table.size()) throw_no_key(path, "more than 256");
  if (bytes.size() < table.size()) throw_no_key(path, std::to_string(bytes.size()));
  std::ranges::copy(bytes, table.begin());
  return table;
}

ByteTable read_table(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_fifo(path, ignored)) return read_table_from_fifo(path);
  ByteTable table;
  base::InputFile file(path, base::Purpose::kOwnUse);
  if (file.size() != table.size()) throw_no_key(path, std::to_string(file.size()));
  file.read(table);
  return table;
}

}  // namespace

ByteTable random_table(const std::function<std::uint8_t()>& draw) {
  ByteTable table;
  std::iota(table.begin(), table.end(), std::uint8_t{0});
  for (std::size_t left = table.size(); left > 1; --left) std::swap(table[left - 1], table[below(left, draw)]);
  return table;
}

BytePermutation random_key() {
  SystemBytes source;
  return BytePermutation::of_key(random_table([&source] { return source.next(); }));
}

void write_key(const std::filesystem::path& path, const BytePermutation& key, bool replaces) {
  base::write_file_atomically(path, base::as_text(key.table()), {.is_private = true, .replaces = replaces});
}

BytePermutation read_key(const std::filesystem::path& path) {
  const ByteTable table = read_table(path);
  BytePermutation published = BytePermutation::of_seed();
  if (published.table() == table) return published;
  try {
    return BytePermutation::of_key(table);
  } catch (const Error& error) {
    throw Error(ErrorCode::kInvalidFormat, path.native(), error.what());
  }
}

}  // namespace byteformer::bytes
