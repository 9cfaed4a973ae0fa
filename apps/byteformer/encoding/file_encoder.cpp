// Plans, claims and writes the outputs of a batch, on all threads.
#include "encoding/file_encoder.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/file_io.hpp"
#include "classify/sample_classifier.hpp"
#include "common/interrupt.hpp"
#include "encoding/file_transformer.hpp"
#include "error_of.hpp"
#include "system/input_stream.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;
using base::printable;

constexpr std::size_t kKindBytes = 1 << 16;  // enough to tell any kind of file

}  // namespace

struct FileEncoder::Task {
  fs::path input, output;
  OutputResult result;
};

FileEncoder::FileEncoder(EncodeOptions options)
    : options_(std::move(options)), folder_(options_.output), written_(options_.output), pool_(options_.num_threads) {}

std::vector<OutputResult> FileEncoder::encode(const std::vector<Input>& batch) {
  std::vector<Task> tasks;
  for (const Input& input : batch) tasks.push_back(plan(input));
  std::vector<Task*> waiting;
  for (Task& task : tasks)
    if (!task.result.error && !task.result.is_left_out) waiting.push_back(&task);
  while (!waiting.empty()) {  // once, unless outputs collide
    std::vector<Task*> deferred;
    const std::vector<Task*> claimed = claim(waiting, deferred);
    pool_.parallel_for(claimed.size(), [&](std::size_t i, int) noexcept { run(*claimed[i]); });
    for (const Task* task : claimed)
      if (!task->result.error) written_.add(task->output, task->input);
    waiting = std::move(deferred);
  }
  std::vector<OutputResult> results;
  for (Task& task : tasks) {
    if (task.result.error) task.result.error = base::about(task.input, *task.result.error);
    results.push_back(std::move(task.result));
  }
  return results;
}

FileEncoder::Task FileEncoder::plan(const Input& input) const {
  Task task{.input = input.path, .output = {}, .result = {}};
  task.result.error = input.error;
  task.result.is_left_out = folder_.holds(input);
  if (input.error || task.result.is_left_out) return task;
  task.result.error = error_of([&] {
    const fs::path place = folder_.place_of(input);
    fs::path name = place.stem();
    name += extension_of(task.input);
    task.output = place.parent_path() / name;
  });
  return task;
}

/// Those of `tasks` that are first to ask for an output that is not written. Others that ask for it are deferred: the
/// first may fail yet.
std::vector<FileEncoder::Task*> FileEncoder::claim(const std::vector<Task*>& tasks,
                                                   std::vector<Task*>& deferred) const {
  std::vector<Task*> claimed;
  std::unordered_set<std::string> outputs;
  for (Task* task : tasks) {
    task->result.error = error_of([&] { written_.check(task->output); });
    if (!task->result.error)
      (outputs.insert(task->output.lexically_normal().native()).second ? claimed : deferred).push_back(task);
  }
  return claimed;
}

void FileEncoder::run(Task& task) const {
  if (interrupted()) return;
  if (flows(task.input)) return run_piecewise(task);
  media::FileBytes bytes;
  task.result.error = error_of([&] {
    check_overwriting(task.input, task.output, options_.overwrites);
    bytes = encoded(task.input);
  });
  if (task.result.error) return;
  task.result.error = error_of([&] {
    create_folders(task.output.parent_path());
    base::write_file_atomically(task.output, [&](const auto& append) { append(std::as_bytes(std::span(bytes))); },
                                {.replaces = options_.overwrites});
  });
  task.result.is_of_output = task.result.error.has_value();
}

/// Whether a large file can be transformed while it is read.
bool FileEncoder::flows(const fs::path& input) const {
  std::error_code error;
  const bool is_large = fs::file_size(input, error) >= kLargeBytes && !error;
  return is_large && options_.keeps_form && options_.form.is_bytes() && !options_.form.transforms.needs_whole_file();
}

void FileEncoder::run_piecewise(Task& task) const {
  OutputResult result;
  const auto failure = error_of([&] {
    try {
      const Input input{.path = task.input.native(), .error = {}};
      result = FileTransformer(options_.form.transforms).write(input, task.output, options_.overwrites);
    } catch (const Interrupted&) {  // nothing was written
    }
  });
  task.result = failure ? OutputResult{.error = failure} : result;
}

/// By what the file is, where the form has both parts. What is neither a picture nor a sound can only be bare pixels.
fs::path FileEncoder::extension_of(const fs::path& input) const {
  const auto& [image, sound, transforms] = options_.form;
  if (!image && !sound) return input.extension();
  if (!sound) return prepare::extension(image->encoding.format);
  if (!image) return prepare::extension(sound->encoding.format);
  base::InputFile file(input);
  media::FileBytes start(static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), kKindBytes)));
  if (start.size() == file.size()) start.push_back(0);  // room to notice the end
  start.resize(file.read(start));
  const bool is_sound = media::sound_kind(start) && !media::image_kind(start);
  return prepare::extension(is_sound ? sound->encoding.format : image->encoding.format);
}

media::FileBytes FileEncoder::encoded(const fs::path& input) const {
  media::FileBytes file = read_whole_input(input.native());
  const std::string source = printable(input);
  if (options_.keeps_form) return prepare::prepare_if_needed(std::move(file), options_.form, source).bytes;
  if (file.empty()) throw Error(ErrorCode::kEmptyFile, source, "is empty: there is nothing to encode");
  if (options_.form.image) return prepare::prepared(media::decode_image(file, source), *options_.form.image, source);
  return prepare::prepared(media::decode_sound(file, source), *options_.form.sound);
}

}  // namespace byteformer::cli
