// Where outputs go, how bytes flow into them, and how many were written.
#include "output/output_files.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <span>
#include <system_error>
#include <vector>

#include "base/file_io.hpp"
#include "cli.hpp"
#include "common/interrupt.hpp"
#include "output/text.hpp"
#include "system/input_stream.hpp"

namespace byteformer::cli {

namespace {

namespace fs = std::filesystem;
using base::printable;

bool lies_in(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

/// Now, by the clock of the file system that holds `folder`; the end of time where nothing can be written there.
fs::file_time_type clock_of(const fs::path& folder) {
  const fs::path probe = folder / (".byteformer-" + std::to_string(::getpid()));
  std::ofstream(probe).put('\n');
  std::error_code error, ignored;
  const fs::file_time_type now = fs::last_write_time(probe, error);
  fs::remove(probe, ignored);
  return error ? fs::file_time_type::max() : now;
}

std::string key_of(const fs::path& output) { return output.lexically_normal().native(); }

constexpr std::size_t kCopyBytes = 1 << 18;

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

template <typename Append>
void flow(bytes::TransformStream stream, const ReadPiece& read, const Append& append) {
  std::vector<std::uint8_t> buffer(kCopyBytes);
  std::span<std::uint8_t> piece = buffer;
  while (piece.size() == buffer.size()) {
    if (interrupted()) throw Interrupted{};
    const auto ready = reading([&] {
      piece = piece.first(read(buffer));
      return stream.push(piece);
    });
    append(std::as_bytes(ready));
  }
  append(std::as_bytes(reading([&] { return stream.finish(); })));
}

template <typename Append>
void transform(const bytes::Transforms& transforms, const Input& input, std::istream* standard_input,
               const Append& append) {
  if (input.is_standard_input) return flow(bytes::TransformStream(transforms), pieces_of(*standard_input), append);
  const auto file = reading([&] { return std::make_unique<base::InputFile>(input.path); });
  flow(reading([&] { return bytes::TransformStream(transforms, file->size()); }), pieces_of(*file), append);
}

}  // namespace

void create_folders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && fs::is_directory(folder, error)) return;
  const bool is_denied = error == std::errc::permission_denied;
  throw Error(is_denied ? ErrorCode::kPermissionDenied : ErrorCode::kIo, folder.native(),
              "cannot create this folder: " + (error ? error.message() : "a file is in its place"));
}

void check_overwriting(const fs::path& input, const fs::path& output, bool overwrites) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(output, error))) return;
  if (!overwrites)
    throw Error(ErrorCode::kAlreadyExists,
                base::joined(printable(output), " exists already; ", kForceOption, " overwrites it"));
  if (fs::equivalent(input, output, error))
    throw Error(ErrorCode::kInvalidArgument, input.native(),
                "its output would overwrite it; choose another place for the output");
}

void refuse_to_replace(const fs::path& output, const std::vector<fs::path>& read) {
  std::error_code error;
  if (!fs::exists(output, error)) return;  // `read` may be many
  for (const fs::path& file : read)
    if (fs::equivalent(output, file, error))
      throw Error(ErrorCode::kInvalidArgument,
                  printable(output) + " would replace what is read here; choose another place for it");
}

void refuse_to_replace_input(const fs::path& output, const std::function<bool(const fs::path&)>& is_input) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(output, error)) && is_input(output))
    throw Error(ErrorCode::kInvalidArgument,
                printable(output) + " may be an input itself; choose another place for what would replace it");
}

std::vector<fs::path> files_of_model(const fs::path& model_dir) {
  return {model_dir / "config.json", model_dir / "model.safetensors"};
}

fs::path relative_place(const Input& input) {
  const fs::path path = input.path;
  return input.root.empty() ? path.filename() : path.lexically_relative(input.root);
}

OutputFolder::OutputFolder(const fs::path& path) : path_(path) {
  create_folders(path);
  identity_ = without_links(path);
}

fs::path OutputFolder::place_of(const Input& input) const { return path_ / relative_place(input); }

bool OutputFolder::holds(const Input& input) const {
  if (input.root.empty()) return false;
  const fs::path root = without_links(input.root);
  if (root == identity_ || !lies_in(identity_, root)) return false;
  return holds(fs::path(input.path));
}

bool OutputFolder::holds(const fs::path& file) const {
  return lies_in(without_links(file.parent_path()), identity_);
}

WrittenOutputs::WrittenOutputs(const fs::path& folder, std::size_t most_names)
    : start_(clock_of(folder)), most_names_(most_names) {}

void WrittenOutputs::check(const fs::path& output) const {
  const auto known = inputs_.find(key_of(output));
  std::error_code error;
  const bool was_forgotten =
      known == inputs_.end() && forgets_ && fs::last_write_time(output, error) >= start_ && !error;
  if (known == inputs_.end() && !was_forgotten) return;
  throw Error(ErrorCode::kAlreadyExists, printable(output) + " is already the output of " +
                                             (was_forgotten ? "another input" : printable(known->second)));
}

void WrittenOutputs::add(const fs::path& output, const fs::path& input) {
  if (!inputs_.emplace(key_of(output), input.native()).second) return;
  outputs_.push_back(key_of(output));
  if (outputs_.size() <= most_names_) return;
  inputs_.erase(outputs_.front());
  outputs_.pop_front();
  forgets_ = true;
}

OutputResult write_transformed(const bytes::Transforms& transforms, const Input& input, std::istream* standard_input,
                               const fs::path& output, bool overwrites) {
  return result_of(input, [&] {
    reading([&] { check_overwriting(input.is_standard_input ? "" : input.path, output, overwrites); });
    if (output.has_parent_path()) create_folders(output.parent_path());
    const auto write_all = [&](const auto& append) { transform(transforms, input, standard_input, append); };
    base::write_file_atomically(output, write_all, {.replaces = overwrites});
  });
}

OutputResult stream_transformed(const bytes::Transforms& transforms, const Input& input, std::istream* standard_input,
                                std::ostream& out) {
  if (input.error) return {.error = input.error};
  try {
    transform(transforms, input, standard_input, [&out](std::span<const std::byte> piece) {
      out.write(reinterpret_cast<const char*>(piece.data()), static_cast<std::streamsize>(piece.size()));
    });
    out.flush();
    return {};
  } catch (const InputFailure& failure) {
    return {.error = base::about(input.path, failure.error)};
  }
}

void OutputTally::add(const OutputResult& result, ProgressBar& progress, Console& console) {
  if (result.is_left_out) ++num_left_out_;
  if (!result.error && !result.is_left_out) ++num_written_;
  if (result.error) {
    progress.clear();
    complain(console, *result.error);
    status_ = std::max(status_, result.is_of_output ? kExitFailure : kExitInputFailed);
  }
  ++num_done_;
}

int OutputTally::finish(const std::filesystem::path& output, const char* verb, Console& console) const {
  if (num_left_out_ > 0)
    complain(console,
             "left out " + counted(num_left_out_, "file") + " of the output folder, which lies in a folder of inputs");
  if (console.err_is_terminal && num_written_ > 0)
    complain(console, counted(num_written_, "file") + " written to " + base::printable(output));
  if (num_done_ == 0) complain(console, std::string("no files found to ") + verb);
  return status_;
}

}  // namespace byteformer::cli
