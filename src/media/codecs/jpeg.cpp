// JPEG by libjpeg-turbo: baseline and progressive, grey, colour and CMYK.
#include <vector>

#include "byteformer/error.hpp"
#include "media/codecs.hpp"
#include "media/codecs/guard.hpp"
#include "media/codecs/jpeg_errors.hpp"
#include "media/orientation.hpp"

namespace byteformer::media::codecs {
namespace {

constexpr std::string_view kKind = "JPEG";
constexpr int kMaxScans = 200;                   // real progressive files have about ten
constexpr std::size_t kMaxPixelsPerByte = 1024;  // a Huffman code of one bit for each block, at the oddest sampling
constexpr unsigned kExifMarkerBytes = 0xFFFF;

void limit_scans(j_common_ptr info) {
  auto* decompress = reinterpret_cast<j_decompress_ptr>(info);
  if (decompress->input_scan_number <= kMaxScans) return;
  // Any message will do: the reader replaces it.
  decompress->err->msg_code = 0;
  (*decompress->err->error_exit)(info);
}

class JpegReader {
 public:
  explicit JpegReader(const ImageFile& file) : file_(file) {
    info_.err = &errors_.manager;
    run([&] { jpeg_create_decompress(&info_); });
    progress_.progress_monitor = limit_scans;
    info_.progress = &progress_;
  }
  ~JpegReader() { jpeg_destroy_decompress(&info_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  StoredImage read() {
    read_header();
    StoredImage out{blank_image(file_, kKind, info_.image_width, info_.image_height), orientation()};
    if (info_.out_color_space == JCS_CMYK)
      read_cmyk(out.image);
    else
      read_rgb(out.image);
    return out;
  }

 private:
  template <typename Step>
  void run(const Step& step) {
    if (completes(errors_.jump, step)) return;
    if (info_.global_state != 0 && info_.input_scan_number > kMaxScans)
      throw_damaged(file_, kKind, "it has more than " + std::to_string(kMaxScans) + " scans");
    throw_damaged(file_, kKind, errors_.message.data());
  }

  void read_header() {
    run([&] {
      jpeg_mem_src(&info_, file_.bytes.data(), static_cast<unsigned long>(file_.bytes.size()));
      jpeg_save_markers(&info_, JPEG_APP0 + 1, kExifMarkerBytes);
      jpeg_read_header(&info_, TRUE);
    });
    check_size(file_, kKind, info_.image_width, info_.image_height);
    const std::size_t num_pixels = std::size_t{info_.image_width} * info_.image_height;
    if (!info_.arith_code && num_pixels / kMaxPixelsPerByte > file_.bytes.size())
      throw_damaged(file_, kKind, "it is too short for the size it claims");
    const bool is_cmyk = info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
    info_.out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
  }

  int orientation() const {
    for (const jpeg_marker_struct* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
      const int found = exif_orientation({marker->data, marker->data_length});
      if (found != 1) return found;
    }
    return 1;
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
  JpegErrors errors_;
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct info_{};
};

}  // namespace

StoredImage decode_jpeg(const ImageFile& file) { return JpegReader(file).read(); }

}  // namespace byteformer::media::codecs
