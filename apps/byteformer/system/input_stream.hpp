// Standard input and named files as streams that Ctrl-C interrupts, whole and in pieces.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <span>
#include <streambuf>
#include <string>
#include <vector>

#include "api/prepared_files.hpp"
#include "base/file_io.hpp"

namespace byteformer::cli {

/// Reads from a descriptor. A stream that wraps it needs `exceptions(std::ios::badbit)` to let its exceptions through.
/// \throws Error kIo, or Interrupted after Ctrl-C.
class DescriptorInput : public std::streambuf {
 public:
  DescriptorInput(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

 protected:
  int_type underflow() override;
  std::streamsize xsgetn(char* out, std::streamsize size) override;

 private:
  std::size_t read_some(char* out, std::size_t size);

  int descriptor_;
  std::string name_;
  std::array<char, 1 << 16> buffer_;
};

class InputStream : public std::istream {
 public:
  /// \throws UsageError with the system's reason if `path` cannot be opened.
  explicit InputStream(const std::string& path);

 private:
  base::Descriptor descriptor_;
  DescriptorInput buffer_;
};

/// Whether there is more behind `path` than its size says, to be read to its end: a pipe that is open already, as a
/// shell's <(command) is, or a file of /proc. A FIFO that nobody may ever write to is none of these.
bool must_be_streamed(const std::string& path);

using api::kLargeBytes;
using api::ReadPiece;

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

/// All bytes that `read` still gives. \param source stands in messages \param reason of the bound, ", and ..."
/// \throws Error kUnsupported from about 1 GiB on.
std::vector<std::uint8_t> read_all(const ReadPiece& read, const std::string& source, const std::string& reason = "");

/// The whole of a file of up to 1 GiB, or of what must be streamed.
/// \throws Error as data::read_whole_file() and read_all().
std::vector<std::uint8_t> read_whole_input(const std::string& path);

}  // namespace byteformer::cli
