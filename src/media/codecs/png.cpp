// PNG: reading every colour type and depth, interlaced or not, by libpng; writing as the published pipeline does, its
// choice of filters, stored deflate blocks, its sizes of IDAT, by zlib.
#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/bytes_io.hpp"
#include "media/codecs/module.hpp"

namespace byteformer::media {
namespace {

// Reading.

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
    const std::uint64_t work_bytes = is_interlaced_ ? std::uint64_t{width_} * height_ * 4 : 0;
    const bool may_turn =
        base::as_text(file_.bytes).find("eXIf") != std::string_view::npos;  // perhaps behind the pixels
    StoredImage out{blank_image(file_, width_, height_, work_bytes, may_turn), 1};
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
    if (!completes(jump_, step)) throw_damaged(file_, message_.data());
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
    check_size(file_, width_, height_);
    if (row_bytes / kMaxDeflateRatio * height_ > file_.bytes.size())
      throw_damaged(file_, "it is too short for the size it claims");
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

// Writing.

constexpr std::size_t kPixelBytes = 3;
constexpr std::size_t kMinBufferBytes = 65536;
enum Filter : std::uint8_t { kNone = 0, kSub = 1, kUp = 2, kPaeth = 4 };

void append_chunk(FileBytes& out, std::string_view type, std::span<const std::uint8_t> data) {
  base::append_big_endian(out, static_cast<std::uint32_t>(data.size()), 4);
  const std::size_t begin = out.size();
  base::append_text(out, type);
  out.insert(out.end(), data.begin(), data.end());
  base::append_big_endian(
      out, static_cast<std::uint32_t>(crc32(0, out.data() + begin, static_cast<uInt>(out.size() - begin))), 4);
}

int paeth(int left, int up, int up_left) noexcept {
  const int to_left = std::abs(up - up_left);
  const int to_up = std::abs(left - up_left);
  const int to_up_left = std::abs(left + up - 2 * up_left);
  if (to_left <= to_up && to_left <= to_up_left) return left;
  return to_up <= to_up_left ? up : up_left;
}

/// Fills `out` with the filter's number and `row` minus its prediction.
template <Filter kFilter>
void apply(std::span<const std::uint8_t> row, std::span<const std::uint8_t> above, std::span<std::uint8_t> out) {
  out[0] = kFilter;
  const auto predict = [&](std::size_t i, int left, int up_left) -> int {
    if constexpr (kFilter == kSub) return left;
    if constexpr (kFilter == kUp) return above[i];
    if constexpr (kFilter == kPaeth) return paeth(left, above[i], up_left);
    return 0;
  };
  for (std::size_t i = 0; i < kPixelBytes; ++i) out[i + 1] = static_cast<std::uint8_t>(row[i] - predict(i, 0, 0));
  for (std::size_t i = kPixelBytes; i < row.size(); ++i)
    out[i + 1] = static_cast<std::uint8_t>(row[i] - predict(i, row[i - kPixelBytes], above[i - kPixelBytes]));
}

std::uint64_t cost(std::span<const std::uint8_t> filtered) noexcept {
  std::uint64_t sum = 0;
  for (const std::uint8_t value : filtered.subspan(1)) sum += value < 128 ? value : 256u - value;
  return sum;
}

using Apply = void (*)(std::span<const std::uint8_t>, std::span<const std::uint8_t>, std::span<std::uint8_t>);
constexpr std::array<Apply, 4> kTrials{apply<kNone>, apply<kUp>, apply<kSub>, apply<kPaeth>};

/// A deflate stream into a buffer that becomes an IDAT whenever it is full.
class IdatWriter {
 public:
  IdatWriter(FileBytes& out, std::size_t buffer_bytes) : out_(out), buffer_(buffer_bytes) {
    if (deflateInit2(&stream_, 0, Z_DEFLATED, 15, 9, Z_FILTERED) != Z_OK) throw std::bad_alloc();
    rewind();
  }
  ~IdatWriter() { deflateEnd(&stream_); }
  IdatWriter(const IdatWriter&) = delete;
  IdatWriter& operator=(const IdatWriter&) = delete;

  void write(std::span<std::uint8_t> row) {
    stream_.next_in = row.data();
    stream_.avail_in = static_cast<uInt>(row.size());
    while (stream_.avail_in > 0) {
      deflate(&stream_, Z_NO_FLUSH);
      if (stream_.avail_out == 0) flush();
    }
  }

  void finish() {
    while (deflate(&stream_, Z_FINISH) != Z_STREAM_END) flush();
    if (stream_.avail_out < buffer_.size()) flush();
  }

 private:
  void flush() {
    append_chunk(out_, "IDAT", std::span(buffer_).first(buffer_.size() - stream_.avail_out));
    rewind();
  }
  void rewind() {
    stream_.next_out = buffer_.data();
    stream_.avail_out = static_cast<uInt>(buffer_.size());
  }

  FileBytes& out_;
  FileBytes buffer_;
  z_stream stream_{};
};

void append_pixels(FileBytes& out, const Image& image) {
  const std::size_t row_bytes = static_cast<std::size_t>(image.width) * kPixelBytes;
  IdatWriter idat(out, std::max(kMinBufferBytes, 4 * static_cast<std::size_t>(image.width)));
  FileBytes above(row_bytes), trial(row_bytes + 1), best(row_bytes + 1);
  for (std::size_t y = 0; y < static_cast<std::size_t>(image.height); ++y) {
    const auto row = std::span(image.rgb).subspan(y * row_bytes, row_bytes);
    std::uint64_t best_cost = UINT64_MAX;
    for (const Apply apply_trial : kTrials) {
      apply_trial(row, above, trial);
      const std::uint64_t trial_cost = cost(trial);
      if (trial_cost >= best_cost) continue;
      best_cost = trial_cost;
      trial.swap(best);
    }
    idat.write(best);
    std::ranges::copy(row, above.begin());
  }
  idat.finish();
}

}  // namespace

StoredImage ModuleCodecs::decode_png(const ImageFile& file) const { return PngReader(file).read(); }

FileBytes ModuleCodecs::encode_png(const Image& image) const {
  FileBytes out;
  base::append_text(out, "\x89PNG\r\n\x1A\n");
  FileBytes header;
  base::append_big_endian(header, static_cast<std::uint32_t>(image.width), 4);
  base::append_big_endian(header, static_cast<std::uint32_t>(image.height), 4);
  for (const int value : {8, 2, 0, 0, 0})
    header.push_back(static_cast<std::uint8_t>(value));  // 8-bit RGB, no interlace
  append_chunk(out, "IHDR", header);
  append_pixels(out, image);
  append_chunk(out, "IEND", {});
  return out;
}

}  // namespace byteformer::media
