// Tar archives made by hand, so that they may also be wrong.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace byteformer::test {

struct TarHeader {
  std::string name;
  std::uint64_t num_bytes = 0;  ///< that it claims
  char type = '0';              ///< '1' hard link, '2' symbolic link, '5' folder, 'x' of pax, 'L' GNU's long name
  std::string link = {};
};

/// The 512 bytes before a file, in the format "ustar".
inline std::string tar_header(const TarHeader& header) {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, std::string_view text) { block.replace(at, text.size(), text); };
  const auto octal = [](std::uint64_t number, int digits) {
    char text[32];
    std::snprintf(text, sizeof(text), "%0*llo", digits, static_cast<unsigned long long>(number));
    return std::string(text);
  };
  put(0, header.name.substr(0, 100));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal(header.num_bytes, 11));
  put(136, "00000000000");
  put(148, "        ");
  block[156] = header.type;
  put(157, header.link);
  put(257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6) + '\0');
  return block;
}

/// `bytes` as they lie in an archive: whole blocks.
inline std::string tar_blocks(std::string bytes) {
  bytes.resize((bytes.size() + 511) / 512 * 512);
  return bytes;
}

/// A file in an archive.
inline std::string tar_file(const std::string& name, const std::string& bytes) {
  return tar_header({.name = name, .num_bytes = bytes.size()}) + tar_blocks(bytes);
}

/// The mark at the end of an archive.
inline std::string tar_end() { return std::string(1024, '\0'); }

}  // namespace byteformer::test
