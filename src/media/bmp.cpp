// BMP: headers of every size, palettes, masks, run lengths. (stb_image reads fewer of them, guesses at alpha, and reads
// zeros beyond the end of a file.)
#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>

#include "base/bytes_io.hpp"
#include "byteformer/error.hpp"
#include "media/decoding.hpp"

namespace byteformer::media {
namespace {

using base::little_endian;

constexpr std::size_t kFileHeaderBytes = 14;
constexpr std::uint64_t kOldHeaderBytes = 12;  // its width and height have 16 bits, its colours three bytes
constexpr std::uint64_t kMinHeaderBytes = 40;  // of Windows; between the two lie those of OS/2
enum Compression : std::uint64_t { kNone = 0, kRunLengths8 = 1, kRunLengths4 = 2, kMasks = 3, kAlphaMasks = 6 };

/// The bits of one channel in a pixel.
struct Channel {
  std::uint32_t mask = 0;

  std::uint8_t of(std::uint32_t pixel) const noexcept {
    if (mask == 0) return 0;
    const int shift = std::countr_zero(mask);
    const std::uint64_t max = mask >> shift;
    return static_cast<std::uint8_t>(((pixel & mask) >> shift) * std::uint64_t{255} / max +
                                     (((pixel & mask) >> shift) * std::uint64_t{255} % max * 2 >= max ? 1 : 0));
  }
};

struct Rgb {
  std::uint8_t red = 0, green = 0, blue = 0;
};

class BmpReader {
 public:
  explicit BmpReader(const ImageFile& file) : file_(file), bytes_(file.bytes) {}

  StoredImage read() {
    read_header();
    check_size(file_, width_, height_);
    read_masks();
    read_palette();
    if (has_run_lengths()) return read_runs();
    check_complete();
    StoredImage out{blank_image(file_, width_, height_), 1};
    for (std::uint64_t y = 0; y < height_; ++y) read_row(y, row_of(out.image, y));
    return out;
  }

 private:
  std::uint64_t number(std::uint64_t offset, std::size_t num_bytes) const {
    if (!base::has_bytes(bytes_, offset, num_bytes)) throw_damaged(file_, "it ends inside its header");
    return little_endian(bytes_, offset, num_bytes);
  }

  void read_header() {
    header_bytes_ = number(14, 4);
    pixels_offset_ = number(10, 4);
    if (header_bytes_ == kOldHeaderBytes) {
      width_ = number(18, 2);
      height_ = number(20, 2);
      bits_ = number(24, 2);
    } else {
      const auto height = static_cast<std::int32_t>(number(22, 4));  // negative: rows from the top
      width_ = number(18, 4);
      height_ = static_cast<std::uint64_t>(std::abs(std::int64_t{height}));
      is_from_top_ = height < 0;
      bits_ = number(28, 2);
      // A short header of OS/2 may end here.
      if (header_bytes_ >= 20) compression_ = number(30, 4);
      if (header_bytes_ >= 36) num_colours_ = number(46, 4);
    }
    const bool is_of_os2 = header_bytes_ < kMinHeaderBytes || header_bytes_ == 64;
    const bool is_known =
        compression_ <= (is_of_os2 ? kRunLengths4 : kMasks) || (!is_of_os2 && compression_ == kAlphaMasks);
    if (!is_known)
      base::fail(ErrorCode::kUnsupported, base::About{file_.source}, "a BMP with compression ", compression_,
                 "; only uncompressed ones, masks and run lengths are read");
    constexpr std::array<std::uint64_t, 7> kBits{1, 2, 4, 8, 16, 24, 32};
    if (std::ranges::find(kBits, bits_) == kBits.end()) throw_damaged(file_, "it has ", bits_, " bits per pixel");
    const std::uint64_t run_bits = compression_ == kRunLengths8 ? 8 : 4;
    if (has_run_lengths() ? bits_ != run_bits : compression_ != kNone && bits_ != 16 && bits_ != 32)
      throw_damaged(file_, "its compression ", compression_, " does not go with ", bits_, " bits per pixel");
  }

  bool has_run_lengths() const noexcept { return compression_ == kRunLengths8 || compression_ == kRunLengths4; }

  /// Alpha is where the header has a mask for it and says that masks hold; elsewhere the fourth byte means nothing.
  void read_masks() {
    if (bits_ == 16) masks_ = {{{0x7C00}, {0x03E0}, {0x001F}, {0}}};
    if (bits_ >= 24) masks_ = {{{0xFF0000}, {0x00FF00}, {0x0000FF}, {0}}};
    colours_offset_ = kFileHeaderBytes + header_bytes_;
    if (compression_ != kMasks && compression_ != kAlphaMasks) return;
    constexpr std::uint64_t kMasksOffset = kFileHeaderBytes + kMinHeaderBytes;
    const bool has_alpha = header_bytes_ >= 56 || compression_ == kAlphaMasks;
    for (std::size_t i = 0; i < (has_alpha ? 4 : 3); ++i)
      masks_[i].mask = static_cast<std::uint32_t>(number(kMasksOffset + 4 * i, 4));
    if (header_bytes_ < 52) colours_offset_ = kMasksOffset + (has_alpha ? 16 : 12);
  }

  void read_palette() {
    // Some writers leave the offset of the pixels open.
    if (pixels_offset_ < colours_offset_) pixels_offset_ = 0;
    if (bits_ > 8) {
      if (pixels_offset_ == 0) pixels_offset_ = colours_offset_;
      return;
    }
    const std::uint64_t colour_bytes = header_bytes_ == kOldHeaderBytes ? 3 : 4;
    std::uint64_t count = std::uint64_t{1} << bits_;
    if (num_colours_ > 0) count = std::min(count, num_colours_);
    if (pixels_offset_ != 0) count = std::min(count, (pixels_offset_ - colours_offset_) / colour_bytes);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t at = colours_offset_ + i * colour_bytes;
      const auto channel = [&](std::uint64_t j) { return static_cast<std::uint8_t>(number(at + j, 1)); };
      palette_[i] = {channel(2), channel(1), channel(0)};
    }
    if (pixels_offset_ == 0) pixels_offset_ = colours_offset_ + count * colour_bytes;
  }

  std::uint64_t row_bytes() const noexcept { return (width_ * bits_ + 7) / 8; }
  std::uint64_t stride() const noexcept { return (row_bytes() + 3) / 4 * 4; }

  void check_complete() const {
    const std::uint64_t needed = pixels_offset_ + stride() * (height_ - 1) + row_bytes();
    if (bytes_.size() < needed) throw_damaged(file_, "it ends too early: ", bytes_.size(), " bytes of ", needed);
  }

  /// The pixels of the `y`th row that is stored.
  std::uint8_t* row_of(Image& image, std::uint64_t y) const {
    return image.rgb.data() + (is_from_top_ ? y : height_ - 1 - y) * width_ * 3;
  }

  static void put(std::uint8_t* to, Rgb colour) noexcept {
    to[0] = colour.red;
    to[1] = colour.green;
    to[2] = colour.blue;
  }

  void read_row(std::uint64_t y, std::uint8_t* to) const {
    const std::uint64_t begin = pixels_offset_ + y * stride();
    if (bits_ <= 8) {
      for (std::uint64_t x = 0; x < width_; ++x, to += 3) {
        const std::uint64_t bit = x * bits_;
        const unsigned shift = static_cast<unsigned>(8 - bits_ - bit % 8);
        put(to, palette_[bytes_[begin + bit / 8] >> shift & ((1U << bits_) - 1)]);
      }
      return;
    }
    const std::uint64_t pixel_bytes = bits_ / 8;
    const bool has_alpha = masks_[3].mask != 0;
    for (std::uint64_t x = 0; x < width_; ++x) {
      const auto pixel = static_cast<std::uint32_t>(little_endian(bytes_, begin + x * pixel_bytes, pixel_bytes));
      const unsigned alpha = has_alpha ? masks_[3].of(pixel) : 255;
      for (std::size_t c = 0; c < 3; ++c) *to++ = over_white(masks_[c].of(pixel), alpha);
    }
  }

  /// What no run paints has the first colour.
  StoredImage read_runs() {
    constexpr std::uint64_t kMaxPixelsPerByte = 255;  // what is skipped besides costs nothing
    if (width_ * height_ / kMaxPixelsPerByte / 4096 > bytes_.size())
      throw_damaged(file_, "it is too short for the size it claims");
    StoredImage out{blank_image(file_, width_, height_), 1};
    for (std::uint64_t y = 0; y < height_; ++y)
      for (std::uint64_t x = 0; x < width_; ++x) put(row_of(out.image, y) + x * 3, palette_[0]);
    std::uint64_t at = pixels_offset_, x = 0, y = 0;
    const auto next = [&] {
      if (at >= bytes_.size()) throw_damaged(file_, "it ends inside its run lengths");
      return bytes_[at++];
    };
    const auto paint = [&](unsigned index) {
      if (x < width_ && y < height_) put(row_of(out.image, y) + x * 3, palette_[index]);
      ++x;
    };
    const bool is_half = bits_ == 4;
    while (y < height_) {
      const unsigned count = next(), value = next();
      if (count > 0) {
        for (unsigned i = 0; i < count; ++i) paint(is_half ? (i % 2 == 0 ? value >> 4 : value & 15) : value);
      } else if (value == 0) {  // end of the row
        x = 0;
        ++y;
      } else if (value == 1) {  // end of the picture
        break;
      } else if (value == 2) {  // a step right and up
        x += next();
        y += next();
      } else {  // so many pixels as they are, padded to two bytes
        unsigned pair = 0;
        for (unsigned i = 0; i < value; ++i) {
          if (!is_half || i % 2 == 0) pair = next();
          paint(is_half ? (i % 2 == 0 ? pair >> 4 : pair & 15) : pair);
        }
        at += (is_half ? (value + 1) / 2 : value) % 2;
      }
    }
    return out;
  }

  const ImageFile& file_;
  std::span<const std::uint8_t> bytes_;
  std::uint64_t header_bytes_ = 0;
  std::uint64_t width_ = 0;
  std::uint64_t height_ = 0;
  bool is_from_top_ = false;
  std::uint64_t bits_ = 0;
  std::uint64_t compression_ = kNone;
  std::uint64_t num_colours_ = 0;
  std::uint64_t colours_offset_ = 0;
  std::uint64_t pixels_offset_ = 0;
  std::array<Channel, 4> masks_{};  // red, green, blue, alpha
  std::array<Rgb, 256> palette_{};  // as everywhere, a colour that the table lacks is black
};

}  // namespace

/// "BM" alone begins many texts; the size of one of the known headers must follow.
bool is_bmp(std::span<const std::uint8_t> file) noexcept {
  constexpr std::array<std::uint8_t, 8> kHeaderSizes{12, 16, 40, 52, 56, 64, 108, 124};
  return file.size() >= 18 && base::has_tag(file, 0, "BM") && std::ranges::count(kHeaderSizes, file[14]) > 0 &&
         file[15] == 0 && file[16] == 0 && file[17] == 0;
}

StoredImage decode_bmp(const ImageFile& file) { return BmpReader(file).read(); }

}  // namespace byteformer::media
