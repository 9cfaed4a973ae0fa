// A file of any kind, FIFOs included, opened for reading as a stream.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "system/descriptor_stream.hpp"

namespace byteformer::cli {

class InputStream : public std::istream {
 public:
  /// \throws UsageError with the system's reason if `path` cannot be opened.
  explicit InputStream(const std::string& path);
  ~InputStream() override;

 private:
  int descriptor_;
  DescriptorInput buffer_;
};

/// All bytes that `stream` still has. \param source stands in messages
/// \throws Error kUnsupported from about 1 GiB on.
std::vector<std::uint8_t> read_all(std::istream& stream, const std::string& source);

}  // namespace byteformer::cli
