// Places in a JPEG: libjpeg decodes it a row of blocks at a time, and says how far it has read.
#include <algorithm>

#include "media/codecs.hpp"
#include "media/codecs/guard.hpp"
#include "media/codecs/jpeg_errors.hpp"
#include "media/orientation.hpp"

namespace byteformer::media::codecs {
namespace {

constexpr std::uint64_t kMostPixelsPerByte = 1024;
constexpr unsigned kExifMarkerBytes = 0xFFFF;

class JpegRows {
 public:
  explicit JpegRows(std::span<const std::uint8_t> file) : file_(file) {
    info_.err = &errors_.manager;
    is_ready_ = completes(errors_.jump, [&] { jpeg_create_decompress(&info_); });
  }
  ~JpegRows() { jpeg_destroy_decompress(&info_); }
  JpegRows(const JpegRows&) = delete;
  JpegRows& operator=(const JpegRows&) = delete;

  std::optional<PicturePlaces> places() {
    if (!is_ready_ || !read_header() || !is_simple()) return std::nullopt;
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
  bool read_header() {
    return completes(errors_.jump, [&] {
      jpeg_mem_src(&info_, file_.data(), static_cast<unsigned long>(file_.size()));
      jpeg_save_markers(&info_, JPEG_APP0 + 1, kExifMarkerBytes);
      jpeg_read_header(&info_, TRUE);
    });
  }

  bool is_simple() {
    for (const jpeg_marker_struct* marker = info_.marker_list; marker != nullptr; marker = marker->next)
      if (exif_orientation({marker->data, marker->data_length}) != 1) return false;
    return jpeg_has_multiple_scans(&info_) == FALSE && info_.arith_code == FALSE &&
           std::uint64_t{info_.image_width} * info_.image_height / kMostPixelsPerByte <= file_.size();
  }

  /// Fills ends_: where the first row of blocks begins, then where each ends.
  bool read_rows(JDIMENSION block_height) {
    return completes(errors_.jump, [&] {
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
    return std::max<std::uint64_t>(before, file_.size() - std::min(file_.size(), info_.src->bytes_in_buffer));
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

  std::span<const std::uint8_t> file_;
  JpegErrors errors_;
  jpeg_decompress_struct info_{};
  bool is_ready_ = false;
  std::vector<std::uint64_t> ends_;
  std::vector<std::uint8_t> row_;
};

}  // namespace

std::optional<PicturePlaces> jpeg_places(std::span<const std::uint8_t> file) { return JpegRows(file).places(); }

}  // namespace byteformer::media::codecs
