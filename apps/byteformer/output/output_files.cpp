// Where outputs go, and how many were written.
#include "output/output_files.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <system_error>

#include "base/file_io.hpp"
#include "output/numbers.hpp"

namespace byteformer::cli {

namespace {

namespace fs = std::filesystem;
using base::printable;

fs::path canonical_or_as_given(const fs::path& path) {
  std::error_code error;
  fs::path canonical = fs::canonical(path, error);
  return error ? path : canonical;
}

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
  if (!overwrites) throw Error(ErrorCode::kAlreadyExists, printable(output) + " exists already; --force overwrites it");
  if (fs::equivalent(input, output, error))
    throw Error(ErrorCode::kInvalidArgument, "its output would overwrite it; choose another place with -o");
}

OutputFolder::OutputFolder(const fs::path& path) : path_(path) {
  create_folders(path);
  identity_ = canonical_or_as_given(path);
}

fs::path OutputFolder::place_of(const Input& input) const {
  const fs::path path = input.path;
  return path_ / (input.root.empty() ? path.filename() : path.lexically_relative(input.root));
}

bool OutputFolder::holds(const Input& input) const {
  if (input.root.empty()) return false;
  const fs::path root = canonical_or_as_given(input.root);
  if (root == identity_ || !lies_in(identity_, root)) return false;
  return lies_in(canonical_or_as_given(fs::path(input.path).parent_path()), identity_);
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

namespace {

std::string files(std::size_t number) { return counted(static_cast<std::int64_t>(number), "file"); }

}  // namespace

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
    complain(console, "left out " + files(num_left_out_) + " of the output folder, which lies in a folder of inputs");
  if (console.err_is_terminal && num_written_ > 0)
    complain(console, files(num_written_) + " written to " + base::printable(output));
  if (num_done_ == 0) complain(console, std::string("no files found to ") + verb);
  return status_;
}

}  // namespace byteformer::cli
