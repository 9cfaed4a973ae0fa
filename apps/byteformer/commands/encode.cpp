// `byteformer encode`: pictures and sounds as the bytes that models read.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/bytes_io.hpp"
#include "base/file_io.hpp"
#include "base/thread_pool.hpp"
#include "byteformer/error.hpp"
#include "classify/inputs.hpp"
#include "commands/commands.hpp"
#include "common/interrupt.hpp"
#include "data/archives.hpp"
#include "output/encoder.hpp"
#include "output/output_archives.hpp"
#include "output/output_files.hpp"
#include "output/text.hpp"
#include "system/input_stream.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kDetails =
    R"(Reads JPEG, PNG, TIFF, WebP, GIF, BMP and PNM pictures, and WAV, FLAC, Ogg, AIFF, AU, CAF and MP3 sounds.
Each becomes DIR/STEM.EXT: .tiff .png .jpg .fhwc .fchw .wav or .mp3; below a folder that is walked with -r the
folders stay. The bytes are those of the published data pipeline: uncompressed TIFF and PNG, bare pixels row by
row (fhwc) or plane by plane (fchw), mono WAV, MP3 by LAME. Sizes, rates and lengths stay as they are unless an
option says otherwise.

With --like, files are written exactly as `byteformer classify` would prepare them for MODEL: what is in its
form already is copied, and a model of pictures and sounds takes each as what it is. If the model reads transformed
bytes (shuffled, masked, with noise, permuted), so are the outputs: from then on they are classified with --as-is.

An output that ends in .tar is an archive, or with %03d a row of them, numbered from 0 on, with --files-per-archive
files in each. Their names are those below the folder that is walked, so that folders of classes stay, and so do labels
(.cls) of files from archives; where files of two archives have one name, that of its archive comes before the second
(b-0001.tiff). The same inputs make the same bytes. With --force a longer row of before is cut to the new one.

A file that cannot be encoded costs one line on standard error and exit status 1; the others are written. Of two
inputs with the same output the first that can be encoded is written. Files are written whole or not at all.

Examples:
  byteformer encode photos/*.jpg -o encoded --to tiff --resize 256 --crop 224
  byteformer encode -r photos/ -o encoded --to jpeg --quality 60
  byteformer encode -r sounds/ -o encoded --to wav --sample-rate 16000 --duration 1
  byteformer encode photo.webp -o encoded --like models/mine
  byteformer encode -r photos/ -o shards-%03d.tar --to tiff --resize 256 --crop 224)";

namespace fs = std::filesystem;

constexpr std::int64_t kFilesPerArchive = 10'000;

using plan::Request;

struct Options {
  InputArguments inputs;
  std::vector<std::string> keys;
  std::optional<std::string> output, to, like, sample_format;
  std::optional<std::int64_t> quality, resize, crop, sample_rate, num_threads, files_per_archive;
  std::optional<double> duration_s;
  bool force = false, no_progress = false;
};

/// Options that belong to some formats only.
void check_formats(const Options& options, prepare::FileFormat format) {
  const auto refuse = [](bool is_given, bool fits, plan::Member option, const char* formats) {
    if (is_given && !fits)
      throw UsageError(base::joined(plan::option_name(option), " needs ", kToOption, " ", formats));
  };
  const bool is_image = prepare::is_image(format);
  refuse(options.quality.has_value(), format == prepare::FileFormat::kJpeg, &Request::quality, "jpeg");
  refuse(options.sample_format.has_value(), format == prepare::FileFormat::kWav, &Request::sample_format, "wav");
  refuse(options.resize.has_value(), is_image, &Request::resize, "tiff, png, jpeg, fhwc or fchw");
  refuse(options.crop.has_value(), is_image, &Request::crop, "tiff, png, jpeg, fhwc or fchw");
  refuse(options.sample_rate.has_value(), !is_image, &Request::sample_rate, "wav or mp3");
  refuse(options.duration_s.has_value(), !is_image, &Request::duration_s, "wav or mp3");
}

void check(const Options& options, const Console& console) {
  if (options.inputs.paths.empty() && !options.inputs.files_from) throw UsageError("no files given");
  for (const std::string& path : options.inputs.paths)
    if (path == "-") throw UsageError("`-` is standard input, which has no name to write under; `./-` is a file");
  check(options.inputs, console);
  if (options.output == "-") throw UsageError("-o - would be a folder called `-`; name another, or `./-`");
  if (!options.to && !options.like) throw UsageError(base::joined(kToOption, " or --like is required"));
  if (!options.keys.empty() && !options.like) throw UsageError(base::joined(kKeyOption, " needs --like"));
  if (options.to) check_formats(options, prepare::parse_file_format(*options.to));
  if (options.resize && options.crop && *options.crop > *options.resize)
    throw UsageError(plan::option_name(&Request::crop) + " must not be larger than " +
                     plan::option_name(&Request::resize));
}

std::optional<int> as_int(std::optional<std::int64_t> number) {
  if (!number) return std::nullopt;
  return static_cast<int>(*number);
}

prepare::Preprocess form_of(const Options& options) {
  if (options.like) {
    prepare::Preprocess form = read_preprocess(*options.like, options.keys);
    if (form.takes_files_as_they_are())
      throw UsageError("--like: this model reads files as they are, there is nothing to encode");
    return form;
  }
  prepare::Encoding encoding{.format = prepare::parse_file_format(*options.to)};
  encoding.quality = as_int(options.quality).value_or(encoding.quality);
  if (options.sample_format) encoding.sample_format = media::parse_sample_format(*options.sample_format);
  prepare::Preprocess form;
  if (prepare::is_image(encoding.format))
    form.image = prepare::ImagePreparation{as_int(options.resize), as_int(options.crop), encoding};
  else
    form.sound = prepare::SoundPreparation{as_int(options.sample_rate), options.duration_s, encoding};
  return form;
}

/// Where encoded files go.
struct EncodeOptions {
  fs::path output;  ///< folder
  bool overwrites = false;
  int num_threads = 0;                            ///< 0: one per processor
  std::function<bool(const fs::path&)> is_input;  ///< whether a file that stands where an output goes may be read yet
};

/// Writes pictures and sounds in one form below a folder: which file goes where, and who comes first.
class FileEncoder {
 public:
  FileEncoder(const Encoder& encoder, EncodeOptions options)
      : encoder_(encoder),
        options_(std::move(options)),
        folder_(options_.output),
        written_(options_.output),
        pool_(options_.num_threads) {}

  /// Encodes `batch` on all threads; one result per input, in their order. An output belongs to the first input, of all
  /// batches, that can be encoded. After Ctrl-C the rest of the batch is left alone.
  std::vector<OutputResult> encode(const std::vector<Input>& batch) {
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
        if (!task->result.error) written_.add(task->output, task->input.path);
      waiting = std::move(deferred);
    }
    std::vector<OutputResult> results;
    for (Task& task : tasks) {
      if (task.result.error) task.result.error = base::about(task.input.path, *task.result.error);
      results.push_back(std::move(task.result));
    }
    return results;
  }

 private:
  struct Task {
    const Input& input;
    fs::path output;
    OutputResult result;
  };

  Task plan(const Input& input) const {
    Task task{.input = input, .output = {}, .result = {}};
    task.result.error = input.error;
    task.result.is_left_out = folder_.holds(input);
    if (input.error || task.result.is_left_out) return task;
    task.result.error = error_of([&] {
      task.output = encoder_.renamed(folder_.place_of(input), input);
      std::error_code ignored;  // what would replace its own input is told so later
      if (options_.overwrites && !fs::equivalent(input.path, task.output, ignored))
        refuse_to_replace_input(task.output, options_.is_input);
    });
    return task;
  }

  /// Those of `tasks` that are first to ask for an output that is not written. Others that ask for it are deferred: the
  /// first may fail yet.
  std::vector<Task*> claim(const std::vector<Task*>& tasks, std::vector<Task*>& deferred) const {
    std::vector<Task*> claimed;
    std::unordered_set<std::string> outputs;
    for (Task* task : tasks) {
      task->result.error = error_of([&] { written_.check(task->output); });
      if (!task->result.error)
        (outputs.insert(task->output.lexically_normal().native()).second ? claimed : deferred).push_back(task);
    }
    return claimed;
  }

  void run(Task& task) const {
    if (interrupted()) return;
    if (encoder_.flows(task.input)) return run_piecewise(task);
    media::FileBytes bytes;
    task.result.error = error_of([&] {
      check_overwriting(task.input.path, task.output, options_.overwrites);
      bytes = encoder_.encoded(task.input);
    });
    if (task.result.error) return;
    task.result.error = error_of([&] {
      create_folders(task.output.parent_path());
      base::write_file_atomically(task.output, base::as_text(bytes), {.replaces = options_.overwrites});
    });
    task.result.is_of_output = task.result.error.has_value();
  }

  void run_piecewise(Task& task) const {
    OutputResult result;
    const auto failure = error_of([&] {
      try {
        result = write_transformed(encoder_.transforms(), task.input, nullptr, task.output, options_.overwrites);
      } catch (const Interrupted&) {  // nothing was written
      }
    });
    task.result = failure ? OutputResult{.error = failure} : result;
  }

  const Encoder& encoder_;
  EncodeOptions options_;
  OutputFolder folder_;
  WrittenOutputs written_;
  base::ThreadPool pool_;
};

int encode_to_folder(const Options& options, const Encoder& encoder, Inputs& inputs, Console& console) {
  const bool writes_where_it_reads = options.force && inputs.were_given(*options.output);
  FileEncoder files(encoder, {.output = *options.output,
                              .overwrites = options.force,
                              .num_threads = static_cast<int>(options.num_threads.value_or(0)),
                              .is_input = [&](const fs::path& file) {
                                return writes_where_it_reads || inputs.were_given(file);
                              }});
  ProgressBar progress(console, inputs.total(), !options.no_progress);
  OutputTally tally;
  while (!interrupted()) {
    const std::vector<Input> batch = inputs.next_batch(kDefaultBatchSize);
    if (batch.empty()) break;
    for (const OutputResult& result : files.encode(batch)) tally.add(result, progress, console);
    progress.show(tally.num_done());
  }
  progress.clear();
  return interrupted() ? kExitInterrupted : tally.finish(*options.output, "encode", console);
}

/// Encodes inputs as members of archives.
class MemberEncoder {
 public:
  MemberEncoder(const Encoder& encoder, Inputs& inputs, const Options& options, Console& console)
      : encoder_(encoder),
        inputs_(inputs),
        console_(console),
        progress_(console, inputs.total(), !options.no_progress),
        pool_(static_cast<int>(options.num_threads.value_or(0))) {}

  /// The next that can be encoded, in the order of inputs. What cannot is a line on standard error.
  /// \throws Interrupted
  std::vector<ArchiveMember> next(std::size_t most, bool starts_archive) {
    if (starts_archive) names_.clear();
    std::vector<ArchiveMember> members;
    while (members.empty()) {
      const std::vector<Input> batch = inputs_.next_batch(most);
      if (batch.empty()) break;
      std::vector<ArchiveMember> encoded(batch.size());
      std::vector<OutputResult> results(batch.size());
      pool_.parallel_for(batch.size(), [&](std::size_t i, int) noexcept { run(batch[i], encoded[i], results[i]); });
      if (interrupted()) throw Interrupted{};
      for (std::size_t i = 0; i < batch.size(); ++i) {
        if (!results[i].error && !claim(batch[i], encoded[i]))
          results[i].error = Error(ErrorCode::kAlreadyExists, batch[i].path,
                                   "would be " + base::printable(fs::path(encoded[i].name)) +
                                       ", which another input is in this archive already");
        tally_.add(results[i], progress_, console_);
        if (!results[i].error) members.push_back(std::move(encoded[i]));
      }
      progress_.show(tally_.num_done());
    }
    return members;
  }

  int finish(const std::string& output) {
    progress_.clear();
    return tally_.finish(output, "encode", console_);
  }

 private:
  void run(const Input& input, ArchiveMember& member, OutputResult& result) const {
    if (interrupted()) return;
    result.error = input.error;
    if (!result.error)
      result.error = error_of([&] {
        member.name = encoder_.renamed(relative_place(input), input).native();
        member.bytes = encoder_.encoded(input);
        member.label = input.label;
      });
    if (result.error) result.error = base::about(input.path, *result.error);
  }

  /// Whether no other member has this name, or the place of its label.
  bool claim(const ArchiveMember& member, const fs::path& root) {
    const std::string label = label_name(member);
    if (names_.contains(member.name) || (member.label && names_.contains(label))) return false;
    names_.emplace(member.name, root);
    if (member.label) names_.emplace(label, root);
    return true;
  }

  /// Names of files often begin anew in each archive: then the name of theirs comes before them.
  bool claim(const Input& input, ArchiveMember& member) {
    if (claim(member, input.root)) return true;
    if (!input.place) return false;
    if (const auto other = names_.find(member.name); other != names_.end() && other->second == input.root) return false;
    std::string archive = data::archive_stem(input.root);
    std::ranges::replace(archive, '.', '_');  // or it would end what the label is beside
    const fs::path path = member.name;
    member.name = (path.parent_path() / (archive + '-' + path.filename().native())).native();
    return claim(member, input.root);
  }

  const Encoder& encoder_;
  Inputs& inputs_;
  Console& console_;
  ProgressBar progress_;
  base::ThreadPool pool_;
  OutputTally tally_;
  std::unordered_map<std::string, fs::path> names_;  ///< in the archive that is written, and where each came from
};

int encode_to_archives(const Options& options, const ArchiveNames& names, const Encoder& encoder, Inputs& inputs,
                       Console& console) {
  MemberEncoder members(encoder, inputs, options, console);
  const auto most = static_cast<std::size_t>(options.files_per_archive.value_or(kFilesPerArchive));
  const auto is_input = [&](const fs::path& archive) { return inputs.may_hold(archive); };
  const std::size_t num_written =
      write_archives(names, most, options.force, is_input,
                     [&](std::size_t count, bool starts_archive) { return members.next(count, starts_archive); });
  const int status = members.finish(*options.output);
  if (options.force && num_written > 0)
    if (const auto removed = remove_rest_of_row(names, num_written, is_input); !removed.empty())
      complain(console, "note: removed " + counted(removed.size(), "archive") + " of an earlier row, from " +
                            base::printable(removed.front()) + " on");
  return status;
}

int encode(const Options& options, Console& console) {
  check(options, console);
  const bool are_archives = data::is_archive_name(*options.output);
  if (options.files_per_archive && !are_archives)
    throw UsageError("--files-per-archive needs an output as shards-%03d.tar");
  std::optional<ArchiveNames> names;
  if (are_archives) names.emplace(*options.output);
  Inputs inputs = open_inputs(options.inputs, console);
  watch_for_interrupt();
  const Encoder encoder(form_of(options), options.like.has_value());
  return names ? encode_to_archives(options, *names, encoder, inputs, console)
               : encode_to_folder(options, encoder, inputs, console);
}

void add_form_options(CommandLine& line, Options& options) {
  const Option& like = add_text(line, "--like", options.like, "DIR", "Encode as this model expects its files");
  add_keys_option(line, options.keys);
  add_choice(line, kToOption, options.to, {"tiff", "png", "jpeg", "fhwc", "fchw", "wav", "mp3"}, "What to write")
      .excludes(like);
  add_setting(line, &Request::quality, options.quality).excludes(like);
  add_setting(line, &Request::resize, options.resize, "Shorter side of pictures, in pixels: bicubic").excludes(like);
  add_setting(line, &Request::crop, options.crop).excludes(like);
  add_setting(line, &Request::sample_format, options.sample_format, "Samples of WAV (default: int16)").excludes(like);
  add_setting(line, &Request::sample_rate, options.sample_rate).excludes(like);
  add_setting(line, &Request::duration_s, options.duration_s).excludes(like);
}

}  // namespace

Action add_encode(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_input_arguments(line, options->inputs, "Encode", "Pictures or sounds");
  add_archive_argument(line, options->inputs);
  add_text(line, names_of(&Request::output), options->output, "DIR",
           "Folder to write to, made if it is missing; or archives, as shards-%03d.tar")
      .required();
  add_number(line, "--files-per-archive", options->files_per_archive, {1, 1'000'000'000},
             "Files in each of shards-%03d.tar (default: 10000)");
  add_form_options(line, *options);
  add_force(line, options->force, "Overwrite outputs that exist");
  const plan::Whole threads = plan::whole(&Request::threads);
  add_number(line, "-j,--jobs", options->num_threads, {threads.min, threads.max},
             "Files at a time (default: one per processor)");
  add_setting(line, &Request::no_progress, options->no_progress, "No progress bar");
  line.details = kDetails;
  return [options](Console& console) { return encode(*options, console); };
}

}  // namespace byteformer::cli
