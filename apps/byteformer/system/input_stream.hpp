// A file of any kind, FIFOs included, opened for reading as a stream.
#pragma once

#include <istream>
#include <string>

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

}  // namespace byteformer::cli
