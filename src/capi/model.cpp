// Which files are prepared, which flow, and where answers go.
#include "capi/model.hpp"

#include <algorithm>
#include <utility>

#include "base/file_io.hpp"
#include "format/config.hpp"

namespace byteformer::capi {
namespace {

Precision precision_of(const char* name) {
  std::vector<std::string> known;
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16, Precision::kInt8}) {
    if (name == nullptr || to_string(precision) == name) return precision;
    known.emplace_back(to_string(precision));
  }
  base::fail(ErrorCode::kInvalidArgument, "the precision is \"", base::excerpt(name), "\", expected ",
             base::list(known, ", ", " or "));
}

LoadOptions load_options(const bf_load_options& options) {
  LoadOptions how{.num_threads = options.num_threads, .masking = {}, .precision = precision_of(options.precision)};
  if (options.masking != nullptr) how.masking = format::parse_masking(options.masking);
  how.as_is = true;  // files are judged and prepared here
  return how;
}

prepare::Preprocess preprocess_of(const std::filesystem::path& model_dir, const bf_load_options& options) {
  if (options.as_is != 0 && options.num_keys > 0)
    base::fail(ErrorCode::kInvalidArgument, "keys make no sense with as_is: nothing is obfuscated then");
  if (options.as_is != 0) return {};
  return api::read_preprocess(model_dir, paths_of(options.keys, options.num_keys, "keys"));
}

void check_room(const float* place, std::size_t capacity, std::size_t wanted, const char* what) {
  if (place == nullptr && capacity == 0) return;
  if (place == nullptr || capacity < wanted)
    base::fail(ErrorCode::kInvalidArgument, what, " has room for ", place == nullptr ? 0 : capacity,
               " numbers, but there are ", wanted);
}

std::vector<api::FileAnswer> answers_of(std::vector<FileResult> results) {
  std::vector<api::FileAnswer> answers;
  answers.reserve(results.size());
  for (FileResult& result : results) answers.push_back({std::move(result)});
  return answers;
}

}  // namespace

Model::Model(const std::filesystem::path& model_dir, const bf_load_options& options)
    : classifier_(Classifier::load(model_dir, load_options(options))),
      preprocess_(preprocess_of(model_dir, options)),
      form_(prepare::describe(preprocess_)) {
  if (!preprocess_.takes_files_as_they_are()) pool_ = std::make_unique<base::ThreadPool>(classifier_.num_threads());
}

std::vector<api::FileAnswer> Model::classify(std::span<const Bytes> files) const {
  if (!prepares()) return answers_of(classifier_.classify_batch(files));
  return api::classify_loaded(classifier_, *pool_, files.size(), [&](std::size_t i) -> api::LoadedFile {
    if (prepare::is_as_read(files[i], preprocess_)) return {{}, files[i]};
    return {prepared(files[i])};
  });
}

std::vector<api::FileAnswer> Model::classify(std::span<const std::filesystem::path> paths) const {
  if (!prepares()) return answers_of(classifier_.classify_files(paths));
  std::vector<api::FileAnswer> answers(paths.size());
  std::vector<std::size_t> waiting;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    std::error_code error;
    const bool flows =
        api::streams(preprocess_) && std::filesystem::file_size(paths[i], error) >= api::kLargeBytes && !error;
    if (flows)
      answers[i] = classify_flowing(paths[i]);
    else
      waiting.push_back(i);
  }
  std::vector<api::FileAnswer> of_waiting =
      api::classify_loaded(classifier_, *pool_, waiting.size(),
                           [&](std::size_t i) -> api::LoadedFile { return {prepared(paths[waiting[i]])}; });
  for (std::size_t i = 0; i < waiting.size(); ++i) answers[waiting[i]] = std::move(of_waiting[i]);
  for (std::size_t i = 0; i < paths.size(); ++i)
    if (Error* error = std::get_if<Error>(&answers[i].result)) *error = base::about(paths[i], *error);
  return answers;
}

api::FileAnswer Model::classify_flowing(const std::filesystem::path& path) const {
  try {
    base::InputFile file(path);
    return {api::classify_stream(classifier_, preprocess_.transforms, file.size(),
                                 [&](std::span<std::uint8_t> piece) { return file.read(piece); }),
            true};
  } catch (const Error& error) {
    return {error};
  }
}

prepare::PreparedFile Model::prepared(Bytes file) const {
  return api::prepared_bytes({file.begin(), file.end()}, preprocess_);
}

prepare::PreparedFile Model::prepared(const std::filesystem::path& path) const {
  return api::prepared_file(path, preprocess_);
}

void check_room(const bf_result& result, const Classifier& classifier) {
  check_room(result.logits, result.logits_capacity, static_cast<std::size_t>(classifier.num_labels()), "logits");
  check_room(result.features, result.features_capacity, static_cast<std::size_t>(classifier.hidden_size()), "features");
}

void write(const Output& output, bool was_prepared, bf_result& result) noexcept {
  if (result.logits != nullptr) std::ranges::copy(output.logits, result.logits);
  if (result.features != nullptr) std::ranges::copy(output.features, result.features);
  result.num_bytes = output.num_bytes;
  result.num_tokens = output.num_tokens;
  result.was_prepared = was_prepared ? 1 : 0;
}

void clear(bf_result& result) noexcept { result.num_bytes = result.num_tokens = result.was_prepared = 0; }

bf_result& needed_result(bf_result* result, const Classifier& classifier) {
  bf_result& one = StructArray<bf_result>(&needed(result, "result"), 1, kLeastResult, "bf_result")[0];
  check_room(one, classifier);
  return one;
}

std::vector<std::filesystem::path> paths_of(const char* const* paths, std::size_t count, const char* name) {
  check_count(count, sizeof(std::filesystem::path), name);
  std::vector<std::filesystem::path> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* path = (&needed(paths, name))[i];
    if (path == nullptr) base::fail(ErrorCode::kInvalidArgument, name, "[", i, "] is NULL");
    out.emplace_back(path);
  }
  return out;
}

Bytes bytes_of(const void* data, std::size_t size) {
  if (data == nullptr && size > 0) base::fail(ErrorCode::kInvalidArgument, "data is NULL, but its size is ", size);
  check_count(size, 1, "bytes");
  return {static_cast<const std::uint8_t*>(data), size};
}

}  // namespace byteformer::capi
