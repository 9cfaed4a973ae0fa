// `byteformer encode`: pictures and sounds as the bytes that models read.
#include <memory>

#include "byteformer/error.hpp"
#include "classify/inputs.hpp"
#include "cli.hpp"
#include "commands/commands.hpp"
#include "common/interrupt.hpp"
#include "encoding/file_encoder.hpp"
#include "exit_status.hpp"
#include "obfuscation/model_keys.hpp"
#include "output/output_files.hpp"
#include "output/progress_bar.hpp"
#include "plan/settings.hpp"

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

A file that cannot be encoded costs one line on standard error and exit status 1; the others are written. Of two
inputs with the same output the first that can be encoded is written. Files are written whole or not at all.

Examples:
  byteformer encode photos/*.jpg -o encoded --to tiff --resize 256 --crop 224
  byteformer encode -r photos/ -o encoded --to jpeg --quality 60
  byteformer encode -r sounds/ -o encoded --to wav --sample-rate 16000 --duration 1
  byteformer encode photo.webp -o encoded --like models/mine)";

constexpr std::size_t kBatchSize = 64;

struct Options {
  InputArguments inputs;
  std::vector<std::string> keys;
  std::optional<std::string> output, to, like, sample_format;
  std::optional<std::int64_t> quality, resize, crop, sample_rate, num_threads;
  std::optional<double> duration_s;
  bool force = false, no_progress = false;
};

/// Options that belong to some formats only.
void check_formats(const Options& options, prepare::FileFormat format) {
  const auto refuse = [](bool is_given, bool fits, const char* option, const char* formats) {
    if (is_given && !fits) throw UsageError(std::string(option) + " needs --to " + formats);
  };
  const bool is_image = prepare::is_image(format);
  refuse(options.quality.has_value(), format == prepare::FileFormat::kJpeg, "--quality", "jpeg");
  refuse(options.sample_format.has_value(), format == prepare::FileFormat::kWav, "--sample-format", "wav");
  refuse(options.resize.has_value(), is_image, "--resize", "tiff, png, jpeg, fhwc or fchw");
  refuse(options.crop.has_value(), is_image, "--crop", "tiff, png, jpeg, fhwc or fchw");
  refuse(options.sample_rate.has_value(), !is_image, "--sample-rate", "wav or mp3");
  refuse(options.duration_s.has_value(), !is_image, "--duration", "wav or mp3");
}

void check(const Options& options, const Console& console) {
  if (options.inputs.paths.empty() && !options.inputs.files_from) throw UsageError("no files given");
  for (const std::string& path : options.inputs.paths)
    if (path == "-") throw UsageError("`-` is standard input, which has no name to write under; `./-` is a file");
  check(options.inputs, console);
  if (!options.to && !options.like) throw UsageError("--to or --like is required");
  if (!options.keys.empty() && !options.like) throw UsageError("--key needs --like");
  if (options.to) check_formats(options, prepare::parse_file_format(*options.to));
  if (options.resize && options.crop && *options.crop > *options.resize)
    throw UsageError("--crop must not be larger than --resize");
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

int encode(const Options& options, Console& console) {
  check(options, console);
  std::optional<InputStream> list_file;
  Inputs inputs = open_inputs(options.inputs, list_file, console);
  watch_for_interrupt();
  FileEncoder encoder({.output = *options.output,
                       .form = form_of(options),
                       .keeps_form = options.like.has_value(),
                       .overwrites = options.force,
                       .num_threads = static_cast<int>(options.num_threads.value_or(0))});
  ProgressBar progress(console, inputs.total(), !options.no_progress);
  OutputTally tally;
  while (!interrupted()) {
    const std::vector<Input> batch = inputs.next_batch(kBatchSize);
    if (batch.empty()) break;
    for (const OutputResult& result : encoder.encode(batch)) tally.add(result, progress, console);
    progress.show(tally.num_done());
  }
  progress.clear();
  return interrupted() ? kExitInterrupted : tally.finish(*options.output, "encode", console);
}

void add_form_options(CommandLine& line, Options& options) {
  const DeclaredOption like = add_text(line, "--like", options.like, "DIR", "Encode as this model expects its files");
  add_key_option(line, options.keys);
  add_choice(line, "--to", options.to, {"tiff", "png", "jpeg", "fhwc", "fchw", "wav", "mp3"}, "What to write")
      .excludes(like);
  add_number(line, "--quality", options.quality, {1, 100}, "JPEG quality (default: 100)").excludes(like);
  add_number(line, "--resize", options.resize, {1, 65'536}, "Shorter side of pictures, in pixels: bicubic")
      .excludes(like);
  add_number(line, "--crop", options.crop, {1, 65'536}, "Square from the middle of pictures, in pixels").excludes(like);
  add_choice(line, "--sample-format", options.sample_format, {"float32", "int32", "int16", "uint8"},
             "Samples of WAV (default: int16)")
      .excludes(like);
  add_number(line, "--sample-rate", options.sample_rate, {1, 768'000}, "Samples a second").excludes(like);
  add_duration(line, "--duration", options.duration_s, plan::Duration::kMin, plan::Duration::kMax,
               "Length of sounds: cut, or filled with silence")
      .excludes(like);
}

}  // namespace

Action add_encode(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_input_arguments(line, options->inputs, "Encode", "Pictures or sounds");
  add_text(line, "-o,--output", options->output, "DIR", "Folder to write to; made if it is missing").required();
  add_form_options(line, *options);
  add_flag(line, "--force", options->force, "Overwrite outputs that exist");
  add_number(line, "-j,--jobs", options->num_threads, {1, 1'024}, "Files at a time (default: one a processor)");
  add_flag(line, "--no-progress", options->no_progress, "No progress bar");
  set_details(line, kDetails);
  return [options](Console& console) { return encode(*options, console); };
}

}  // namespace byteformer::cli
