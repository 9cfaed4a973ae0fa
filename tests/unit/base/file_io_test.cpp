// Files that are missing, special, growing or shrinking, and output that appears whole or not at all.
#include "base/file_io.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include "byteformer/error.hpp"

namespace byteformer::base {
namespace {

class FileIo : public ::testing::Test {
 protected:
  FileIo() {
    std::string pattern = (std::filesystem::temp_directory_path() / "file_io_XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
  }
  ~FileIo() override { std::filesystem::remove_all(dir_); }

  std::filesystem::path write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ / name, std::ios::binary) << text;
    return dir_ / name;
  }

  template <typename Action>
  static Error error_of(const Action& action) {
    try {
      action();
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::kInternal, "no error"};
  }
  template <typename Action>
  static ErrorCode code_of(const Action& action) {
    return error_of(action).code();
  }

  /// What read_text_file() makes of a pipe that is open, whose writer is gone.
  static std::string read_pipe(const std::string& content, std::size_t max_bytes) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    const Descriptor out(ends[0]);
    Descriptor in(ends[1]);
    EXPECT_EQ(::write(in.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
    in.close();
    return read_text_file("/dev/fd/" + std::to_string(out.get()), max_bytes);
  }

  std::filesystem::path dir_;
};

TEST_F(FileIo, FifosAreReadUpToABound) {
  const auto path = dir_ / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto read_what = [&](const std::string& content, std::size_t max_bytes) {
    std::thread writer([&] { std::ofstream(path) << content; });
    const std::vector<std::uint8_t> bytes = read_fifo(path, max_bytes);
    writer.join();
    return std::string(bytes.begin(), bytes.end());
  };
  EXPECT_EQ(read_what("", 5), "");
  EXPECT_EQ(read_what("abc", 5), "abc");
  EXPECT_EQ(read_what("abcdefg", 5), "abcde");
  EXPECT_EQ(code_of([&] { read_fifo(dir_ / "missing", 5); }), ErrorCode::kNotFound);
  for (const std::filesystem::path& other : {dir_, std::filesystem::path("/dev/zero")})
    EXPECT_EQ(code_of([&] { read_fifo(other, 5); }), ErrorCode::kNotARegularFile);
}

TEST_F(FileIo, SpecialFilesAreNamed) {
  ::mkfifo((dir_ / "fifo").c_str(), 0600);
  EXPECT_EQ(code_of([&] { InputFile file(dir_ / "fifo"); }), ErrorCode::kNotARegularFile);
  EXPECT_EQ(code_of([&] { InputFile file(dir_); }), ErrorCode::kNotARegularFile);
  EXPECT_EQ(code_of([&] { InputFile file("/dev/zero"); }), ErrorCode::kNotARegularFile);
  EXPECT_EQ(code_of([&] { InputFile file(dir_ / "missing"); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { InputFile file(dir_ / "missing" / "deeper"); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { MappedFile file(dir_); }), ErrorCode::kNotARegularFile);
  for (const auto& path : {dir_ / "fifo", dir_, dir_ / "missing"}) read_ahead(path, 100);  // returns, whatever it is
}

TEST_F(FileIo, ReadsInPieces) {
  const auto path = write("file", "hello world");
  InputFile file(path);
  std::vector<std::uint8_t> piece(4);
  EXPECT_EQ(file.read(piece), 4u);
  EXPECT_EQ(file.read(piece), 4u);
  EXPECT_EQ(file.read(piece), 3u);
  EXPECT_EQ(MappedFile(path).bytes().size(), 11u);
  EXPECT_EQ(MappedFile(write("empty", "")).bytes().size(), 0u);
}

TEST_F(FileIo, ReadsPartsOfAMappedFile) {
  const auto path = write("file", "hello world");
  const MappedFile file(path);
  std::array<std::byte, 5> part{};
  file.read(file.bytes().subspan(6), part.data());
  EXPECT_EQ(std::memcmp(part.data(), "world", 5), 0);
  file.read(file.bytes().first(0), part.data());
  EXPECT_EQ(std::memcmp(part.data(), "world", 5), 0);
  std::filesystem::resize_file(path, 8);
  EXPECT_EQ(code_of([&] { file.read(file.bytes().subspan(6), part.data()); }), ErrorCode::kFileChanged);
}

TEST_F(FileIo, GrowthAndShrinkageAreErrors) {
  const auto path = write("file", std::string(100, 'x'));
  std::vector<std::uint8_t> all(200);
  InputFile shrinking(path);
  ::truncate(path.c_str(), 50);
  EXPECT_EQ(code_of([&] { shrinking.read(all); }), ErrorCode::kFileChanged);
  InputFile growing(path);
  std::ofstream(path, std::ios::app) << "more";
  EXPECT_EQ(code_of([&] { growing.read(all); }), ErrorCode::kFileChanged);
}

TEST_F(FileIo, AStretchIsAFileOfItsOwn) {
  const auto path = write("file", "0123456789");
  InputFile stretch(path, {.offset = 3, .size = 4}, "name");
  EXPECT_EQ(stretch.size(), 4U);
  std::vector<std::uint8_t> bytes(3);
  EXPECT_EQ(stretch.read(bytes), 3U);
  EXPECT_EQ(bytes[0], '3');
  EXPECT_EQ(stretch.read(bytes), 1U);
  EXPECT_EQ(bytes[0], '6');
  EXPECT_EQ(stretch.read(bytes), 0U);
  InputFile cut(path, {.offset = 8, .size = 4}, "name");
  EXPECT_EQ(code_of([&] { cut.read(bytes); }), ErrorCode::kFileChanged);
}

TEST_F(FileIo, TextFilesAreBounded) {
  const auto path = write("file", std::string(100, 'x'));
  EXPECT_EQ(read_text_file(path, 100), std::string(100, 'x'));
  EXPECT_EQ(code_of([&] { read_text_file(path, 99); }), ErrorCode::kInvalidFormat);
}

TEST_F(FileIo, TextComesOutOfAPipeThatIsOpen) {
  EXPECT_EQ(read_pipe("a key\n", 100), "a key\n");
  EXPECT_EQ(read_pipe("", 100), "");
  EXPECT_EQ(read_pipe("12345", 5), "12345");
  EXPECT_EQ(code_of([] { read_pipe("123456", 5); }), ErrorCode::kInvalidFormat);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const Descriptor out(ends[0]);
  Descriptor in(ends[1]);
  std::thread writer([&] {  // which is waited for, however slow it is
    for (const char* part : {"one ", "two"}) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      EXPECT_GT(::write(in.get(), part, std::strlen(part)), 0);
    }
    in.close();
  });
  EXPECT_EQ(read_text_file("/proc/self/fd/" + std::to_string(out.get()), 100), "one two");
  writer.join();
}

TEST_F(FileIo, OtherFifosHoldNoText) {
  const auto fifo = dir_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const std::filesystem::path& path : {fifo, std::filesystem::path("/dev/zero")}) {  // and nobody waits
    const Error error = error_of([&] { read_text_file(path, 100); });
    EXPECT_EQ(error.code(), ErrorCode::kNotARegularFile);
    EXPECT_EQ(std::string(error.what()).find('`'), std::string::npos) << error.what();  // nothing here is classified
  }
  EXPECT_NE(std::string(error_of([&] { InputFile file(fifo); }).what()).find("into `-`"), std::string::npos);
  // One that is open, but that nobody writes to.
  const Descriptor open(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_EQ(read_text_file("/dev/fd/" + std::to_string(open.get()), 100), "");
}

TEST_F(FileIo, AnEmptyPathIsSaidToBeEmpty) {
  const std::filesystem::path nowhere;
  const Error error = error_of([&] { InputFile file(nowhere); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_STREQ(about(nowhere, error).what(), "the path is empty");
  EXPECT_STREQ(error_of([&] { MappedFile file(nowhere); }).what(), "the path is empty");
}

TEST_F(FileIo, AtomicWriteLeavesTheOldFileOnFailure) {
  const auto path = write("file", "old");
  EXPECT_THROW(write_file_atomically(path, [](const auto&) { throw Error(ErrorCode::kInternal, "no"); }), Error);
  EXPECT_EQ(read_text_file(path, 10), "old");
  write_file_atomically(path, "new");
  EXPECT_EQ(read_text_file(path, 10), "new");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_), {}), 1);
  EXPECT_EQ(code_of([&] { write_file_atomically(dir_ / "no" / "file", "x"); }), ErrorCode::kNotFound);
}

TEST_F(FileIo, AnOutputMayBeKeptFromReplacingAnything) {
  const auto path = dir_ / "new";
  write_file_atomically(path, "first", {.replaces = false});
  EXPECT_EQ(code_of([&] { write_file_atomically(path, "second", {.replaces = false}); }), ErrorCode::kAlreadyExists);
  EXPECT_EQ(read_text_file(path, 10), "first");
  std::filesystem::create_symlink("nowhere", dir_ / "link");
  EXPECT_EQ(code_of([&] { write_file_atomically(dir_ / "link", "x", {.replaces = false}); }),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_), {}), 2);
}

TEST_F(FileIo, ALinkStaysAndWhatItLeadsToIsReplaced) {
  const auto path = write("file", "old");
  std::filesystem::create_symlink("file", dir_ / "link");
  write_file_atomically(dir_ / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(dir_ / "link"));
  EXPECT_EQ(read_text_file(path, 10), "new");
  std::filesystem::create_symlink("nowhere", dir_ / "dangling");
  write_file_atomically(dir_ / "dangling", "x");
  EXPECT_EQ(read_text_file(dir_ / "dangling", 10), "x");
}

TEST_F(FileIo, AnOutputThatIsNoFileIsWrittenToAndStaysWhatItIs) {
  const auto fifo = dir_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::vector<std::uint8_t> got;
  std::thread reader([&] { got = read_fifo(fifo, 100); });
  write_file_atomically(fifo, "news");
  reader.join();
  EXPECT_EQ(std::string(got.begin(), got.end()), "news");
  EXPECT_TRUE(std::filesystem::is_fifo(fifo));
  EXPECT_EQ(code_of([&] { write_file_atomically(fifo, "x", {.replaces = false}); }), ErrorCode::kAlreadyExists);
  std::filesystem::create_symlink("/dev/full", dir_ / "full");
  EXPECT_EQ(code_of([&] { write_file_atomically(dir_ / "full", "x"); }), ErrorCode::kIo);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST_F(FileIo, NamesTellTemporaryFiles) {
  for (const char* name : {"model.safetensors.tmp-12-0", "a.tmp-1.tmp-3-4"}) EXPECT_TRUE(is_temporary(name)) << name;
  for (const char* name : {"a.tmp-", "a.tmp-12", "a.tmp-x-0", "a.tmp-1-2-3", ".tmp-1-2", "a.tmp--1", "a.tmp-1-", "a"})
    EXPECT_FALSE(is_temporary(name)) << name;
}

TEST_F(FileIo, TemporaryFilesOfOthersAreNotInTheWay) {  // on other machines processes have the same numbers
  const auto path = dir_ / "new";
  for (unsigned i = 0; i < 100; ++i) {
    const std::string name = "new.tmp-" + std::to_string(::getpid()) + "-" + std::to_string(i);
    EXPECT_TRUE(is_temporary_of(path, write(name, "other")));
  }
  write_file_atomically(path, "mine");
  EXPECT_EQ(read_text_file(path, 10), "mine");
  EXPECT_FALSE(is_temporary_of(path, path));
}

TEST_F(FileIo, TheLongestNamesLeaveRoomForTemporaryOnes) {
  std::string umlauts = "x";  // each of two bytes, and none is cut in half
  for (int i = 0; i < 127; ++i) umlauts += "\xC3\xBC";
  for (const std::string& name : {std::string(255, 'n'), umlauts}) {
    write_file_atomically(dir_ / name, "text");
    EXPECT_EQ(read_text_file(dir_ / name, 10), "text");
    EXPECT_TRUE(is_temporary(temporary_beside(dir_ / name)));
    const std::string temporary = temporary_beside(dir_ / name).filename();
    EXPECT_LE(temporary.size(), 255U);
    EXPECT_TRUE(is_utf8(temporary));
  }
}

TEST_F(FileIo, APrivateOutputIsItsOwnersAlone) {
  const auto path = write("file", "old");
  ::chmod(path.c_str(), 0644);
  const mode_t mask = ::umask(0);
  const auto expect_private = [&](const auto&) {  // the temporary file, too
    for (const auto& entry : std::filesystem::directory_iterator(dir_))
      EXPECT_TRUE(entry.path() == path || entry.status().permissions() == std::filesystem::perms(0600));
  };
  write_file_atomically(path, expect_private, {.is_private = true});
  ::umask(mask);
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
}

TEST_F(FileIo, AHelperFindsWhatWasInstalledWithTheProgram) {
  EXPECT_EQ(folder_of_programs("/usr/bin/byteformer"), "/usr/bin");
  EXPECT_EQ(folder_of_programs("/usr/libexec/byteformer/byteformer-train"), "/usr/bin");
  EXPECT_EQ(folder_of_programs("/home/byteformer/byteformer"), "/home/byteformer");
  EXPECT_EQ(folder_of_programs(""), "");
}

TEST_F(FileIo, PrintableHidesControlCharacters) { EXPECT_EQ(printable("a\nb\x1b[31mc"), "a\\x0ab\\x1b[31mc"); }

}  // namespace
}  // namespace byteformer::base
