// PNG as the published pipeline writes it: its choice of filters, stored deflate blocks, its sizes of IDAT.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "byteformer/error.hpp"
#include "media/byte_writer.hpp"
#include "media/codecs.hpp"
#include "media/encodable.hpp"

namespace byteformer::media::codecs {
namespace {

constexpr std::size_t kPixelBytes = 3;
constexpr std::size_t kMinBufferBytes = 65536;
enum Filter : std::uint8_t { kNone = 0, kSub = 1, kUp = 2, kPaeth = 4 };

void append_chunk(FileBytes& out, std::string_view type, std::span<const std::uint8_t> data) {
  append_big_endian(out, static_cast<std::uint32_t>(data.size()), 4);
  const std::size_t begin = out.size();
  append_text(out, type);
  out.insert(out.end(), data.begin(), data.end());
  append_big_endian(out,
                    static_cast<std::uint32_t>(crc32(0, out.data() + begin, static_cast<uInt>(out.size() - begin))), 4);
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

FileBytes encode_png(const Image& image) {
  check_encodable(image);
  FileBytes out;
  append_text(out, "\x89PNG\r\n\x1A\n");
  FileBytes header;
  append_big_endian(header, static_cast<std::uint32_t>(image.width), 4);
  append_big_endian(header, static_cast<std::uint32_t>(image.height), 4);
  for (const int value : {8, 2, 0, 0, 0})
    header.push_back(static_cast<std::uint8_t>(value));  // 8-bit RGB, no interlace
  append_chunk(out, "IHDR", header);
  append_pixels(out, image);
  append_chunk(out, "IEND", {});
  return out;
}

}  // namespace byteformer::media::codecs
