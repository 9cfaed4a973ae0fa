// MP3, as far as its frame headers tell (ISO 11172-3 and 13818-3); its samples are the module's work.
#include <algorithm>
#include <array>

#include "base/bytes_io.hpp"
#include "media/codecs.hpp"
#include "media/places.hpp"

namespace byteformer::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint64_t kMaxRubbishBytes = 65536;

struct Frame {
  std::size_t num_bytes = 0;
  int sample_rate = 0;
  std::uint64_t num_samples = 0;
  bool is_mono = false;
};

/// The layer III frame whose header stands at `offset`; nothing if there is none.
std::optional<Frame> frame_at(Bytes file, std::uint64_t offset) noexcept {
  constexpr std::array<int, 15> kMpeg1Kbits{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
  constexpr std::array<int, 15> kMpeg2Kbits{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
  constexpr std::array<int, 3> kRates{44100, 48000, 32000};
  if (!base::has_bytes(file, offset, 4)) return std::nullopt;
  const Bytes header = file.subspan(offset, 4);
  if (header[0] != 0xFF || (header[1] & 0xE6) != 0xE2) return std::nullopt;  // in step, layer III
  const int version = header[1] >> 3 & 3;                                    // 3: MPEG 1; 2: MPEG 2; 0: MPEG 2.5
  const std::size_t bit_rate = header[2] >> 4;
  const std::size_t rate = header[2] >> 2 & 3;
  if (version == 1 || bit_rate == 0 || bit_rate == 15 || rate == 3) return std::nullopt;
  Frame frame;
  frame.sample_rate = kRates[rate] / (version == 3 ? 1 : version == 2 ? 2 : 4);
  frame.num_samples = version == 3 ? 1152 : 576;
  const int kbits = (version == 3 ? kMpeg1Kbits : kMpeg2Kbits)[bit_rate];
  const int padding = header[2] >> 1 & 1;
  frame.num_bytes =
      frame.num_samples / 8 * static_cast<std::size_t>(kbits) * 1000 / static_cast<std::size_t>(frame.sample_rate) +
      static_cast<std::size_t>(padding);
  frame.is_mono = header[3] >> 6 == 3;
  return frame;
}

/// Calls `see` with each frame from `at` on and its offset until it returns false, the last one perhaps cut short.
/// \return where the frames end
template <typename See>
std::uint64_t for_each_frame(Bytes file, std::uint64_t at, const See& see) {
  for (auto frame = frame_at(file, at); frame && see(*frame, at); frame = frame_at(file, at)) at += frame->num_bytes;
  return at;
}

/// Whether the frame at `at` tells of those that follow (Xing, Info, VBRI), as an encoder begins a file.
bool begins_a_file(Bytes file, std::uint64_t at) noexcept {
  const bool is_mpeg1 = (file[at + 1] & 0x08) != 0, is_mono = file[at + 3] >> 6 == 3;
  const std::uint64_t side_bytes = is_mpeg1 ? (is_mono ? 17 : 32) : (is_mono ? 9 : 17);
  return base::has_tag(file, at + 4 + side_bytes, "Xing") || base::has_tag(file, at + 4 + side_bytes, "Info") ||
         base::has_tag(file, at + 36, "VBRI");
}

/// Where frames go on at or after `at`, behind rubbish of a length that decoders bridge; the file's size if they do
/// not.
std::uint64_t next_frames(Bytes file, std::uint64_t at, int sample_rate) noexcept {
  const std::uint64_t end = std::min<std::uint64_t>(file.size(), at + kMaxRubbishBytes);
  for (; at < end; ++at) {
    const auto frame = frame_at(file, at);
    if (frame && frame->sample_rate == sample_rate && frame_at(file, at + frame->num_bytes)) return at;
  }
  return file.size();
}

}  // namespace

bool is_mp3(Bytes file) noexcept {
  const auto first = frame_at(file, 0);
  return first && (file.size() < first->num_bytes + 4 || frame_at(file, first->num_bytes));
}

/// Whole frames; several files that were joined are parts. What follows the last frame may be anything but a sound.
void look_at_mp3(SoundFile& file) {
  const Bytes bytes = file.bytes;
  std::uint64_t begin = 0, end = 0;  // of a part
  const auto end_part = [&] {
    if (end > begin) file.parts.push_back(bytes.subspan(begin, end - begin));
  };
  for (std::uint64_t at = 0; at < bytes.size();) {
    int sample_rate = 0;
    end = for_each_frame(bytes, at, [&](const Frame& frame, std::uint64_t offset) {
      require_bytes(file, offset + frame.num_bytes);
      if (offset > begin && begins_a_file(bytes, offset)) {
        end = offset;
        end_part();
        begin = offset;
      }
      file.num_expected += frame.num_samples;
      sample_rate = frame.sample_rate;
      return true;
    });
    at = behind_tags(bytes, end);
    if (at > end && is_mp3(bytes.subspan(at))) {
      end_part();
      begin = at;
    } else {
      at = next_frames(bytes, end, sample_rate);
    }
  }
  end_part();
  refuse_another(file, end);
}

FileBytes encode_mp3(const Sound& sound, std::optional<int> kbit_per_s) {
  const auto memory = memory_to_encode(sound);
  return codecs().encode_mp3(sound, kbit_per_s);
}

bool OwnMp3::can_hold(std::uint64_t num_samples) const noexcept {
  const std::uint64_t filled = (num_samples + samples_per_frame - 1) / samples_per_frame;
  // LAME's delay needs two frames more at 576 samples per frame, one or two at 1152.
  return num_frames == filled + 2 || (samples_per_frame == 1152 && num_frames == filled + 1);
}

void OwnMp3Walk::push(Bytes piece) noexcept {
  while (is_own_ && !piece.empty()) {
    const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), num_to_come_));
    num_to_come_ -= skipped;
    piece = piece.subspan(skipped);
    while (!piece.empty() && num_header_bytes_ < header_.size()) {
      header_[num_header_bytes_++] = piece.front();
      piece = piece.subspan(1);
    }
    if (num_header_bytes_ == header_.size()) see_header();
  }
}

void OwnMp3Walk::see_header() noexcept {
  num_header_bytes_ = 0;
  const auto frame = frame_at(header_, 0);
  if (frame && own_.num_frames == 0) own_ = {frame->sample_rate, 0, frame->num_samples};
  is_own_ = frame && frame->is_mono && frame->sample_rate == own_.sample_rate && frame->num_bytes >= header_.size();
  if (!is_own_) return;
  ++own_.num_frames;
  num_to_come_ = frame->num_bytes - header_.size();
}

std::optional<OwnMp3> OwnMp3Walk::result() const noexcept {
  const bool is_whole = own_.num_frames > 0 && num_header_bytes_ == 0 && num_to_come_ == 0;
  return is_own_ && is_whole ? std::optional(own_) : std::nullopt;
}

std::optional<OwnMp3> own_mp3(Bytes file) noexcept {
  OwnMp3Walk walk;
  walk.push(file);
  return walk.result();
}

std::optional<SoundPlaces> mp3_places(Bytes file) {
  SoundPlaces places;
  for_each_frame(file, behind_tags(file, 0), [&](const Frame& frame, std::uint64_t at) {
    if (!base::has_bytes(file, at, frame.num_bytes)) return false;
    places.samples_per_block = frame.num_samples;
    places.parts.push_back({{at, at + frame.num_bytes}, static_cast<std::uint32_t>(places.num_blocks++)});
    return true;
  });
  if (places.num_blocks == 0) return std::nullopt;
  return places;
}

}  // namespace byteformer::media
