// `byteformer camera`: which bytes a camera keeps that never forms an image, and what a person could see of them.
#include <fmt/format.h>

#include <limits>
#include <memory>
#include <span>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "bytes/transforms.hpp"
#include "classify/sample_classifier.hpp"
#include "cli.hpp"
#include "commands/commands.hpp"
#include "data/loader.hpp"
#include "exit_status.hpp"
#include "output/numbers.hpp"
#include "output/output_files.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kMaskDetails =
    R"(The positions of L bytes that are kept, counted from 0, one a line, in ascending order: the first floor(F L) of the
random order that PyTorch's generator gives for the seed.

Examples:
  byteformer camera mask --keep-frac 0.05 --bytes 150528 -o mask.txt
  byteformer camera mask --keep-frac 0.1 --bytes 3072 | head)";

constexpr const char* kSimulateDetails =
    R"(Of the picture's bytes, row by row, red, green and blue of a pixel one after another, those stay that the mask keeps;
the others are black. This is more than the camera gives away: a model gets the kept bytes alone, without their places,
but the mask is no secret, so that anyone can put them back as this picture does.

Examples:
  byteformer camera simulate photo.jpg --keep-frac 0.05 --crop 224 -o seen.png)";

struct MaskOptions {
  std::optional<double> keep_frac;
  std::optional<std::int64_t> seed;
};

struct MaskArguments {
  MaskOptions mask;
  std::optional<std::int64_t> num_bytes;
  std::optional<std::string> output;
  bool force = false;
};

struct SimulateArguments {
  MaskOptions mask;
  std::optional<std::string> input, output;
  std::optional<std::int64_t> resize, crop;
  bool force = false;
};

void add_mask_options(CommandLine& line, MaskOptions& options) {
  add_decimal(line, "--keep-frac", options.keep_frac, 0, 1, "Share of the bytes that are kept, above 0").required();
  add_number(line, "--seed", options.seed, {0, std::numeric_limits<std::uint32_t>::max()},
             "Seed of the random order (default: 2147483647, the published one)");
}

bytes::PositionMask mask_of(const MaskOptions& options) {
  bytes::PositionMask mask{.keep_frac = options.keep_frac.value()};
  if (options.seed) mask.seed = static_cast<std::uint64_t>(*options.seed);
  bytes::validate(mask);
  return mask;
}

std::vector<bool> kept_positions(const MaskArguments& arguments) {
  try {
    return bytes::kept_positions(mask_of(arguments.mask), static_cast<std::uint64_t>(arguments.num_bytes.value()));
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

template <typename Append>
void write_positions(const std::vector<bool>& is_kept, const Append& append) {
  for (std::size_t i = 0; i < is_kept.size(); ++i)
    if (is_kept[i]) append(std::to_string(i) + "\n");
}

int write_mask(const MaskArguments& arguments, Console& console) {
  const std::vector<bool> is_kept = kept_positions(arguments);
  if (!arguments.output || *arguments.output == "-") {
    write_positions(is_kept, [&](const std::string& line) { console.out << line; });
    return kExitOk;
  }
  check_overwriting("", *arguments.output, arguments.force);
  const auto write_all = [&](const auto& append) {
    std::string lines;
    write_positions(is_kept, [&](const std::string& line) {
      lines += line;
      if (lines.size() < (1 << 16)) return;
      append(std::as_bytes(std::span(lines)));
      lines.clear();
    });
    append(std::as_bytes(std::span(lines)));
  };
  base::write_file_atomically(*arguments.output, write_all, {.replaces = arguments.force});
  return kExitOk;
}

media::Image framed(media::Image image, const SimulateArguments& arguments, const std::string& source) {
  if (arguments.resize) image = media::with_shorter_side(image, static_cast<int>(*arguments.resize));
  if (arguments.crop) image = media::center_cropped(image, static_cast<int>(*arguments.crop), source);
  return image;
}

prepare::SeenPicture see(const SimulateArguments& arguments) {
  const std::string& path = arguments.input.value();
  const std::string source = base::printable(path);
  const media::FileBytes file = data::read_whole_file(path);
  return prepare::seen_through(mask_of(arguments.mask), framed(media::decode_image(file, source), arguments, source));
}

int simulate(const SimulateArguments& arguments, Console& console) {
  mask_of(arguments.mask);
  if (arguments.resize && arguments.crop && *arguments.crop > *arguments.resize)
    throw UsageError("--crop must not be larger than --resize");
  const std::string& output = arguments.output.value();
  prepare::SeenPicture seen;
  try {
    check_overwriting(arguments.input.value(), output, arguments.force);
    seen = see(arguments);
  } catch (const Error& error) {
    complain(console, base::about(*arguments.input, error));
    return kExitInputFailed;
  }
  const media::FileBytes png = media::encode_png(seen.image);
  base::write_file_atomically(output, [&](const auto& append) { append(std::as_bytes(std::span(png))); },
                              {.replaces = arguments.force});
  console.out << fmt::format("{}: {} x {} pixels, {} of {} bytes kept\n", base::printable(output), seen.image.width,
                             seen.image.height, grouped(static_cast<std::int64_t>(seen.num_kept)),
                             grouped(static_cast<std::int64_t>(seen.image.rgb.size())));
  return kExitOk;
}

}  // namespace

Action add_camera_mask(CommandLine& line) {
  auto arguments = std::make_shared<MaskArguments>();
  add_mask_options(line, arguments->mask);
  add_number(line, "--bytes", arguments->num_bytes, {1, std::numeric_limits<std::uint32_t>::max()},
             "Length of the files, in bytes; of pictures 3 x width x height")
      .required();
  add_text(line, "-o,--output", arguments->output, "FILE", "File to write (default: standard output)");
  add_flag(line, "-f,--force", arguments->force, "Replace FILE if it exists");
  set_details(line, kMaskDetails);
  return [arguments](Console& console) { return write_mask(*arguments, console); };
}

Action add_camera_simulate(CommandLine& line) {
  auto arguments = std::make_shared<SimulateArguments>();
  add_text(line, "PICTURE", arguments->input, "FILE", "Picture of any common kind").required();
  add_mask_options(line, arguments->mask);
  add_number(line, "--resize", arguments->resize, {1, 65'536}, "First resize its shorter side, in pixels: bicubic");
  add_number(line, "--crop", arguments->crop, {1, 65'536}, "Then take the square from its middle, in pixels");
  add_text(line, "-o,--output", arguments->output, "FILE", "PNG to write").required();
  add_flag(line, "-f,--force", arguments->force, "Replace FILE if it exists");
  set_details(line, kSimulateDetails);
  return [arguments](Console& console) { return simulate(*arguments, console); };
}

}  // namespace byteformer::cli
