// WebP by libwebp: lossy and lossless, with alpha; the first frame of an animation.
#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "media/codecs/module.hpp"

namespace byteformer::media {
namespace {

using Demuxer = std::unique_ptr<WebPDemuxer, Release<WebPDemuxDelete>>;

int orientation(const WebPDemuxer* demuxer) {
  WebPChunkIterator chunk{};
  int found = 1;
  if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk) != 0)
    found = exif_orientation({chunk.chunk.bytes, chunk.chunk.size});
  WebPDemuxReleaseChunkIterator(&chunk);
  return found;
}

/// Decodes `frame` and lays it over white at its place on the canvas.
void draw(const ImageFile& file, const WebPIterator& frame, Image& canvas) {
  int width = 0, height = 0;
  if (WebPGetInfo(frame.fragment.bytes, frame.fragment.size, &width, &height) == 0 || width != frame.width ||
      height != frame.height)
    throw_damaged(file, "its frame's header is wrong");
  if (frame.x_offset < 0 || frame.y_offset < 0 || width > canvas.width - frame.x_offset ||
      height > canvas.height - frame.y_offset)
    throw_damaged(file, "its frame lies outside of its canvas");
  const auto row_bytes = static_cast<std::size_t>(width) * 4;
  std::vector<std::uint8_t> rgba(row_bytes * static_cast<std::size_t>(height));
  if (WebPDecodeRGBAInto(frame.fragment.bytes, frame.fragment.size, rgba.data(), rgba.size(),
                         static_cast<int>(row_bytes)) == nullptr)
    throw_damaged(file, "its pixels cannot be decoded; the data are cut short or wrong");

  const std::uint8_t* from = rgba.data();
  for (int y = 0; y < height; ++y) {
    const auto row = static_cast<std::size_t>(frame.y_offset + y) * static_cast<std::size_t>(canvas.width);
    std::uint8_t* to = canvas.rgb.data() + (row + static_cast<std::size_t>(frame.x_offset)) * 3;
    for (int x = 0; x < width; ++x, from += 4)
      for (std::size_t c = 0; c < 3; ++c) *to++ = over_white(from[c], from[3]);
  }
}

}  // namespace

StoredImage ModuleCodecs::decode_webp(const ImageFile& file) const {
  const WebPData data{file.bytes.data(), file.bytes.size()};
  const Demuxer demuxer(WebPDemux(&data));
  if (demuxer == nullptr) throw_damaged(file, "its chunks are cut short or wrong");
  const std::uint32_t width = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH);
  const std::uint32_t height = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT);
  const int turn = orientation(demuxer.get());
  // A frame with alpha, and libwebp's own picture of it.
  const std::uint64_t work_bytes = std::uint64_t{width} * height * 9;
  StoredImage out{blank_image(file, width, height, work_bytes, turn != 1), turn};
  std::ranges::fill(out.image.rgb, std::uint8_t{255});

  WebPIterator frame{};
  if (WebPDemuxGetFrame(demuxer.get(), 1, &frame) == 0) throw_damaged(file, "it has no picture");
  const std::unique_ptr<WebPIterator, Release<WebPDemuxReleaseIterator>> release(&frame);
  draw(file, frame, out.image);
  return out;
}

}  // namespace byteformer::media
