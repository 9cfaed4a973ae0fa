// Replaces the byte values of files and streams by a table, piece by piece: memory does not grow with the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <istream>
#include <ostream>
#include <span>

#include "bytes/byte_permutation.hpp"
#include "classify/inputs.hpp"
#include "output/output_tally.hpp"

namespace byteformer::cli {

class FileObfuscator {
 public:
  /// \param standard_input  may be null where no input is standard input; must outlive this
  FileObfuscator(const bytes::ByteTable& table, std::istream* standard_input)
      : table_(table), standard_input_(standard_input) {}

  /// Writes `output` whole or not at all; its folder is made if it is missing.
  /// \throws Interrupted after Ctrl-C.
  OutputResult write(const Input& input, const std::filesystem::path& output, bool overwrites) const;

  /// Writes to `out`, piece by piece.
  /// \throws Interrupted after Ctrl-C; ClosedPipe.
  OutputResult stream(const Input& input, std::ostream& out) const;

 private:
  using ReadPiece = std::function<std::size_t(std::span<std::uint8_t>)>;  ///< fills it as far as the input goes
  using AppendPiece = std::function<void(std::span<const std::byte>)>;

  ReadPiece open(const Input& input) const;
  void run(const Input& input, const AppendPiece& append) const;

  bytes::ByteTable table_;
  std::istream* standard_input_;
};

}  // namespace byteformer::cli
