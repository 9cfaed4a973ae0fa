// The bytes of a file or a stream, a piece at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <istream>
#include <span>

#include "base/file_io.hpp"

namespace byteformer::cli {

/// A file from here on is better read in pieces than whole, where what is to be done with it allows either.
inline constexpr std::uint64_t kLargeBytes = std::uint64_t{1} << 20;

/// Fills a piece as far as the input goes and returns the number of bytes: less than its size only at the end.
using ReadPiece = std::function<std::size_t(std::span<std::uint8_t>)>;

/// Reads `in`, which must outlive it. \throws what the stream's buffer throws
inline ReadPiece pieces_of(std::istream& in) {
  return [&in](std::span<std::uint8_t> piece) {
    in.read(reinterpret_cast<char*>(piece.data()), static_cast<std::streamsize>(piece.size()));
    return static_cast<std::size_t>(in.gcount());
  };
}

/// Reads `file`, which must outlive it. \throws Error as base::InputFile::read()
inline ReadPiece pieces_of(base::InputFile& file) {
  return [&file](std::span<std::uint8_t> piece) { return file.read(piece); };
}

}  // namespace byteformer::cli
