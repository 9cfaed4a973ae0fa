// TIFF by libtiff: the first page. Samples of every depth and kind are converted here; what libtiff knows better
// (subsampled colours, logarithms) it turns into RGBA itself.
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <memory>
#include <vector>

#include "byteformer/error.hpp"
#include "media/codecs/module.hpp"
#include "media/codecs/tiff_samples.hpp"

namespace byteformer::media {
namespace {

constexpr tmsize_t kMaxAllocationBytes = tmsize_t{kMaxDecodingBytes};

/// A file, as libtiff reads it, and the first complaint about it since it was last cleared.
struct TiffFile : MemoryFile {
  std::array<char, 256> message{};
};

tmsize_t read_bytes(thandle_t handle, void* out, tmsize_t num_bytes) {
  return static_cast<TiffFile*>(handle)->read(out, num_bytes);
}

/// Beyond the end, too, as libtiff expects it.
toff_t seek(thandle_t handle, toff_t offset, int whence) {
  auto* file = static_cast<TiffFile*>(handle);
  if (whence == SEEK_SET) file->position = offset;
  if (whence == SEEK_CUR) file->position += offset;
  if (whence == SEEK_END) file->position = file->bytes.size() + offset;
  return file->position;
}

tmsize_t write_nothing(thandle_t, void*, tmsize_t) { return -1; }
int close_nothing(thandle_t) { return 0; }
toff_t size(thandle_t handle) { return static_cast<TiffFile*>(handle)->bytes.size(); }

int keep_message(TIFF*, void* user_data, const char*, const char* format, va_list arguments) {
  auto& message = static_cast<TiffFile*>(user_data)->message;
  if (message[0] == '\0') std::vsnprintf(message.data(), message.size(), format, arguments);
  return 1;  // handled: nothing is printed
}

int ignore_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

using TiffHandle = std::unique_ptr<TIFF, Release<TIFFClose>>;

TiffHandle open(TiffFile& file) {
  const std::unique_ptr<TIFFOpenOptions, Release<TIFFOpenOptionsFree>> options(TIFFOpenOptionsAlloc());
  if (options == nullptr) throw std::bad_alloc();
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_message, &file);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore_warning, nullptr);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMaxAllocationBytes);
  return TiffHandle(TIFFClientOpenExt("", "rm", &file, read_bytes, write_nothing, seek, close_nothing, size, nullptr,
                                      nullptr, options.get()));
}

std::uint32_t tag(TIFF* tiff, std::uint32_t name, std::uint32_t otherwise) {
  std::uint32_t value = 0;
  return TIFFGetField(tiff, name, &value) == 1 ? value : otherwise;
}

std::uint16_t short_tag(TIFF* tiff, std::uint32_t name) {
  std::uint16_t value = 0;
  return TIFFGetFieldDefaulted(tiff, name, &value) == 1 ? value : std::uint16_t{0};
}

/// How many bytes one byte of the file can become at most; zero if there is no useful bound.
std::uint64_t max_expansion(std::uint16_t compression) noexcept {
  switch (compression) {
    case COMPRESSION_NONE: return 1;
    case COMPRESSION_PACKBITS: return 64;
    case COMPRESSION_DEFLATE:
    case COMPRESSION_ADOBE_DEFLATE: return 1032;
    case COMPRESSION_LZW: return 4096;
    default: return 0;
  }
}

class TiffReader {
 public:
  explicit TiffReader(const ImageFile& file) : file_(file), memory_{{file.bytes}}, tiff_(open(memory_)) {
    if (tiff_ == nullptr) throw_damaged(file, memory_.message.data());
  }

  StoredImage read() {
    read_header();
    const bool is_ours = find_roles();
    memory_.message[0] = '\0';  // what was wrong with other tags is no verdict on the pixels
    const bool turns = orientation_ != 1;
    const std::uint64_t work_bytes =
        is_ours ? piece_bytes() * num_planes() : std::uint64_t{width_} * height_ * 4 + piece_bytes() * 4;
    StoredImage out{blank_image(file_, width_, height_, work_bytes, turns), orientation_};
    if (is_ours)
      read_pieces(out.image);
    else
      read_rgba(out.image);
    return out;
  }

 private:
  TIFF* tiff() const noexcept { return tiff_.get(); }
  [[noreturn]] void fail(const char* otherwise) const {
    throw_damaged(file_, memory_.message[0] != '\0' ? memory_.message.data() : otherwise);
  }
  [[noreturn]] void refuse(const std::string& reason) const {
    base::fail(ErrorCode::kUnsupported, base::About{file_.source},
               "a TIFF of a kind that byteformer does not read: ", reason);
  }

  void read_header() {
    width_ = tag(tiff(), TIFFTAG_IMAGEWIDTH, 0);
    height_ = tag(tiff(), TIFFTAG_IMAGELENGTH, 0);
    check_size(file_, width_, height_);
    samples_.bits = short_tag(tiff(), TIFFTAG_BITSPERSAMPLE);
    samples_.num_samples = short_tag(tiff(), TIFFTAG_SAMPLESPERPIXEL);
    samples_.is_planar = samples_.num_samples > 1 && short_tag(tiff(), TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE;
    const std::uint64_t expansion = max_expansion(short_tag(tiff(), TIFFTAG_COMPRESSION));
    // Chroma may be halved both ways, which leaves an eighth of a byte for a sample of one bit.
    const std::uint64_t min_bytes = std::uint64_t{width_} * height_ * samples_.bits / 8;
    if (expansion != 0 && min_bytes / expansion > file_.bytes.size())
      throw_damaged(file_, "it is too short for the size it claims");
    const int orientation = short_tag(tiff(), TIFFTAG_ORIENTATION);
    if (orientation >= 1 && orientation <= 8) orientation_ = orientation;
  }

  // Samples, converted here.

  std::uint16_t photometric() const {
    std::uint16_t value = 0;
    if (TIFFGetField(tiff(), TIFFTAG_PHOTOMETRIC, &value) == 1) return value;
    const std::uint16_t compression = short_tag(tiff(), TIFFTAG_COMPRESSION);
    const bool is_fax = compression == COMPRESSION_CCITTRLE || compression == COMPRESSION_CCITTRLEW ||
                        compression == COMPRESSION_CCITTFAX3 || compression == COMPRESSION_CCITTFAX4;
    if (samples_.num_samples >= 3) return PHOTOMETRIC_RGB;
    return is_fax ? PHOTOMETRIC_MINISWHITE : PHOTOMETRIC_MINISBLACK;
  }

  /// Finds what each sample of a pixel means, as far as it is used. \return false for what libtiff converts itself
  bool find_roles() {
    using enum SampleRole;
    std::uint16_t colours = photometric();
    if (colours == PHOTOMETRIC_YCBCR && short_tag(tiff(), TIFFTAG_COMPRESSION) == COMPRESSION_JPEG &&
        short_tag(tiff(), TIFFTAG_PLANARCONFIG) == PLANARCONFIG_CONTIG) {
      TIFFSetField(tiff(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
      colours = PHOTOMETRIC_RGB;
    }
    switch (colours) {
      case PHOTOMETRIC_MINISWHITE: samples_.roles = {kWhiteIsZero}; break;
      case PHOTOMETRIC_MINISBLACK: samples_.roles = {kGrey}; break;
      case PHOTOMETRIC_RGB: samples_.roles = {kRed, kGreen, kBlue}; break;
      case PHOTOMETRIC_PALETTE: samples_.roles = {kIndex}; break;
      case PHOTOMETRIC_SEPARATED:
        if (short_tag(tiff(), TIFFTAG_INKSET) != INKSET_CMYK) refuse("inks that are not CMYK");
        samples_.roles = {kCyan, kMagenta, kYellow, kBlack};
        break;
      case PHOTOMETRIC_CIELAB:
      case PHOTOMETRIC_ICCLAB:
        samples_.is_lab_signed = colours == PHOTOMETRIC_CIELAB;
        samples_.roles = {kLightness, kRedness, kYellowness};
        break;
      default: return false;
    }
    if (samples_.num_samples < samples_.roles.size())
      throw_damaged(file_, "it has ", samples_.num_samples, " samples per pixel where its colours need ",
                    samples_.roles.size());
    // Samples beyond the colours are opacity only where the file says so.
    std::uint16_t num_extra = 0;
    const std::uint16_t* extra = nullptr;
    if (TIFFGetField(tiff(), TIFFTAG_EXTRASAMPLES, &num_extra, &extra) == 1)
      for (std::size_t i = 0; i < num_extra && samples_.roles.size() < samples_.num_samples; ++i)
        samples_.roles.push_back(extra[i] == EXTRASAMPLE_ASSOCALPHA   ? kPremultiplied
                                 : extra[i] == EXTRASAMPLE_UNASSALPHA ? kStraight
                                                                      : kNone);
    // Nothing behind the first opacity is used.
    const auto opacity = std::ranges::find_if(samples_.roles, [](SampleRole role) { return role >= kStraight; });
    if (opacity != samples_.roles.end()) samples_.roles.erase(opacity + 1, samples_.roles.end());
    while (samples_.roles.back() == kNone) samples_.roles.pop_back();
    check_samples();
    if (colours == PHOTOMETRIC_PALETTE) read_palette();
    return true;
  }

  void check_samples() {
    const std::uint16_t format = short_tag(tiff(), TIFFTAG_SAMPLEFORMAT);
    const bool is_index = samples_.roles[0] == SampleRole::kIndex;
    const bool is_float = format == SAMPLEFORMAT_IEEEFP;
    const bool is_whole = format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_INT || format == SAMPLEFORMAT_VOID;
    if (is_float
            ? is_index || (samples_.bits != 16 && samples_.bits != 24 && samples_.bits != 32 && samples_.bits != 64)
            : !is_whole || samples_.bits < 1 || samples_.bits > (is_index ? 16 : 32))
      refuse(std::to_string(samples_.bits) + " bits per sample of format " + std::to_string(format) +
             (is_index ? " in a palette" : ""));
    if (is_float) samples_.kind = SampleKind::kFloat;
    if (format == SAMPLEFORMAT_INT) samples_.kind = SampleKind::kSigned;
  }

  void read_palette() {
    std::array<std::uint16_t*, 3> colours{};
    if (TIFFGetField(tiff(), TIFFTAG_COLORMAP, &colours[0], &colours[1], &colours[2]) != 1)
      throw_damaged(file_, "it has no palette");
    const std::size_t count = std::size_t{1} << samples_.bits;
    samples_.palette.resize(count);
    bool is_wide = false;  // some old writers put 8 bits there
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t i = 0; i < count; ++i) {
        samples_.palette[i][c] = colours[c][i];
        is_wide |= colours[c][i] > 255;
      }
    if (is_wide) return;
    for (auto& colour : samples_.palette)
      for (std::uint16_t& value : colour) value = static_cast<std::uint16_t>(value * 257);
  }

  std::uint64_t num_planes() const { return samples_.is_planar ? samples_.roles.size() : 1; }

  /// A strip or tile of one plane.
  std::uint64_t piece_bytes() const {
    const tmsize_t num_bytes = TIFFIsTiled(tiff()) != 0 ? TIFFTileSize(tiff()) : TIFFStripSize(tiff());
    if (num_bytes <= 0) fail("its strips or tiles have no size");
    return std::min(static_cast<std::uint64_t>(num_bytes), kMaxDecodingBytes + 1);  // which is refused
  }

  void read_pieces(Image& image) {
    const bool is_tiled = TIFFIsTiled(tiff()) != 0;
    const std::uint32_t piece_width = is_tiled ? tag(tiff(), TIFFTAG_TILEWIDTH, 0) : width_;
    std::uint32_t rows_per_strip = 0;
    TIFFGetFieldDefaulted(tiff(), TIFFTAG_ROWSPERSTRIP, &rows_per_strip);
    const std::uint32_t piece_height =
        is_tiled ? tag(tiff(), TIFFTAG_TILELENGTH, 0) : std::min(rows_per_strip, height_);
    if (piece_width == 0 || piece_height == 0) fail("its strips or tiles have no size");
    const auto row_bytes = static_cast<std::uint64_t>(is_tiled ? TIFFTileRowSize(tiff()) : TIFFScanlineSize(tiff()));
    std::vector<std::vector<std::uint8_t>> planes(num_planes(), std::vector<std::uint8_t>(piece_bytes()));

    for (std::uint32_t top = 0; top < height_; top += std::min(piece_height, height_ - top))
      for (std::uint32_t left = 0; left < width_; left += std::min(piece_width, width_ - left)) {
        const std::uint32_t num_rows = std::min(piece_height, height_ - top);
        for (std::uint16_t plane = 0; plane < planes.size(); ++plane)
          read_piece(left, top, num_rows * row_bytes, plane, planes[plane]);
        for (std::uint32_t y = 0; y < num_rows; ++y)
          samples_.convert_row(planes, y * row_bytes, std::min(piece_width, width_ - left),
                               image.rgb.data() + ((std::uint64_t{top} + y) * width_ + left) * 3);
      }
  }

  void read_piece(std::uint32_t left, std::uint32_t top, std::uint64_t needed, std::uint16_t plane,
                  std::vector<std::uint8_t>& out) {
    constexpr std::uint64_t kHeaderBytes = 8;
    const auto size = static_cast<tmsize_t>(out.size());
    const bool is_tiled = TIFFIsTiled(tiff()) != 0;
    const std::uint32_t piece =
        is_tiled ? TIFFComputeTile(tiff(), left, top, 0, plane) : TIFFComputeStrip(tiff(), top, plane);
    if (TIFFGetStrileOffset(tiff(), piece) < kHeaderBytes) fail("some of its pixels have no place in the file");
    const tmsize_t num_bytes = is_tiled ? TIFFReadEncodedTile(tiff(), piece, out.data(), size)
                                        : TIFFReadEncodedStrip(tiff(), piece, out.data(), size);
    if (num_bytes < 0 || static_cast<std::uint64_t>(num_bytes) < needed || memory_.message[0] != '\0')
      fail("its pixels cannot be read");
  }

  // Pixels that libtiff converts.

  void read_rgba(Image& image) {
    std::array<char, 1024> reason{};
    if (TIFFRGBAImageOK(tiff(), reason.data()) == 0) refuse(reason.data());
    TIFFRGBAImage reader{};
    if (TIFFRGBAImageBegin(&reader, tiff(), 1, reason.data()) == 0) throw_damaged(file_, reason.data());
    reader.orientation = reader.req_orientation = ORIENTATION_TOPLEFT;
    std::vector<std::uint32_t> pixels(std::size_t{width_} * height_);
    const int is_read = TIFFRGBAImageGet(&reader, pixels.data(), width_, height_);
    TIFFRGBAImageEnd(&reader);
    if (is_read == 0 || memory_.message[0] != '\0') fail("its pixels cannot be read");
    auto to = image.rgb.begin();
    for (const std::uint32_t pixel : pixels) {
      const std::uint32_t white = 255 - TIFFGetA(pixel);  // shows through
      *to++ = static_cast<std::uint8_t>(std::min(TIFFGetR(pixel) + white, 255u));
      *to++ = static_cast<std::uint8_t>(std::min(TIFFGetG(pixel) + white, 255u));
      *to++ = static_cast<std::uint8_t>(std::min(TIFFGetB(pixel) + white, 255u));
    }
  }

  const ImageFile& file_;
  TiffFile memory_;
  TiffHandle tiff_;
  std::uint32_t width_ = 0;
  std::uint32_t height_ = 0;
  int orientation_ = 1;
  TiffSamples samples_;
};

}  // namespace

StoredImage ModuleCodecs::decode_tiff(const ImageFile& file) const { return TiffReader(file).read(); }

}  // namespace byteformer::media
