// TIFF by libtiff: the first page of any layout that libtiff turns into RGBA.
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "byteformer/error.hpp"
#include "media/codecs/module.hpp"

namespace byteformer::media {
namespace {

constexpr std::string_view kKind = "TIFF";
constexpr tmsize_t kMaxAllocationBytes = tmsize_t{1} << 31;

/// A file in memory, as libtiff reads it, and the first complaint about it.
struct MemoryFile {
  std::span<const std::uint8_t> bytes;
  std::uint64_t position = 0;
  std::array<char, 256> message{};
};

tmsize_t read_bytes(thandle_t handle, void* out, tmsize_t num_bytes) {
  auto* file = static_cast<MemoryFile*>(handle);
  if (num_bytes < 0 || file->position >= file->bytes.size()) return 0;
  const std::size_t count = std::min(static_cast<std::size_t>(num_bytes), file->bytes.size() - file->position);
  std::memcpy(out, file->bytes.data() + file->position, count);
  file->position += count;
  return static_cast<tmsize_t>(count);
}

toff_t seek(thandle_t handle, toff_t offset, int whence) {
  auto* file = static_cast<MemoryFile*>(handle);
  if (whence == SEEK_SET) file->position = offset;
  if (whence == SEEK_CUR) file->position += offset;
  if (whence == SEEK_END) file->position = file->bytes.size() + offset;
  return file->position;
}

tmsize_t write_nothing(thandle_t, void*, tmsize_t) { return -1; }
int close_nothing(thandle_t) { return 0; }
toff_t size(thandle_t handle) { return static_cast<MemoryFile*>(handle)->bytes.size(); }

int keep_message(TIFF*, void* user_data, const char*, const char* format, va_list arguments) {
  auto& message = static_cast<MemoryFile*>(user_data)->message;
  if (message[0] == '\0') std::vsnprintf(message.data(), message.size(), format, arguments);
  return 1;  // handled: nothing is printed
}

int ignore_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

struct Close {
  void operator()(TIFF* tiff) const noexcept { TIFFClose(tiff); }
};
using TiffHandle = std::unique_ptr<TIFF, Close>;

TiffHandle open(MemoryFile& file) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                 TIFFOpenOptionsFree);
  if (options == nullptr) throw std::bad_alloc();
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_message, &file);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore_warning, nullptr);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMaxAllocationBytes);
  return TiffHandle(TIFFClientOpenExt("", "rm", &file, read_bytes, write_nothing, seek, close_nothing, size, nullptr,
                                      nullptr, options.get()));
}

std::uint32_t tag(TIFF* tiff, std::uint32_t name, std::uint32_t otherwise) {
  std::uint32_t value = 0;
  return TIFFGetField(tiff, name, &value) == 1 ? value : otherwise;
}

std::uint16_t short_tag(TIFF* tiff, std::uint32_t name) {
  std::uint16_t value = 0;
  return TIFFGetFieldDefaulted(tiff, name, &value) == 1 ? value : std::uint16_t{0};
}

/// How many bytes one byte of the file can become at most; zero if there is no useful bound.
std::uint64_t max_expansion(std::uint16_t compression) noexcept {
  switch (compression) {
    case COMPRESSION_NONE: return 1;
    case COMPRESSION_PACKBITS: return 64;
    case COMPRESSION_DEFLATE:
    case COMPRESSION_ADOBE_DEFLATE: return 1032;
    case COMPRESSION_LZW: return 4096;
    default: return 0;
  }
}

void check_plausible(const ImageFile& file, TIFF* tiff, std::uint32_t width, std::uint32_t height) {
  check_size(file, kKind, width, height);
  const std::uint64_t expansion = max_expansion(short_tag(tiff, TIFFTAG_COMPRESSION));
  // Chroma may be halved both ways, which leaves an eighth of a byte for a sample of one bit.
  const std::uint64_t min_bytes = std::uint64_t{width} * height * short_tag(tiff, TIFFTAG_BITSPERSAMPLE) / 8;
  if (expansion != 0 && min_bytes / expansion > file.bytes.size())
    throw_damaged(file, kKind, "it is too short for the size it claims");
}

/// What libtiff keeps of the picture while it decodes: a strip or tile, in each of the planes.
std::uint64_t piece_bytes(TIFF* tiff) {
  const tmsize_t num_bytes = TIFFIsTiled(tiff) != 0 ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
  const std::uint64_t num_planes = short_tag(tiff, TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE ? 4 : 1;
  return static_cast<std::uint64_t>(std::clamp<tmsize_t>(num_bytes, 0, kMaxAllocationBytes)) * num_planes;
}

/// The pixels in the order in which they are stored, alpha multiplied in.
void read_pixels(const ImageFile& file, TIFF* tiff, const MemoryFile& memory, std::vector<std::uint32_t>& pixels,
                 Image& image) {
  std::array<char, 1024> reason{};
  if (TIFFRGBAImageOK(tiff, reason.data()) == 0)
    throw Error(ErrorCode::kUnsupported,
                file.source + ": a TIFF of a kind that byteformer does not read: " + reason.data());
  TIFFRGBAImage reader{};
  if (TIFFRGBAImageBegin(&reader, tiff, 1, reason.data()) == 0) throw_damaged(file, kKind, reason.data());
  reader.orientation = reader.req_orientation = ORIENTATION_TOPLEFT;
  const int is_read = TIFFRGBAImageGet(&reader, pixels.data(), static_cast<std::uint32_t>(image.width),
                                       static_cast<std::uint32_t>(image.height));
  TIFFRGBAImageEnd(&reader);
  if (is_read == 0 || memory.message[0] != '\0')
    throw_damaged(file, kKind, memory.message[0] != '\0' ? memory.message.data() : "its pixels cannot be read");
}

}  // namespace

StoredImage ModuleCodecs::decode_tiff(const ImageFile& file) const {
  MemoryFile memory{file.bytes, 0, {}};
  const TiffHandle tiff = open(memory);
  if (tiff == nullptr) throw_damaged(file, kKind, memory.message.data());
  const std::uint32_t width = tag(tiff.get(), TIFFTAG_IMAGEWIDTH, 0);
  const std::uint32_t height = tag(tiff.get(), TIFFTAG_IMAGELENGTH, 0);
  check_plausible(file, tiff.get(), width, height);

  const int turn = short_tag(tiff.get(), TIFFTAG_ORIENTATION);
  const std::uint64_t work_bytes = std::uint64_t{width} * height * sizeof(std::uint32_t) + piece_bytes(tiff.get());
  StoredImage out{blank_image(file, kKind, width, height, work_bytes, turn > 1), turn};
  std::vector<std::uint32_t> pixels(std::size_t{width} * height);
  read_pixels(file, tiff.get(), memory, pixels, out.image);
  auto to = out.image.rgb.begin();
  for (const std::uint32_t pixel : pixels) {
    const std::uint32_t white = 255 - TIFFGetA(pixel);  // shows through
    *to++ = static_cast<std::uint8_t>(std::min(TIFFGetR(pixel) + white, 255u));
    *to++ = static_cast<std::uint8_t>(std::min(TIFFGetG(pixel) + white, 255u));
    *to++ = static_cast<std::uint8_t>(std::min(TIFFGetB(pixel) + white, 255u));
  }
  return out;
}

}  // namespace byteformer::media
