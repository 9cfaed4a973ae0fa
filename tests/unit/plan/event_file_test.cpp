// Event files as TensorBoard reads them: framing, checksums, content.
#include "plan/event_file.hpp"

#include <gtest/gtest.h>

#include "support/files.hpp"
#include "support/temporary_folder.hpp"
#include "tensorboard.pb.h"

namespace byteformer::plan {
namespace {

std::uint64_t number(const std::string& bytes, std::size_t at, int size) {
  std::uint64_t value = 0;
  for (int i = 0; i < size; ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)])) << (8 * i);
  return value;
}

/// The events of a file whose checksums all hold.
std::vector<tensorboard::Event> read_events(const std::filesystem::path& path) {
  const std::string bytes = test::read_file(path);
  const auto expect_checksum = [&](std::size_t at, std::string_view of) {
    const auto unmasked = static_cast<std::uint32_t>(number(bytes, at, 4)) - 0xA282EAD8U;
    EXPECT_EQ((unmasked >> 17) | (unmasked << 15), crc32c(of));
  };
  std::vector<tensorboard::Event> events;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = number(bytes, at, 8);
    expect_checksum(at + 8, std::string_view(bytes).substr(at, 8));
    expect_checksum(at + 12 + length, std::string_view(bytes).substr(at + 12, length));
    EXPECT_TRUE(events.emplace_back().ParseFromString(bytes.substr(at + 12, length)));
    at += 16 + length;
  }
  return events;
}

std::filesystem::path only_file(const std::filesystem::path& folder) {
  return std::filesystem::directory_iterator(folder)->path();
}

TEST(EventFileTest, ChecksumOfTheStandardsExamples) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);            // the check value of CRC-32C
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);  // RFC 3720, B.4
}

TEST(EventFileTest, HoldsWhatWasAdded) {
  const test::TemporaryFolder folder;
  {
    EventFile file(folder.path(), 0);
    file.add(3, {{"train/loss", 0.5}, {"train/learning_rate", 0.25}});
  }
  const auto events = read_events(only_file(folder.path()));
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].file_version(), "brain.Event:2");
  EXPECT_EQ(events[1].step(), 3);
  ASSERT_EQ(events[1].summary().value_size(), 2);
  EXPECT_EQ(events[1].summary().value(0).tag(), "train/loss");
  EXPECT_EQ(events[1].summary().value(0).simple_value(), 0.5f);
}

TEST(EventFileTest, AResumedRunTellsTensorBoardToForgetLaterSteps) {
  const test::TemporaryFolder folder;
  { EventFile file(folder.path(), 40); }
  const auto events = read_events(only_file(folder.path()));
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].step(), 40);
  EXPECT_EQ(events[1].session_log().status(), tensorboard::SessionLog::START);
}

}  // namespace
}  // namespace byteformer::plan
