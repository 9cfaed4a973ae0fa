// PBM, PGM and PPM, as text and as bytes, with any largest value (stb_image knows two of the six, and only 255).
#include "media/decoding.hpp"

namespace byteformer::media {
namespace {

constexpr std::uint32_t kMaxValue = 65535;

bool is_space(std::uint8_t c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(std::uint8_t c) noexcept { return c >= '0' && c <= '9'; }

class PnmReader {
 public:
  explicit PnmReader(const ImageFile& file) : file_(file), type_(file.bytes[1] - '0') {}

  StoredImage read() {
    const std::uint32_t width = number(kMaxPixels);
    const std::uint32_t height = number(kMaxPixels);
    check_size(file_, width, height);
    if (!is_bitmap()) max_value_ = number(kMaxValue);
    if (max_value_ == 0) throw_damaged(file_, "its largest value is 0");
    if (!is_text()) {
      if (position_ == file_.bytes.size() || !is_space(file_.bytes[position_]))
        throw_damaged(file_, "no white space after its header");
      ++position_;
    }
    check_complete(width, height);
    StoredImage out{blank_image(file_, width, height), 1};
    auto to = out.image.rgb.begin();
    for (std::uint32_t y = 0; y < height; ++y) {
      for (std::uint32_t x = 0; x < width; ++x) {
        const bool is_colour = type_ == 3 || type_ == 6;
        const std::uint8_t first = sample(x);
        *to++ = first;
        *to++ = is_colour ? sample(x) : first;
        *to++ = is_colour ? sample(x) : first;
      }
      if (type_ == 4) position_ += (width + 7) / 8;
    }
    return out;
  }

 private:
  bool is_bitmap() const noexcept { return type_ == 1 || type_ == 4; }
  bool is_text() const noexcept { return type_ <= 3; }

  void check_complete(std::uint64_t width, std::uint64_t height) const {
    const std::uint64_t channels = type_ == 3 || type_ == 6 ? 3 : 1;
    std::uint64_t needed = width * height * channels;  // one digit each, at least
    if (type_ == 4) needed = (width + 7) / 8 * height;
    if (type_ >= 5 && max_value_ > 255) needed *= 2;
    const std::uint64_t present = file_.bytes.size() - position_;
    if (present < needed) throw_damaged(file_, "it ends too early: ", present, " bytes of pixels, expected ", needed);
  }

  void skip_space() noexcept {
    while (position_ < file_.bytes.size()) {
      if (file_.bytes[position_] == '#')
        while (position_ < file_.bytes.size() && file_.bytes[position_] != '\n') ++position_;
      else if (is_space(file_.bytes[position_]))
        ++position_;
      else
        return;
    }
  }

  std::uint32_t number(std::uint64_t max) {
    skip_space();
    if (position_ == file_.bytes.size() || !is_digit(file_.bytes[position_]))
      throw_damaged(file_, "a number is missing at byte ", position_);
    std::uint64_t value = 0;
    for (; position_ < file_.bytes.size() && is_digit(file_.bytes[position_]); ++position_) {
      value = value * 10 + static_cast<std::uint64_t>(file_.bytes[position_] - '0');
      if (value > max) throw_damaged(file_, "the number at byte ", position_, " is larger than ", max);
    }
    return static_cast<std::uint32_t>(value);
  }

  /// The next sample, which lies in column `x`, scaled to 0 to 255.
  std::uint8_t sample(std::uint32_t x) {
    if (type_ == 4) return (file_.bytes[position_ + x / 8] >> (7 - x % 8) & 1) != 0 ? 0 : 255;  // 1 is black
    std::uint32_t value = 0;
    if (type_ == 1) {
      skip_space();  // the digits need none between them
      if (position_ == file_.bytes.size() || file_.bytes[position_] < '0' || file_.bytes[position_] > '1')
        throw_damaged(file_, "expected 0 or 1 at byte ", position_);
      return file_.bytes[position_++] == '1' ? 0 : 255;
    }
    if (type_ <= 3) {
      value = number(max_value_);
    } else {
      value = file_.bytes[position_++];
      if (max_value_ > 255) value = value << 8 | file_.bytes[position_++];
      if (value > max_value_) throw_damaged(file_, "a sample is larger than ", max_value_);
    }
    return static_cast<std::uint8_t>((value * 255 + max_value_ / 2) / max_value_);
  }

  const ImageFile& file_;
  int type_;  // 1 to 6: bits, grey, colour as text; bits, grey, colour as bytes
  std::size_t position_ = 2;
  std::uint32_t max_value_ = 1;
};

}  // namespace

bool is_pnm(std::span<const std::uint8_t> file) noexcept {
  return file.size() >= 3 && file[0] == 'P' && file[1] >= '1' && file[1] <= '6' &&
         std::string_view(" \t\r\n#").find(static_cast<char>(file[2])) != std::string_view::npos;
}

StoredImage decode_pnm(const ImageFile& file) { return PnmReader(file).read(); }

}  // namespace byteformer::media
