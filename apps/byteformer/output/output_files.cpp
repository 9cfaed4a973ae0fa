// Implementation of output_files.hpp.
#include "output/output_files.hpp"

#include <algorithm>
#include <system_error>

#include "base/file_io.hpp"

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

}  // namespace

void create_folders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && fs::is_directory(folder, error)) return;
  const bool is_denied = error == std::errc::permission_denied;
  throw Error(
      is_denied ? ErrorCode::kPermissionDenied : ErrorCode::kIo,
      printable(folder) + ": cannot create this folder: " + (error ? error.message() : "a file is in its place"));
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

}  // namespace byteformer::cli
