// WAV: as the published pipeline writes it (the headers of each sample format, its float32 arithmetic), and what the
// chunks of any WAV file tell.
#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>

#include "base/bytes_io.hpp"
#include "byteformer/error.hpp"
#include "media/decoding.hpp"
#include "media/places.hpp"

namespace byteformer::media {
namespace {

constexpr std::uint32_t kPcm = 1;
constexpr std::uint32_t kIeeeFloat = 3;
constexpr std::uint32_t kExtensible = 0xFFFE;
constexpr std::uint32_t kFrontCentre = 4;
constexpr std::uint64_t kChunksOffset = 12;
constexpr std::size_t kMaxSamplesInWav = (std::numeric_limits<std::uint32_t>::max() - 128) / 4;

/// What the headers say of each sample format.
struct Layout {
  std::string_view name;
  std::uint32_t tag;
  std::uint32_t samples_are;  // kPcm or kIeeeFloat
  int sample_bytes;
  std::uint32_t format_chunk_bytes;

  bool has_fact() const noexcept { return format_chunk_bytes > 16; }
  std::uint32_t header_bytes() const noexcept { return 12 + 8 + format_chunk_bytes + (has_fact() ? 12 : 0) + 8; }
};

/// In the order of SampleFormat.
constexpr std::array<Layout, 4> kLayouts{{{"float32", kIeeeFloat, kIeeeFloat, 4, 18},
                                          {"int32", kExtensible, kPcm, 4, 40},
                                          {"int16", kPcm, kPcm, 2, 16},
                                          {"uint8", kPcm, kPcm, 1, 16}}};

const Layout& layout_of(SampleFormat format) noexcept { return kLayouts[static_cast<std::size_t>(format)]; }

void append_extension(FileBytes& out, const Layout& layout) {
  if (layout.format_chunk_bytes == 18) base::append_little_endian(out, 0, 2);
  if (layout.format_chunk_bytes != 40) return;
  base::append_little_endian(out, 22, 2);
  base::append_little_endian(out, 32, 2);  // valid bits
  base::append_little_endian(out, kFrontCentre, 4);
  base::append_little_endian(out, layout.samples_are, 4);  // a GUID that begins with the tag
  base::append_text(out, {"\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71", 12});
}

void append_headers(FileBytes& out, const Layout& layout, std::uint32_t sample_rate, std::uint32_t num_samples) {
  const auto sample_bytes = static_cast<std::uint32_t>(layout.sample_bytes);
  const std::uint32_t data_bytes = num_samples * sample_bytes;
  base::append_text(out, "RIFF");
  base::append_little_endian(out, layout.header_bytes() - 8 + data_bytes + data_bytes % 2, 4);
  base::append_text(out, "WAVEfmt ");
  base::append_little_endian(out, layout.format_chunk_bytes, 4);
  base::append_little_endian(out, layout.tag, 2);
  base::append_little_endian(out, 1, 2);  // channels
  base::append_little_endian(out, sample_rate, 4);
  base::append_little_endian(out, sample_rate * sample_bytes, 4);
  base::append_little_endian(out, sample_bytes, 2);
  base::append_little_endian(out, sample_bytes * 8, 2);
  append_extension(out, layout);
  if (layout.has_fact()) {
    base::append_text(out, "fact");
    base::append_little_endian(out, 4, 4);
    base::append_little_endian(out, num_samples, 4);
  }
  base::append_text(out, "data");
  base::append_little_endian(out, data_bytes, 4);
}

std::uint32_t int32_bits(float x) noexcept {
  const float scaled = saturated(x) * 2147483648.0f;
  if (scaled >= 2147483648.0f) return std::numeric_limits<std::int32_t>::max();
  return static_cast<std::uint32_t>(static_cast<std::int32_t>(scaled));
}

std::uint32_t sample_bits(float x, SampleFormat format) noexcept {
  switch (format) {
    case SampleFormat::kFloat32: return std::bit_cast<std::uint32_t>(published_float(x));
    case SampleFormat::kInt32: return int32_bits(x);
    case SampleFormat::kInt16: return static_cast<std::uint32_t>(static_cast<std::int32_t>(saturated(x) * 32767.0f));
    case SampleFormat::kUint8: return static_cast<std::uint32_t>((saturated(x) + 1.0f) * 255.0f / 2.0f);
  }
  return 0;
}

struct Chunk {
  std::uint64_t offset = 0;  ///< of its header
  std::uint64_t num_bytes = 0;
  std::uint64_t body() const noexcept { return offset + 8; }
};

/// Calls `see` with each chunk from `at` on whose header is in `file`, whether its body is or not, until one returns
/// true. \return where it stopped: at that chunk, or behind the last one
template <typename See>
std::uint64_t find_chunk(std::span<const std::uint8_t> file, std::uint64_t at, const See& see) {
  const bool is_big_endian = base::has_tag(file, 0, "RIFX");
  while (base::has_bytes(file, at, 8)) {
    const Chunk chunk{at, is_big_endian ? base::big_endian(file, at + 4, 4) : base::little_endian(file, at + 4, 4)};
    if (see(chunk)) break;
    at = chunk.body() + chunk.num_bytes + chunk.num_bytes % 2;
  }
  return at;
}

/// Whether chunks alone follow at `at` up to the end of the file; also where nothing does.
bool are_chunks(std::span<const std::uint8_t> file, std::uint64_t at) noexcept {
  const std::uint64_t end = find_chunk(file, at, [&](const Chunk& chunk) {
    const auto tag = base::as_text(file).substr(static_cast<std::size_t>(chunk.offset), 4);
    return !std::ranges::all_of(tag, [](char c) { return c >= ' ' && c <= '~'; });
  });
  return end == file.size() || end == file.size() + 1;
}

/// The content of a `fmt ` chunk.
std::optional<WavHeader> parse_format(std::span<const std::uint8_t> body) noexcept {
  if (body.size() < 16) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t num_bytes) {
    return static_cast<int>(base::little_endian(body, at, num_bytes) & 0x7FFFFFFF);
  };
  WavHeader header;
  header.format_tag = number(0, 2);
  header.num_channels = number(2, 2);
  header.sample_rate = number(4, 4);
  header.bytes_per_frame = number(12, 2);
  header.bits_per_sample = number(14, 2);
  if (header.format_tag == int{kExtensible} && body.size() >= 26) header.format_tag = number(24, 2);
  return header;
}

}  // namespace

std::string_view to_string(SampleFormat format) noexcept { return layout_of(format).name; }

SampleFormat parse_sample_format(std::string_view name) {
  const auto known = std::ranges::find(kLayouts, name, &Layout::name);
  if (known != kLayouts.end()) return static_cast<SampleFormat>(known - kLayouts.begin());
  base::fail(ErrorCode::kInvalidArgument, "sample format \"", name, "\": expected float32, int32, int16 or uint8");
}

FileBytes encode_wav(const Sound& sound, SampleFormat format) {
  const auto memory = memory_to_encode(sound);
  if (sound.samples.size() > kMaxSamplesInWav)
    base::fail(ErrorCode::kInvalidArgument, "cannot encode as WAV: too long for its 32-bit lengths");
  const Layout& layout = layout_of(format);
  const auto sample_bytes = static_cast<std::size_t>(layout.sample_bytes);
  FileBytes out;
  out.reserve(80 + sound.samples.size() * sample_bytes + 1);
  append_headers(out, layout, static_cast<std::uint32_t>(sound.sample_rate),
                 static_cast<std::uint32_t>(sound.samples.size()));
  for (const float x : sound.samples) base::append_little_endian(out, sample_bits(x, format), sample_bytes);
  if (out.size() % 2 != 0) out.push_back(0);  // every header has an even length
  return out;
}

std::uint64_t WavHeader::num_frames() const noexcept {
  const auto frame_bytes = static_cast<std::uint64_t>((bits_per_sample + 7) / 8) * num_channels;
  return frame_bytes == 0 ? 0 : num_data_bytes / frame_bytes;
}

std::optional<WavHeader> parse_wav_header(std::span<const std::uint8_t> file) noexcept {
  if (!base::has_tag(file, 0, "RIFF") || !base::has_tag(file, 8, "WAVE")) return std::nullopt;
  std::optional<WavHeader> header;
  bool has_data = false;
  find_chunk(file, kChunksOffset, [&](const Chunk& chunk) {
    if (base::has_tag(file, chunk.offset, "fmt ") && base::has_bytes(file, chunk.body(), chunk.num_bytes))
      header = parse_format(file.subspan(chunk.body(), chunk.num_bytes));
    if (!header || !base::has_tag(file, chunk.offset, "data")) return false;
    header->data_offset = chunk.body();
    header->num_data_bytes = chunk.num_bytes;
    return has_data = true;
  });
  return has_data ? header : std::nullopt;
}

std::optional<WavHeader> own_wav_header(const FileEnds& file, SampleFormat format) noexcept {
  const auto header = parse_wav_header(file.head);
  const Layout& layout = layout_of(format);
  const bool is_ours = header && header->num_channels == 1 && header->data_offset == layout.header_bytes() &&
                       header->format_tag == static_cast<int>(layout.samples_are) &&
                       header->bits_per_sample == layout.sample_bytes * 8 &&
                       header->data_offset + header->num_data_bytes + header->num_data_bytes % 2 == file.num_bytes;
  return is_ours ? header : std::nullopt;
}

namespace {

/// Has libsndfile pass over a chunk. Metadata have no say in what the samples are, but odd ones make it refuse a file.
void hide(SoundFile& file, const Chunk& chunk) {
  constexpr std::size_t kMostPatches = 256;  // every read looks at each
  if (file.patches.size() < kMostPatches) file.patches.push_back({chunk.offset, {'J', 'U', 'N', 'K'}});
}

}  // namespace

void look_at_wav(SoundFile& file) {
  const std::span<const std::uint8_t> bytes = file.bytes;
  const bool has_64_bits = base::has_tag(bytes, 0, "RF64") || base::has_tag(bytes, 0, "BW64");
  const auto little_endian_bytes = [&](std::uint64_t value, std::size_t num_bytes) {
    FileBytes out;
    base::append_little_endian(out, value, num_bytes);
    if (base::has_tag(bytes, 0, "RIFX")) std::ranges::reverse(out);
    return out;
  };
  if (base::has_tag(bytes, 0, "BW64")) file.patches.push_back({0, {'R', 'F', '6', '4'}});  // which libsndfile knows
  std::optional<Chunk> sizes;
  bool has_format = false;
  std::uint64_t end = 0;  // of the samples
  find_chunk(bytes, kChunksOffset, [&](const Chunk& chunk) {
    const auto is = [&](std::string_view tag) { return base::has_tag(bytes, chunk.offset, tag); };
    const bool is_format = is("fmt ") && !std::exchange(has_format, true);
    if (!is_format && !is("data") && !is("ds64") && !(is("fact") && chunk.num_bytes >= 4)) hide(file, chunk);
    if (has_64_bits && base::has_tag(bytes, chunk.offset, "ds64") && base::has_bytes(bytes, chunk.body(), 24))
      sizes = chunk;
    if (!base::has_tag(bytes, chunk.offset, "data")) return false;
    const bool is_in_sizes = sizes && chunk.num_bytes == 0xFFFFFFFF;
    const std::uint64_t stated = is_in_sizes ? base::little_endian(bytes, sizes->body() + 8, 8) : chunk.num_bytes;
    if (stated == 0 && are_chunks(bytes, chunk.body())) {  // really empty
      end = chunk.body();
      return true;
    }
    const std::uint64_t num_bytes = sample_bytes(file, chunk.body(), stated);
    end = chunk.body() + num_bytes;
    if (num_bytes == stated) return true;
    file.patches.push_back(is_in_sizes ? Patch{sizes->body() + 8, little_endian_bytes(num_bytes, 8)}
                                       : Patch{chunk.offset + 4, little_endian_bytes(num_bytes, 4)});
    if (!has_64_bits) file.patches.push_back({4, little_endian_bytes(bytes.size() - 8, 4)});
    return true;
  });
  if (end == 0) throw_damaged(file, "it ends before its samples begin");
  find_chunk(bytes, end + end % 2, [&](const Chunk& chunk) {
    if (!base::has_tag(bytes, chunk.offset, "data")) hide(file, chunk);
    return false;
  });
  refuse_another(file, end);
}

void look_at_w64(SoundFile& file) {
  constexpr std::uint64_t kGuidBytes = 16, kChunkHeaderBytes = kGuidBytes + 8;
  const std::span<const std::uint8_t> bytes = file.bytes;
  for (std::uint64_t at = kChunkHeaderBytes + kGuidBytes; base::has_bytes(bytes, at, kChunkHeaderBytes);) {
    const std::uint64_t stated = base::little_endian(bytes, at + kGuidBytes, 8);  // with the header
    if (base::has_tag(bytes, at, "data")) {
      const std::uint64_t begin = at + kChunkHeaderBytes;
      const bool is_unknown = stated < kChunkHeaderBytes || is_unknown_length(stated);
      const std::uint64_t num_bytes = sample_bytes(file, begin, is_unknown ? 0 : stated - kChunkHeaderBytes);
      if (is_unknown) {
        file.patches.push_back({at + kGuidBytes, {}});
        base::append_little_endian(file.patches.back().bytes, num_bytes + kChunkHeaderBytes, 8);
      }
      return refuse_another(file, begin + num_bytes);
    }
    if (stated < kChunkHeaderBytes || stated > bytes.size()) break;
    at += (stated + 7) / 8 * 8;
  }
  throw_damaged(file, "it ends before its samples begin");
}

std::optional<SoundPlaces> wav_places(std::span<const std::uint8_t> file) {
  const auto header = parse_wav_header(file);
  if (!header || header->bytes_per_frame == 0 ||
      (header->format_tag != int{kPcm} && header->format_tag != int{kIeeeFloat}))
    return std::nullopt;
  const auto frame_bytes = static_cast<std::uint64_t>(header->bytes_per_frame);
  const std::uint64_t num_bytes = std::min<std::uint64_t>(header->num_data_bytes, file.size() - header->data_offset);
  SoundPlaces places{.samples_per_block = 1, .num_blocks = num_bytes / frame_bytes};
  for (std::uint32_t i = 0; i < places.num_blocks; ++i) {
    const std::uint64_t begin = header->data_offset + i * frame_bytes;
    places.parts.push_back({{begin, begin + frame_bytes}, i});
  }
  return places;
}

}  // namespace byteformer::media
