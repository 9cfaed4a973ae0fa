// `byteformer camera`: which bytes a camera keeps that never forms an image, and what a person could see of them.
#include <fmt/format.h>

#include <limits>
#include <memory>
#include <span>

#include "base/bytes_io.hpp"
#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "bytes/transforms.hpp"
#include "commands/commands.hpp"
#include "data/loader.hpp"
#include "output/output_files.hpp"
#include "output/text.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kMaskDetails =
    R"(The positions of L bytes that are kept, counted from 0, one per line, in ascending order: the first floor(F L) of the
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

using plan::Request;

struct Options {
  std::optional<double> keep_frac;
  std::optional<std::int64_t> seed, num_bytes, resize, crop;
  std::optional<std::string> input, output;
  bool force = false;
};

void add_mask_options(CommandLine& line, Options& options) {
  add_decimal(line, "--keep-frac", options.keep_frac, 0, 1, "Share of the bytes that are kept, above 0").required();
  add_setting(line, &Request::seed, options.seed, "Seed of the random order (default: 2147483647, the published one)");
}

bytes::PositionMask mask_of(const Options& options) {
  bytes::PositionMask mask{.keep_frac = options.keep_frac.value()};
  if (options.seed) mask.seed = static_cast<std::uint64_t>(*options.seed);
  bytes::validate(mask);
  return mask;
}

std::vector<bool> kept_positions(const Options& options) {
  try {
    return bytes::kept_positions(mask_of(options), static_cast<std::uint64_t>(options.num_bytes.value()));
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

template <typename Append>
void write_positions(const std::vector<bool>& is_kept, const Append& append) {
  for (std::size_t i = 0; i < is_kept.size(); ++i)
    if (is_kept[i]) append(std::to_string(i) + "\n");
}

int write_mask(const Options& options, Console& console) {
  const std::vector<bool> is_kept = kept_positions(options);
  if (!options.output || *options.output == "-") {
    write_positions(is_kept, [&](const std::string& line) { console.out << line; });
    return kExitOk;
  }
  check_overwriting("", *options.output, options.force);
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
  base::write_file_atomically(*options.output, write_all, {.replaces = options.force});
  return kExitOk;
}

media::Image framed(media::Image image, const Options& options, const std::string& source) {
  if (options.resize) image = media::with_shorter_side(image, static_cast<int>(*options.resize));
  if (options.crop) image = media::center_cropped(image, static_cast<int>(*options.crop), source);
  return image;
}

prepare::SeenPicture see(const Options& options) {
  const std::string& path = options.input.value();
  const std::string source = base::printable(path);
  const media::FileBytes file = data::read_whole_file(path);
  return prepare::seen_through(mask_of(options), framed(media::decode_image(file, source), options, source));
}

int simulate(const Options& options, Console& console) {
  mask_of(options);
  if (options.resize && options.crop && *options.crop > *options.resize)
    throw UsageError(plan::option_name(&Request::crop) + " must not be larger than " +
                     plan::option_name(&Request::resize));
  const std::string& output = options.output.value();
  if (output == "-") throw UsageError("-o - would be a file called `-`; name another, or `./-`");
  check_overwriting(options.input.value(), output, options.force);
  prepare::SeenPicture seen;
  try {
    seen = see(options);
  } catch (const Error& error) {
    complain(console, base::about(*options.input, error));
    return kExitInputFailed;
  }
  base::write_file_atomically(output, base::as_text(media::encode_png(seen.image)), {.replaces = options.force});
  console.out << fmt::format("{}: {} x {} pixels, {} of {} bytes kept\n", base::printable(output), seen.image.width,
                             seen.image.height, grouped(seen.num_kept), grouped(seen.image.rgb.size()));
  return kExitOk;
}

}  // namespace

Action add_camera_mask(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_mask_options(line, *options);
  add_number(line, kBytesOption, options->num_bytes, {1, std::numeric_limits<std::uint32_t>::max()},
             "Length of the files, in bytes; of pictures 3 x width x height")
      .required();
  add_text(line, names_of(&Request::output), options->output, "FILE", "File to write (default: standard output)");
  add_force(line, options->force, "Replace FILE if it exists");
  line.details = kMaskDetails;
  return [options](Console& console) { return write_mask(*options, console); };
}

Action add_camera_simulate(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_text(line, "PICTURE", options->input, "FILE", "Picture of any common kind").required();
  add_mask_options(line, *options);
  add_setting(line, &Request::resize, options->resize, "First resize its shorter side, in pixels: bicubic");
  add_setting(line, &Request::crop, options->crop, "Then take the square from its middle, in pixels");
  add_text(line, names_of(&Request::output), options->output, "FILE", "PNG to write").required();
  add_force(line, options->force, "Replace FILE if it exists");
  line.details = kSimulateDetails;
  return [options](Console& console) { return simulate(*options, console); };
}

}  // namespace byteformer::cli
