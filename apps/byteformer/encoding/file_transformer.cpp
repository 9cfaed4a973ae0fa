// Reads, transforms and writes in pieces, and tells errors of inputs from those of outputs.
#include "encoding/file_transformer.hpp"

#include <memory>
#include <vector>

#include "base/file_io.hpp"
#include "common/interrupt.hpp"
#include "output/output_files.hpp"

namespace byteformer::cli {
namespace {

constexpr std::size_t kPieceBytes = 1 << 18;

/// An error of the input, told from those of the output.
struct InputFailure {
  Error error;
};

template <typename Action>
auto reading(const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    throw InputFailure{error};
  }
}

template <typename Action>
OutputResult result_of(const Input& input, const Action& action) {
  if (input.error) return {.error = input.error};
  try {
    action();
    return {};
  } catch (const InputFailure& failure) {
    return {.error = base::about(input.path, failure.error)};
  } catch (const Error& error) {
    return {.error = error, .is_of_output = true};
  }
}

}  // namespace

OutputResult FileTransformer::write(const Input& input, const std::filesystem::path& output, bool overwrites) const {
  return result_of(input, [&] {
    reading([&] { check_overwriting(input.is_standard_input ? "" : input.path, output, overwrites); });
    if (output.has_parent_path()) create_folders(output.parent_path());
    base::write_file_atomically(output, [&](const auto& append) { run(input, append); }, {.replaces = overwrites});
  });
}

OutputResult FileTransformer::stream(const Input& input, std::ostream& out) const {
  return result_of(input, [&] {
    run(input, [&out](std::span<const std::byte> piece) {
      out.write(reinterpret_cast<const char*>(piece.data()), static_cast<std::streamsize>(piece.size()));
    });
    out.flush();
  });
}

void FileTransformer::run(const Input& input, const AppendPiece& append) const {
  if (input.is_standard_input) return run(bytes::TransformStream(transforms_), pieces_of(*standard_input_), append);
  const auto file = reading([&] { return std::make_unique<base::InputFile>(input.path); });
  run(reading([&] { return bytes::TransformStream(transforms_, file->size()); }), pieces_of(*file), append);
}

void FileTransformer::run(bytes::TransformStream transform, const ReadPiece& read, const AppendPiece& append) const {
  std::vector<std::uint8_t> buffer(kPieceBytes);
  std::span<std::uint8_t> piece = buffer;
  while (piece.size() == buffer.size()) {
    if (interrupted()) throw Interrupted{};
    const auto ready = reading([&] {
      piece = piece.first(read(buffer));
      return transform.push(piece);
    });
    append(std::as_bytes(ready));
  }
  append(std::as_bytes(reading([&] { return transform.finish(); })));
}

}  // namespace byteformer::cli
