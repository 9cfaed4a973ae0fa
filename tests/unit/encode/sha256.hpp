// SHA-256 (FIPS 180-4), for goldens that are given by their digest only.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace byteformer::test {

/// The first 32 bits of the fractional parts of the cube roots of the first primes.
inline std::array<std::uint32_t, 64> sha256_constants() {
  std::array<std::uint32_t, 64> out{};
  unsigned prime = 1;
  for (auto& constant : out) {
    for (bool is_prime = false; !is_prime;) {
      ++prime;
      is_prime = true;
      for (unsigned d = 2; d * d <= prime; ++d) is_prime = is_prime && prime % d != 0;
    }
    const double root = std::cbrt(prime);
    constant = static_cast<std::uint32_t>(std::ldexp(root - std::floor(root), 32));
  }
  return out;
}

inline std::string sha256(std::span<const std::uint8_t> bytes) {
  static const auto constants = sha256_constants();
  std::array<std::uint32_t, 8> hash{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::vector<std::uint8_t> padded(bytes.begin(), bytes.end());
  padded.push_back(0x80);
  while (padded.size() % 64 != 56) padded.push_back(0);
  for (int i = 7; i >= 0; --i) padded.push_back(static_cast<std::uint8_t>(std::uint64_t{bytes.size()} * 8 >> (8 * i)));

  for (std::size_t block = 0; block < padded.size(); block += 64) {
    std::array<std::uint32_t, 64> w{};
    for (std::size_t i = 0; i < 64; ++i) w[i / 4 % 16] = w[i / 4 % 16] << 8 | padded[block + i];
    for (std::size_t i = 16; i < 64; ++i) {
      const auto a = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ w[i - 15] >> 3;
      const auto b = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ w[i - 2] >> 10;
      w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    auto [a, b, c, d, e, f, g, h] = hash;
    for (std::size_t i = 0; i < 64; ++i) {
      const auto t1 =
          h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) + constants[i] + w[i];
      const auto t2 = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    const std::array<std::uint32_t, 8> step{a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < 8; ++i) hash[i] += step[i];
  }
  std::string text;
  for (const std::uint32_t word : hash)
    for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[word >> shift & 15];
  return text;
}

}  // namespace byteformer::test
