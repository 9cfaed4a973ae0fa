// JPEG by libjpeg-turbo: reading baseline and progressive, grey, colour and CMYK; writing with its defaults (baseline,
// 4:2:0, standard Huffman tables); and where the blocks lie, since it says how far it has read.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

// It needs the headers above it.
#include <jpeglib.h>

// And it the one above it.
#include <jerror.h>

#include "base/bytes_io.hpp"
#include "byteformer/error.hpp"
#include "media/codecs/module.hpp"

namespace byteformer::media {
namespace {

constexpr unsigned kExifMarkerBytes = 0xFFFF;
constexpr std::uint64_t kMaxPixelsPerByte = 1024;  // a Huffman code of one bit for each block, at the oddest sampling

/// Errors of libjpeg as a message and a jump, with nothing printed; warnings that mean lost pixels are errors, too.
struct JpegErrors {
  JpegErrors() {
    jpeg_std_error(&manager);
    manager.error_exit = fail;
    manager.emit_message = on_message;
    manager.output_message = [](j_common_ptr) {};
  }
  JpegErrors(const JpegErrors&) = delete;
  JpegErrors& operator=(const JpegErrors&) = delete;

  static void fail(j_common_ptr info) {
    auto* errors = reinterpret_cast<JpegErrors*>(info->err);
    (*info->err->format_message)(info, errors->message.data());
    std::longjmp(errors->jump, 1);
  }

  static void on_message(j_common_ptr info, int level) {
    if (level >= 0) return;  // a trace
    switch (info->err->msg_code) {
      case JWRN_JPEG_EOF:
      case JWRN_HIT_MARKER:
      case JWRN_HUFF_BAD_CODE:
      case JWRN_ARITH_BAD_CODE: fail(info); return;
      default: ++info->err->num_warnings;
    }
  }

  jpeg_error_mgr manager{};  // first: libjpeg hands back a pointer to it
  std::jmp_buf jump{};
  std::array<char, JMSG_LENGTH_MAX> message{};
};

/// A file that libjpeg reads.
class JpegInput {
 protected:
  explicit JpegInput(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
    info_.err = &errors_.manager;
    is_ready_ = runs([&] { jpeg_create_decompress(&info_); });
  }
  ~JpegInput() { jpeg_destroy_decompress(&info_); }
  JpegInput(const JpegInput&) = delete;
  JpegInput& operator=(const JpegInput&) = delete;

  template <typename Step>
  bool runs(const Step& step) {
    return completes(errors_.jump, step);
  }

  bool reads_header() {
    return is_ready_ && runs([&] {
             jpeg_mem_src(&info_, bytes_.data(), static_cast<unsigned long>(bytes_.size()));
             jpeg_save_markers(&info_, JPEG_APP0 + 1, kExifMarkerBytes);
             jpeg_read_header(&info_, TRUE);
           });
  }

  /// That in the first EXIF block; others, and what else lies in such markers (XMP), are not looked at.
  int orientation() const {
    for (const jpeg_marker_struct* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
      const std::span<const std::uint8_t> data(marker->data, marker->data_length);
      if (base::has_tag(data, 0, {"Exif\0\0", 6})) return exif_orientation(data);
    }
    return 1;
  }

  /// Whether a size is beyond what the file could hold.
  bool is_too_short() const {
    return info_.arith_code == FALSE &&
           std::uint64_t{info_.image_width} * info_.image_height / kMaxPixelsPerByte > bytes_.size();
  }

  std::span<const std::uint8_t> bytes_;
  JpegErrors errors_;
  jpeg_decompress_struct info_{};

 private:
  bool is_ready_ = false;
};

// Reading.

constexpr int kMaxScans = 200;  // real progressive files have about ten

void limit_scans(j_common_ptr info) {
  auto* decompress = reinterpret_cast<j_decompress_ptr>(info);
  if (decompress->input_scan_number <= kMaxScans) return;
  // Any message will do: the reader replaces it.
  decompress->err->msg_code = 0;
  (*decompress->err->error_exit)(info);
}

class JpegReader : JpegInput {
 public:
  explicit JpegReader(const ImageFile& file) : JpegInput(file.bytes), file_(file) {
    progress_.progress_monitor = limit_scans;
    info_.progress = &progress_;
  }

  StoredImage read() {
    read_header();
    const int turn = orientation();
    StoredImage out{blank_image(file_, info_.image_width, info_.image_height, coefficient_bytes(), turn != 1), turn};
    if (info_.out_color_space == JCS_CMYK)
      read_cmyk(out.image);
    else
      read_rgb(out.image);
    return out;
  }

 private:
  template <typename Step>
  void run(const Step& step) {
    if (!runs(step)) fail();
  }
  [[noreturn]] void fail() const {
    if (info_.global_state != 0 && info_.input_scan_number > kMaxScans)
      throw_damaged(file_, "it has more than ", kMaxScans, " scans");
    throw_damaged(file_, errors_.message.data());
  }

  void read_header() {
    if (!reads_header()) fail();
    check_size(file_, info_.image_width, info_.image_height);
    if (is_too_short()) throw_damaged(file_, "it is too short for the size it claims");
    const bool is_cmyk = info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
    info_.out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
  }

  /// What libjpeg keeps of a picture that comes in several scans.
  std::uint64_t coefficient_bytes() {
    if (jpeg_has_multiple_scans(&info_) == FALSE) return 0;
    std::uint64_t num_bytes = 0;
    for (const jpeg_component_info& component :
         std::span(info_.comp_info, static_cast<std::size_t>(info_.num_components)))
      num_bytes += std::uint64_t{component.width_in_blocks} * component.height_in_blocks * sizeof(JBLOCK);
    return num_bytes;
  }

  void read_rgb(Image& image) {
    std::uint8_t* const pixels = image.rgb.data();
    run([&] {
      jpeg_start_decompress(&info_);
      while (info_.output_scanline < info_.output_height) {
        JSAMPROW row = pixels + std::size_t{info_.output_scanline} * info_.output_width * 3;
        jpeg_read_scanlines(&info_, &row, 1);
      }
      jpeg_finish_decompress(&info_);
    });
  }

  void read_cmyk(Image& image) {
    std::vector<std::uint8_t> cmyk(std::size_t{info_.image_width} * 4);
    std::uint8_t* to = image.rgb.data();
    run([&] { jpeg_start_decompress(&info_); });
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = cmyk.data();
      run([&] { jpeg_read_scanlines(&info_, &row, 1); });
      for (std::size_t i = 0; i < cmyk.size(); i += 4)
        for (std::size_t c = 0; c < 3; ++c) *to++ = static_cast<std::uint8_t>((cmyk[i + c] * cmyk[i + 3] + 127) / 255);
    }
    run([&] { jpeg_finish_decompress(&info_); });
  }

  const ImageFile& file_;
  jpeg_progress_mgr progress_{};
};

// Writing.

class JpegWriter {
 public:
  JpegWriter() {
    info_.err = &errors_.manager;
    run([&] { jpeg_create_compress(&info_); });
  }
  ~JpegWriter() {
    jpeg_destroy_compress(&info_);
    std::free(bytes_);
  }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;

  FileBytes write(const Image& image, int quality) {
    run([&] {
      jpeg_mem_dest(&info_, &bytes_, &num_bytes_);
      info_.image_width = static_cast<JDIMENSION>(image.width);
      info_.image_height = static_cast<JDIMENSION>(image.height);
      info_.input_components = 3;
      info_.in_color_space = JCS_RGB;
      jpeg_set_defaults(&info_);
      jpeg_set_quality(&info_, quality, TRUE);
      jpeg_start_compress(&info_, TRUE);
      while (info_.next_scanline < info_.image_height) {
        // libjpeg reads through a pointer that is not const.
        auto* row = const_cast<JSAMPROW>(image.rgb.data() + std::size_t{info_.next_scanline} * info_.image_width * 3);
        jpeg_write_scanlines(&info_, &row, 1);
      }
      jpeg_finish_compress(&info_);
    });
    return {bytes_, bytes_ + num_bytes_};
  }

 private:
  template <typename Step>
  void run(const Step& step) {
    if (!completes(errors_.jump, step))
      base::fail(ErrorCode::kInvalidArgument, "cannot encode as JPEG: ", errors_.message.data());
  }

  JpegErrors errors_;
  jpeg_compress_struct info_{};
  unsigned char* bytes_ = nullptr;
  unsigned long num_bytes_ = 0;
};

// Places.

class JpegRows : JpegInput {
 public:
  explicit JpegRows(std::span<const std::uint8_t> file) : JpegInput(file) {}

  std::optional<PicturePlaces> places() {
    if (!reads_header() || !is_simple()) return std::nullopt;
    PicturePlaces places{.width = static_cast<int>(info_.image_width),
                         .height = static_cast<int>(info_.image_height),
                         .block_width = info_.max_h_samp_factor * DCTSIZE,
                         .block_height = info_.max_v_samp_factor * DCTSIZE};
    ends_.resize(static_cast<std::size_t>(places.rows()) + 1);
    row_.resize(std::size_t{info_.image_width} * static_cast<std::size_t>(info_.num_components));
    if (!read_rows(static_cast<JDIMENSION>(places.block_height))) return std::nullopt;
    for (int row = 0; row < places.rows(); ++row) share_out(row, places);
    return places;
  }

 private:
  bool is_simple() {
    return orientation() == 1 && jpeg_has_multiple_scans(&info_) == FALSE && info_.arith_code == FALSE &&
           !is_too_short();
  }

  /// Fills ends_: where the first row of blocks begins, then where each ends.
  bool read_rows(JDIMENSION block_height) {
    return runs([&] {
      info_.out_color_space = info_.jpeg_color_space;
      info_.do_fancy_upsampling = FALSE;  // which would read a row of blocks ahead
      jpeg_start_decompress(&info_);
      ends_[0] = position(0);
      while (info_.output_scanline < info_.output_height) {
        const JDIMENSION line = info_.output_scanline;
        JSAMPROW row = row_.data();
        jpeg_read_scanlines(&info_, &row, 1);
        const std::size_t block = line / block_height;
        if (line % block_height == 0) ends_[block + 1] = position(ends_[block]);
      }
    });
  }

  /// How far libjpeg has read, at least `before`: at the end of a damaged file it reads an end of its own making.
  std::uint64_t position(std::uint64_t before) const {
    return std::max<std::uint64_t>(before, bytes_.size() - std::min(bytes_.size(), info_.src->bytes_in_buffer));
  }

  void share_out(int row, PicturePlaces& places) const {
    const std::uint64_t begin = ends_[static_cast<std::size_t>(row)];
    const std::uint64_t size = ends_[static_cast<std::size_t>(row) + 1] - begin;
    const auto columns = static_cast<std::uint64_t>(places.columns());
    for (std::uint64_t column = 0; column < columns && size > 0; ++column) {
      const std::uint64_t first = begin + column * size / columns;
      const std::uint64_t last = std::max(first + 1, begin + (column + 1) * size / columns);
      places.parts.push_back(
          {{first, last}, static_cast<std::uint32_t>(static_cast<std::uint64_t>(row) * columns + column)});
    }
  }

  std::vector<std::uint64_t> ends_;
  std::vector<std::uint8_t> row_;
};

}  // namespace

StoredImage ModuleCodecs::decode_jpeg(const ImageFile& file) const { return JpegReader(file).read(); }

FileBytes ModuleCodecs::encode_jpeg(const Image& image, int quality) const {
  return JpegWriter().write(image, quality);
}

std::optional<PicturePlaces> ModuleCodecs::jpeg_places(std::span<const std::uint8_t> file) const {
  return JpegRows(file).places();
}

}  // namespace byteformer::media
