// Standard input and named files as streams that Ctrl-C interrupts.
#pragma once

#include <array>
#include <cstdint>
#include <istream>
#include <streambuf>
#include <string>
#include <vector>

namespace byteformer::cli {

/// Thrown when the reader of our output has gone away, as `head` does: a reason to end, not an error.
struct ClosedPipe {};

/// Writes to a descriptor. A stream that wraps it needs `exceptions(std::ios::badbit)` to let its exceptions through.
/// \throws ClosedPipe, or Error kIo with `name` and the system's reason.
class DescriptorOutput : public std::streambuf {
 public:
  DescriptorOutput(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {
    setp(buffer_.data(), buffer_.data() + buffer_.size());
  }

 protected:
  int_type overflow(int_type c) override;
  int sync() override;

 private:
  int descriptor_;
  std::string name_;
  std::array<char, 1 << 16> buffer_;
};

/// Reads from a descriptor, with the same rules.
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
  ~InputStream() override;

 private:
  int descriptor_;
  DescriptorInput buffer_;
};

/// Whether there is more behind `path` than its size says, to be read to its end: a pipe that is open already, as a
/// shell's <(command) is, or a file of /proc. A FIFO that nobody may ever write to is none of these.
bool must_be_streamed(const std::string& path);

/// All bytes that `stream` still has. \param source stands in messages
/// \throws Error kUnsupported from about 1 GiB on.
std::vector<std::uint8_t> read_all(std::istream& stream, const std::string& source);

/// The whole of a file of up to 1 GiB, or of what must be streamed.
/// \throws Error as data::read_whole_file() and read_all().
std::vector<std::uint8_t> read_whole_input(const std::string& path);

}  // namespace byteformer::cli
