// Transforms the bytes of files and streams piece by piece: memory does not grow with the file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <istream>
#include <ostream>
#include <span>
#include <utility>

#include "bytes/transforms.hpp"
#include "classify/inputs.hpp"
#include "output/output_files.hpp"
#include "system/pieces.hpp"

namespace byteformer::cli {

class FileTransformer {
 public:
  /// \param transforms  none of which needs the whole file; of standard input none may need its length
  /// \param standard_input  may be null where no input is standard input; must outlive this
  explicit FileTransformer(bytes::Transforms transforms, std::istream* standard_input = nullptr)
      : transforms_(std::move(transforms)), standard_input_(standard_input) {}

  /// Writes `output` whole or not at all; its folder is made if it is missing.
  /// \throws Interrupted after Ctrl-C.
  OutputResult write(const Input& input, const std::filesystem::path& output, bool overwrites) const;

  /// Writes to `out`, piece by piece.
  /// \throws Interrupted after Ctrl-C; ClosedPipe.
  OutputResult stream(const Input& input, std::ostream& out) const;

 private:
  using AppendPiece = std::function<void(std::span<const std::byte>)>;

  void run(const Input& input, const AppendPiece& append) const;
  void run(bytes::TransformStream transform, const ReadPiece& read, const AppendPiece& append) const;

  bytes::Transforms transforms_;
  std::istream* standard_input_;
};

}  // namespace byteformer::cli
