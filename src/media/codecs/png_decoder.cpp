// PNG by libpng: every colour type and depth, interlaced or not.
#include <png.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "byteformer/error.hpp"
#include "media/codecs.hpp"
#include "media/codecs/guard.hpp"
#include "media/orientation.hpp"

namespace byteformer::media::codecs {
namespace {

constexpr std::string_view kKind = "PNG";
constexpr std::size_t kMaxDeflateRatio = 1032;
/// Chunks that do not change what we read, five bytes each: a name and its zero.
constexpr std::string_view kIgnored{
    "bKGD\0cHRM\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0sTER\0tEXt\0tIME\0zTXt\0", 85};

class PngReader {
 public:
  explicit PngReader(const ImageFile& file) : file_(file) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, fail, ignore);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw std::bad_alloc();
    }
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  StoredImage read() {
    read_header();
    StoredImage out{blank_image(file_, kKind, width_, height_), 1};
    if (is_interlaced_)
      read_whole(out.image);
    else
      read_rows(out.image);
    run([&] { png_read_end(png_, info_); });
    out.orientation = orientation();
    return out;
  }

 private:
  static void fail(png_structp png, png_const_charp message) {
    auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
    const std::size_t length = std::min(std::strlen(message), reader->message_.size() - 1);
    std::copy_n(message, length, reader->message_.begin());
    reader->message_[length] = '\0';
    std::longjmp(reader->jump_, 1);
  }
  static void ignore(png_structp, png_const_charp) {}

  static void read_bytes(png_structp png, png_bytep out, std::size_t num_bytes) {
    auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
    if (num_bytes > reader->file_.bytes.size() - reader->position_) png_error(png, "it ends too early");
    std::memcpy(out, reader->file_.bytes.data() + reader->position_, num_bytes);
    reader->position_ += num_bytes;
  }

  template <typename Step>
  void run(const Step& step) {
    if (!completes(jump_, step)) throw_damaged(file_, kKind, message_.data());
  }

  void read_header() {
    std::size_t row_bytes = 0;
    run([&] {
      png_set_read_fn(png_, this, read_bytes);
      png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, reinterpret_cast<png_const_bytep>(kIgnored.data()),
                                  static_cast<int>(kIgnored.size() / 5));
      png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_size() knows better
      png_read_info(png_, info_);
      width_ = png_get_image_width(png_, info_);
      height_ = png_get_image_height(png_, info_);
      is_interlaced_ = png_get_interlace_type(png_, info_) != PNG_INTERLACE_NONE;
      row_bytes = png_get_rowbytes(png_, info_);
    });
    check_size(file_, kKind, width_, height_);
    if (row_bytes / kMaxDeflateRatio * height_ > file_.bytes.size())
      throw_damaged(file_, kKind, "it is too short for the size it claims");
    run([&] {
      png_set_expand(png_);  // palettes, few bits and transparent colours
      png_set_scale_16(png_);
      png_set_gray_to_rgb(png_);
      png_set_add_alpha(png_, 0xFF, PNG_FILLER_AFTER);
      png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
    });
  }

  static void lay_over_white(const std::uint8_t* rgba, std::size_t num_pixels, std::uint8_t* rgb) noexcept {
    for (std::size_t i = 0; i < num_pixels; ++i)
      for (std::size_t c = 0; c < 3; ++c) rgb[i * 3 + c] = over_white(rgba[i * 4 + c], rgba[i * 4 + 3]);
  }

  void read_rows(Image& image) {
    std::vector<std::uint8_t> row(std::size_t{width_} * 4);
    for (std::size_t y = 0; y < height_; ++y) {
      run([&] { png_read_row(png_, row.data(), nullptr); });
      lay_over_white(row.data(), width_, image.rgb.data() + y * width_ * 3);
    }
  }

  void read_whole(Image& image) {
    std::vector<std::uint8_t> pixels(std::size_t{width_} * height_ * 4);
    std::vector<png_bytep> rows(height_);
    for (std::size_t y = 0; y < height_; ++y) rows[y] = pixels.data() + y * width_ * 4;
    run([&] { png_read_image(png_, rows.data()); });
    lay_over_white(pixels.data(), pixels.size() / 4, image.rgb.data());
  }

  int orientation() {
    png_bytep exif = nullptr;
    png_uint_32 num_bytes = 0;
    if (png_get_eXIf_1(png_, info_, &num_bytes, &exif) == 0) return 1;
    return exif_orientation({exif, num_bytes});
  }

  const ImageFile& file_;
  std::size_t position_ = 0;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::uint32_t width_ = 0;
  std::uint32_t height_ = 0;
  bool is_interlaced_ = false;
  std::jmp_buf jump_{};
  std::array<char, 256> message_{};
};

}  // namespace

StoredImage decode_png(const ImageFile& file) { return PngReader(file).read(); }

}  // namespace byteformer::media::codecs
