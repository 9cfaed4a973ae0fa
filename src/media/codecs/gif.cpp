// GIF by giflib: the first frame on its screen, transparent pixels white.
#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "media/codecs/module.hpp"

namespace byteformer::media {
namespace {

constexpr std::size_t kMaxPixelsPerByte = 2731;  // a code of 12 bits for 4,096 pixels

int read_bytes(GifFileType* gif, GifByteType* out, int num_bytes) {
  return static_cast<MemoryFile*>(gif->UserData)->read(out, num_bytes);
}

struct Close {
  void operator()(GifFileType* gif) const noexcept { DGifCloseFile(gif, nullptr); }
};
using GifHandle = std::unique_ptr<GifFileType, Close>;

[[noreturn]] void fail(const ImageFile& file, int error) {
  const char* reason = GifErrorString(error);
  throw_damaged(file, reason != nullptr ? reason : "it ends too early");
}

/// Runs a function of giflib on `gif`.
template <typename Function, typename... Arguments>
void call(const ImageFile& file, GifFileType* gif, Function function, Arguments... arguments) {
  if (function(gif, arguments...) != GIF_OK) fail(file, gif->Error);
}

/// Reads on to the first frame's descriptor and returns its transparent colour, or NO_TRANSPARENT_COLOR.
int find_frame(const ImageFile& file, GifFileType* gif) {
  int transparent = NO_TRANSPARENT_COLOR;
  for (;;) {
    GifRecordType record{};
    call(file, gif, DGifGetRecordType, &record);
    if (record == IMAGE_DESC_RECORD_TYPE) break;
    if (record != EXTENSION_RECORD_TYPE) throw_damaged(file, "it has no picture");
    int code = 0;
    GifByteType* block = nullptr;
    call(file, gif, DGifGetExtension, &code, &block);
    while (block != nullptr) {
      GraphicsControlBlock control{};
      if (code == GRAPHICS_EXT_FUNC_CODE && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
        transparent = control.TransparentColor;
      call(file, gif, DGifGetExtensionNext, &block);
    }
  }
  call(file, gif, DGifGetImageDesc);
  return transparent;
}

class Painter {
 public:
  Painter(const ImageFile& file, GifFileType* gif, int transparent)
      : file_(file), gif_(gif), frame_(gif->Image), transparent_(transparent) {
    colours_ = frame_.ColorMap != nullptr ? frame_.ColorMap : gif->SColorMap;
    if (colours_ == nullptr) throw_damaged(file, "it has no colours");
  }

  StoredImage paint() {
    check_size(file_, static_cast<std::uint64_t>(frame_.Width), static_cast<std::uint64_t>(frame_.Height));
    if (static_cast<std::size_t>(frame_.Width) * static_cast<std::size_t>(frame_.Height) / kMaxPixelsPerByte >
        file_.bytes.size())
      throw_damaged(file_, "it is too short for the size it claims");
    // The screen is at least what the first frame needs; some writers leave it empty.
    const auto width = static_cast<std::uint64_t>(std::max(gif_->SWidth, frame_.Left + frame_.Width));
    const auto height = static_cast<std::uint64_t>(std::max(gif_->SHeight, frame_.Top + frame_.Height));
    StoredImage out{blank_image(file_, width, height), 1};
    std::ranges::fill(out.image.rgb, std::uint8_t{255});
    if (!frame_.Interlace) {
      paint_rows(out.image, 0, 1);
    } else {
      constexpr std::array<std::array<int, 2>, 4> kPasses{{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
      for (const auto& [first, step] : kPasses) paint_rows(out.image, first, step);
    }
    return out;
  }

 private:
  void paint_rows(Image& canvas, int first, int step) {
    std::vector<GifPixelType> line(static_cast<std::size_t>(frame_.Width));
    for (int y = first; y < frame_.Height; y += step) {
      call(file_, gif_, DGifGetLine, line.data(), frame_.Width);
      for (int x = 0; x < frame_.Width; ++x) {
        const int index = line[static_cast<std::size_t>(x)];
        if (index == transparent_) continue;
        // As everywhere, a colour that the table lacks is black.
        const GifColorType colour = index < colours_->ColorCount ? colours_->Colors[index] : GifColorType{};
        const auto at = static_cast<std::size_t>(frame_.Top + y) * static_cast<std::size_t>(canvas.width) +
                        static_cast<std::size_t>(frame_.Left + x);
        canvas.rgb[at * 3] = colour.Red;
        canvas.rgb[at * 3 + 1] = colour.Green;
        canvas.rgb[at * 3 + 2] = colour.Blue;
      }
    }
  }

  const ImageFile& file_;
  GifFileType* gif_;
  const GifImageDesc& frame_;
  const ColorMapObject* colours_;
  int transparent_;
};

}  // namespace

StoredImage ModuleCodecs::decode_gif(const ImageFile& file) const {
  MemoryFile memory{file.bytes};
  int error = 0;
  const GifHandle gif(DGifOpen(&memory, read_bytes, &error));
  if (gif == nullptr) fail(file, error);
  const int transparent = find_frame(file, gif.get());
  return Painter(file, gif.get(), transparent).paint();
}

}  // namespace byteformer::media
