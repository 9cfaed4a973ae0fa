// A loaded model behind a C handle, and what becomes of files on their way to it.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/prepared_files.hpp"
#include "base/thread_pool.hpp"
#include "byteformer/classifier.hpp"
#include "capi/border.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::capi {

/// A classifier and how its files are prepared. Thread-safe.
class Model {
 public:
  /// \throws Error as Classifier::load() and api::read_preprocess().
  Model(const std::filesystem::path& model_dir, const bf_load_options& options);

  const Classifier& classifier() const noexcept { return classifier_; }
  /// Of files as they are, where nothing is prepared.
  const prepare::Preprocess& preprocess() const noexcept { return preprocess_; }
  bool prepares() const noexcept { return pool_ != nullptr; }
  const std::string& form() const noexcept { return form_; }

  /// One answer per file, in their order. \throws std::bad_alloc and bugs only.
  std::vector<api::FileAnswer> classify(std::span<const Bytes> files) const;
  std::vector<api::FileAnswer> classify(std::span<const std::filesystem::path> paths) const;

  /// A file as the model reads it.
  prepare::PreparedFile prepared(Bytes file) const;
  prepare::PreparedFile prepared(const std::filesystem::path& path) const;

 private:
  api::FileAnswer classify_flowing(const std::filesystem::path& path) const;

  Classifier classifier_;
  prepare::Preprocess preprocess_;
  std::string form_;
  std::unique_ptr<base::ThreadPool> pool_;  // reads, decodes and encodes; null where files are read as they are
};

/// Refuses a result that has no room for what it asks for.
void check_room(const bf_result& result, const Classifier& classifier);

/// Writes what `result` asks for. \param result  that check_room() let pass
void write(const Output& output, bool was_prepared, bf_result& result) noexcept;

/// The result of a file that has no answer.
void clear(bf_result& result) noexcept;

/// The one result of a call.
bf_result& needed_result(bf_result* result, const Classifier& classifier);

inline constexpr std::size_t kLeastResult = offsetof(bf_result, was_prepared) + sizeof(bf_result::was_prepared);

/// Paths that the caller gave as the parameter `name`. \throws Error kInvalidArgument where one is NULL.
std::vector<std::filesystem::path> paths_of(const char* const* paths, std::size_t count, const char* name);

/// Bytes that the caller gave.
/// \throws Error kInvalidArgument where there is no address of some bytes.
Bytes bytes_of(const void* data, std::size_t size);

}  // namespace byteformer::capi

struct bf_classifier {
  byteformer::capi::Alive<0x434C5331> alive = {};
  std::atomic<std::size_t> num_owners{1};
  std::shared_ptr<const byteformer::capi::Model> model;
};
