// Zip archives: what we write we read, and what lies is refused.
#include "interop/zip.hpp"

#include <gtest/gtest.h>

#include "support/errors.hpp"
#include "support/files.hpp"

namespace byteformer::interop {
namespace {

using test::as_bytes;
using test::expect_error;
using test::little_endian;

constexpr std::size_t kEndBytes = 22;
constexpr const char* kDirectoryHeader = "PK\x01\x02";
constexpr const char* kLocalHeader = "PK\x03\x04";

std::string archive(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out;
  ZipWriter zip([&out](std::span<const std::byte> bytes) {
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  for (const auto& [name, content] : entries) zip.add(name, as_bytes(content));
  zip.finish();
  return out;
}

std::string small_archive() { return archive({{"d/a", "first"}, {"d/b", "second"}}); }

/// `zip` with `bytes` written `offset` bytes after the `nth` header that starts with `signature`.
std::string patched(std::string zip, const char* signature, int nth, std::size_t offset, const std::string& bytes) {
  std::size_t at = zip.find(signature);
  while (nth-- > 0) at = zip.find(signature, at + 1);
  return zip.replace(at + offset, bytes.size(), bytes);
}

std::string patched_end(std::string zip, std::size_t offset, const std::string& bytes) {
  return zip.replace(zip.size() - kEndBytes + offset, bytes.size(), bytes);
}

void expect_refused(const std::string& zip, std::string_view part, ErrorCode code = ErrorCode::kInvalidFormat) {
  expect_error(code, {"x.pt", part}, [&] {
    const ZipReader reader(as_bytes(zip), "x.pt");
    for (const auto& [name, entry] : reader.entries()) reader.read(name);
  });
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(ZipTest, ReadsWhatItWrites) {
  const std::string zip = archive({{"d/a", "first"}, {"d/b", std::string(1000, 'x')}, {"d/empty", ""}});
  const ZipReader reader(as_bytes(zip), "t");
  EXPECT_EQ(reader.entries().size(), 3U);
  EXPECT_EQ(text_of(reader.read("d/a")), "first");
  EXPECT_EQ(text_of(reader.read("d/b")), std::string(1000, 'x'));
  EXPECT_EQ(reader.read("d/empty").size(), 0U);
  expect_error(ErrorCode::kInvalidFormat, {"no entry d/c"}, [&] { reader.read("d/c"); });
}

TEST(ZipTest, AlignsData) {
  const std::string zip = archive({{"a", "1"}, {"bb", "22"}, {"ccc", "333"}, {std::string(63, 'd'), "4"}});
  const ZipReader reader(as_bytes(zip), "t");
  for (const auto& [name, entry] : reader.entries())
    EXPECT_EQ(static_cast<std::size_t>(reader.read(name).data() - as_bytes(zip).data()) % 64, 0U) << name;
}

TEST(ZipTest, ReadsAnEmptyArchiveAndAComment) {
  const std::string empty = archive({});
  EXPECT_EQ(ZipReader(as_bytes(empty), "t").entries().size(), 0U);
  const std::string commented = patched_end(small_archive(), 20, little_endian(7, 2)) + "comment";
  EXPECT_EQ(text_of(ZipReader(as_bytes(commented), "t").read("d/b")), "second");
}

TEST(ZipTest,
     TakesSizesFromTheDirectory) {  // as torch writes them: local headers are zero, descriptors follow the data
  const std::string zip = patched(small_archive(), kLocalHeader, 0, 14, std::string(12, '\0'));
  EXPECT_EQ(text_of(ZipReader(as_bytes(zip), "t").read("d/a")), "first");
}

/// small_archive with a zip64 end record and locator; the plain end record only points there if `is_hidden`.
std::string zip64_archive(bool is_hidden, std::uint64_t num_entries = 2) {
  std::string zip = small_archive();
  std::string end = zip.substr(zip.size() - kEndBytes);
  zip.resize(zip.size() - kEndBytes);
  const std::string record_offset = little_endian(zip.size(), 8);
  const std::string directory_offset = end.substr(16, 4) + std::string(4, '\0');
  const std::string directory_size = end.substr(12, 4) + std::string(4, '\0');
  zip += "PK\x06\x06" + little_endian(44, 8) + little_endian(45, 2) + little_endian(45, 2) + little_endian(0, 8) +
         little_endian(num_entries, 8) + little_endian(num_entries, 8) + directory_size + directory_offset;
  zip += "PK\x06\x07" + little_endian(0, 4) + record_offset + little_endian(1, 4);
  return zip + (is_hidden ? end.replace(8, 12, std::string(12, '\xFF')) : end);
}

TEST(ZipTest, ReadsZip64EndRecords) {
  for (const bool is_hidden : {false, true}) {
    const std::string zip = zip64_archive(is_hidden);
    EXPECT_EQ(text_of(ZipReader(as_bytes(zip), "t").read("d/b")), "second");
  }
  expect_refused(zip64_archive(true, UINT64_MAX), "the zip directory");
}

TEST(ZipTest, ReadsZip64Fields) {
  std::string zip = small_archive();
  const std::size_t first = zip.find(kDirectoryHeader);
  const std::size_t extra_at = first + 46 + 3;  // after the name
  const std::string field = little_endian(1, 2) + little_endian(16, 2) + little_endian(5, 8) + little_endian(5, 8);
  zip.replace(first + 20, 8, std::string(8, '\xFF')).replace(first + 30, 2, little_endian(field.size(), 2));
  zip.insert(extra_at, field);
  const std::uint32_t directory_size = static_cast<std::uint32_t>(zip.size() - kEndBytes - first);
  zip = patched_end(zip, 12, little_endian(directory_size, 4));
  EXPECT_EQ(text_of(ZipReader(as_bytes(zip), "t").read("d/a")), "first");
  zip.replace(extra_at + 4, 8, little_endian(UINT64_MAX, 8)).replace(extra_at + 12, 8, little_endian(UINT64_MAX, 8));
  expect_refused(zip, "18446744073709551615 bytes wanted");
}

TEST(ZipTest, RefusesWhatIsNoArchive) {
  expect_refused("", "no end record");
  expect_refused("PK\x03\x04 but no more", "no end record");
  expect_refused(small_archive().substr(0, 100), "no end record");
  expect_refused(small_archive() + "trailing", "no end record");
}

TEST(ZipTest, RefusesEndRecordsThatLie) {
  const std::string zip = small_archive();
  expect_refused(patched_end(zip, 4, little_endian(1, 2)), "several disks", ErrorCode::kUnsupported);
  expect_refused(patched_end(zip, 8, little_endian(1, 2)), "several disks", ErrorCode::kUnsupported);
  expect_refused(patched_end(zip, 8, little_endian(0xFFFF, 2) + little_endian(0xFFFF, 2)), "cut off or lies");
  expect_refused(patched_end(zip, 8, little_endian(1, 2) + little_endian(1, 2)), "bytes after its 1 entries");
  expect_refused(patched_end(zip, 12, little_endian(0xFFFFFFF0, 4)), "the zip directory would take");
  expect_refused(patched_end(zip, 16, little_endian(0xFFFFFFF0, 4)), "the zip directory would take");
  expect_refused(patched_end(zip, 16, little_endian(0, 4)), "no header where one should be");
}

TEST(ZipTest, RefusesEntriesThatLie) {
  const std::string zip = small_archive();
  const auto directory = [&](std::size_t offset, const std::string& bytes) {
    return patched(zip, kDirectoryHeader, 1, offset, bytes);
  };
  const auto huge = little_endian(0x7FFFFFFF, 4);
  expect_refused(directory(8, little_endian(1, 2)), "encrypted", ErrorCode::kUnsupported);
  expect_refused(directory(10, little_endian(8, 2)), "compressed (method 8)", ErrorCode::kUnsupported);
  expect_refused(directory(16, little_endian(1, 4)), "entry d/b is damaged");
  expect_refused(directory(20, little_endian(5, 4)), "would take 5 bytes for 6");
  expect_refused(directory(20, huge + huge), "2147483647 bytes wanted");
  expect_refused(directory(28, little_endian(0xFFFF, 2)), "cut off or lies");
  expect_refused(directory(34, little_endian(1, 2)), "several disks", ErrorCode::kUnsupported);
  expect_refused(directory(42, huge), "would begin at offset 2147483647");
  expect_refused(directory(42, little_endian(1, 4)), "no header at offset 1");
  expect_refused(directory(42, little_endian(0, 4)), "another name in its own header");
  expect_refused(directory(46, "d/a"), "another name in its own header");
  expect_refused(patched(zip, kLocalHeader, 1, 28, little_endian(0xFFFF, 2)), "cut off or lies");
}

TEST(ZipTest, RefusesDuplicatesAndOverlap) {
  expect_refused(archive({{"a", "1"}, {"a", "2"}}), "lists a twice");
  const std::string zip = archive({{"a", "1"}, {"b", std::string(200, 'x')}});
  const auto longer = little_endian(200, 4) + little_endian(200, 4);
  expect_refused(patched(zip, kDirectoryHeader, 0, 20, longer), "entry b overlaps");
}

}  // namespace
}  // namespace byteformer::interop
