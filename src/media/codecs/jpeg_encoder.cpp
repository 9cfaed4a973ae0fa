// JPEG by libjpeg-turbo with its defaults: baseline, 4:2:0, standard Huffman tables.
#include <cstdlib>

#include "byteformer/error.hpp"
#include "media/codecs.hpp"
#include "media/codecs/guard.hpp"
#include "media/codecs/jpeg_errors.hpp"
#include "media/encodable.hpp"

namespace byteformer::media::codecs {
namespace {

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
      throw Error(ErrorCode::kInvalidArgument, std::string("cannot encode as JPEG: ") + errors_.message.data());
  }

  JpegErrors errors_;
  jpeg_compress_struct info_{};
  unsigned char* bytes_ = nullptr;
  unsigned long num_bytes_ = 0;
};

}  // namespace

FileBytes encode_jpeg(const Image& image, int quality) {
  check_encodable(image);
  if (quality < 1 || quality > 100)
    throw Error(ErrorCode::kInvalidArgument, "JPEG quality " + std::to_string(quality) + ": expected 1 to 100");
  return JpegWriter().write(image, quality);
}

}  // namespace byteformer::media::codecs
