// Model folders: read as they are, written whole or not at all.
#include "format/model_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "format/safetensors.hpp"

namespace byteformer::format {
namespace {

using base::fail;

namespace fs = std::filesystem;

constexpr const char* kConfigName = "config.json";
constexpr const char* kWeightsName = "model.safetensors";
constexpr std::size_t kMaxConfigBytes = 64 << 20;  // a million labels of 60 bytes

ModelConfig read_config_file(const fs::path& path) {
  return parse_config(base::read_text_file(path, kMaxConfigBytes), base::printable(path));
}

[[noreturn]] void throw_exists(const fs::path& dir) {
  fail(ErrorCode::kAlreadyExists, base::About{dir.native()},
       "exists already; name a folder that does not exist or is empty");
}

[[noreturn]] void throw_system(const fs::path& path, std::string_view action, int error) {
  ErrorCode code = ErrorCode::kIo;
  if (error == ENOENT || error == ENOTDIR) code = ErrorCode::kNotFound;
  if (error == EACCES || error == EPERM || error == EROFS) code = ErrorCode::kPermissionDenied;
  fail(code, base::printable(path), ": cannot ", action, ": ", std::strerror(error));
}

void require(const fs::path& dir, const char* name) {
  std::error_code error;
  const bool is_there = fs::exists(dir / name, error);
  if (error) throw_system(dir, "open", error.value());
  if (!is_there)
    fail(ErrorCode::kNotFound, base::About{dir.native()}, "has no ", name, "; a model is a folder with ", kConfigName,
         " and ", kWeightsName, " (`byteformer import` makes one)");
}

void refuse_if_occupied(const fs::path& dir) {
  std::error_code error;
  const auto status = fs::symlink_status(dir, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status) || !fs::is_empty(dir, error) || error) throw_exists(dir);
}

void sync_folder(const fs::path& dir) {
  const base::Descriptor fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0) ::fsync(fd.get());  // not every file system lets a folder be opened; the files are synced
}

/// A temporary folder beside its target that vanishes unless it is renamed.
class PendingFolder {
 public:
  explicit PendingFolder(const fs::path& target) : target_(target), temporary_(base::temporary_beside(target)) {
    std::error_code error;
    if (!fs::create_directory(temporary_, error)) throw_system(target_, "create", error ? error.value() : EEXIST);
  }
  PendingFolder(const PendingFolder&) = delete;
  PendingFolder& operator=(const PendingFolder&) = delete;
  ~PendingFolder() {
    std::error_code ignored;
    if (!committed_) fs::remove_all(temporary_, ignored);
  }

  const fs::path& path() const { return temporary_; }

  void commit() {
    sync_folder(temporary_);
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) {  // replaces an empty folder, never a full one
      const int error = errno;
      if (error == ENOTEMPTY || error == EEXIST || error == ENOTDIR) throw_exists(target_);
      throw_system(target_, "create", error);
    }
    committed_ = true;
    sync_folder(target_.has_parent_path() ? target_.parent_path() : fs::path("."));
  }

 private:
  fs::path target_;
  fs::path temporary_;
  bool committed_ = false;
};

}  // namespace

ModelFolder read_model_folder(const fs::path& dir) {
  std::error_code error;
  if (const auto status = fs::status(dir, error); !fs::is_directory(status)) {
    if (error && error != std::errc::no_such_file_or_directory) throw_system(dir, "open", error.value());
    if (!fs::exists(status))
      fail(ErrorCode::kNotFound, base::About{dir.native()}, "no such folder; a model is a folder with ", kConfigName,
           " and ", kWeightsName);
    fail(ErrorCode::kInvalidFormat, base::About{dir.native()}, "is no folder; a model is a folder with ", kConfigName,
         " and ", kWeightsName);
  }
  require(dir, kConfigName);
  require(dir, kWeightsName);
  return {dir, read_config_file(dir / kConfigName), read_safetensors(dir / kWeightsName)};
}

ModelConfig read_config(const fs::path& dir_or_file) {
  if (!base::is_folder(dir_or_file)) return read_config_file(dir_or_file);
  require(dir_or_file, kConfigName);
  return read_config_file(dir_or_file / kConfigName);
}

fs::path shipped_models() {
  const fs::path program = base::program_folder();  // build/NAME/bin, or PREFIX/bin
  for (const fs::path& root :
       {program.parent_path().parent_path().parent_path(), program.parent_path() / "share" / "byteformer"})
    if (base::is_folder(root / "models")) return root / "models";
  return {};
}

void write_model_folder(const fs::path& dir, const ModelConfig& config, const NamedTensors& tensors) {
  const fs::path target = dir.has_filename() ? dir : dir.parent_path();  // "out/" is "out"
  validate(config, base::printable(target / kConfigName));
  refuse_if_occupied(target);
  PendingFolder folder(target);
  write_safetensors(folder.path() / kWeightsName, tensors, {{"format", "pt"}});
  base::write_file_atomically(folder.path() / kConfigName, to_json(config));
  folder.commit();
}

}  // namespace byteformer::format
