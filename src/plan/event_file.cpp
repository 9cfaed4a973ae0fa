// Frames TensorBoard's records: length, CRC-32C, protocol buffer.
#include "plan/event_file.hpp"

#include <unistd.h>

#include <array>
#include <chrono>

#include "base/bytes_io.hpp"
#include "base/file_io.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "tensorboard.pb.h"

namespace byteformer::plan {
namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0);
    table[i] = crc;
  }
  return table;
}

/// Record files mask their checksums, so that a checksum of data that holds checksums stays meaningful.
std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8U;
}

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

}  // namespace

std::uint32_t crc32c(std::string_view bytes) noexcept {
  static constexpr std::array<std::uint32_t, 256> kTable = make_crc_table();
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  return ~crc;
}

EventFile::EventFile(const std::filesystem::path& folder, std::int64_t first_step) {
  char host[256] = "localhost";
  gethostname(host, sizeof(host) - 1);
  const std::filesystem::path path =
      folder / base::joined("events.out.tfevents.", static_cast<std::int64_t>(now()), ".", host, ".", getpid());
  out_.open(path, std::ios::binary | std::ios::app);
  if (!out_) throw Error(ErrorCode::kIo, base::printable(path) + ": cannot be written");
  tensorboard::Event version;
  version.set_wall_time(now());
  version.set_file_version("brain.Event:2");
  write(version.SerializeAsString());
  if (first_step == 0) return;
  tensorboard::Event start;
  start.set_wall_time(now());
  start.set_step(first_step);
  start.mutable_session_log()->set_status(tensorboard::SessionLog::START);
  write(start.SerializeAsString());
}

void EventFile::add(std::int64_t step, const std::vector<std::pair<std::string, double>>& values) {
  tensorboard::Event event;
  event.set_wall_time(now());
  event.set_step(step);
  for (const auto& [tag, number] : values) {
    tensorboard::Summary::Value* value = event.mutable_summary()->add_value();
    value->set_tag(tag);
    value->set_simple_value(static_cast<float>(number));
  }
  write(event.SerializeAsString());
}

void EventFile::write(const std::string& event) {
  std::string record;
  base::append_little_endian(record, event.size(), 8);
  base::append_little_endian(record, masked_crc(record), 4);
  record += event;
  base::append_little_endian(record, masked_crc(event), 4);
  out_ << record << std::flush;
}

}  // namespace byteformer::plan
