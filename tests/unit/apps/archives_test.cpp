// Archives as inputs and outputs of the commands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <sstream>

#include "data/archives.hpp"
#include "exit_status.hpp"
#include "folder_test.hpp"
#include "run_program.hpp"
#include "support/tar.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;
using test::tar_end;
using test::tar_file;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Arguments = std::vector<std::string>;

class ArchivesCommandTest : public FolderTest {
 protected:
  static std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }

  /// What is answered about `inputs`, with `from` of paths replaced.
  static std::string without(std::string text, const std::string& from) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at))
      text.erase(at, from.size());
    return text;
  }
};

TEST_F(ArchivesCommandTest, MembersAreAnsweredAsFilesAre) {
  for (const char* preprocess : {"", kFhwc8}) {
    const std::string model = nano_model(folder_ / ("model" + std::to_string(*preprocess)), preprocess);
    std::string archive;
    for (unsigned i = 0; i < 5; ++i) {
      const std::string name = "p/" + std::to_string(i) + ".ppm";
      const std::string picture = some_picture(9 + static_cast<int>(i), 8, i);
      put("in/" + name, picture);
      archive += tar_file(name, picture);
    }
    const std::string large((std::size_t{1} << 20) + 1, 'x');  // streams, where files are read as they are
    put("in/q/large", large);
    archive += tar_file("q/large", large);
    put("in.tar", archive + tar_end());
    const Outcome files = run_program({"classify", "-m", model, "--jsonl", "--logits", "-r", at("in")});
    const Outcome members = run_program({"classify", "-m", model, "--jsonl", "--logits", "--tar", at("in.tar")});
    EXPECT_EQ(members.status, files.status);
    EXPECT_EQ(without(members.out, at("in.tar")), without(files.out, at("in")));
  }
}

TEST_F(ArchivesCommandTest, AnArchiveIsAFileUnlessItIsOpened) {
  const std::string model = nano_model(folder_ / "model", "");
  put("in.tar", tar_file("a", "bytes") + tar_end());
  EXPECT_THAT(run_program({"classify", "-m", model, "--jsonl", at("in.tar")}).out, HasSubstr(R"("bytes":2048)"));
}

TEST_F(ArchivesCommandTest, WhatIsWrongIsARow) {
  const std::string model = nano_model(folder_ / "model", "");
  put("cut.tar", (tar_file("a", "bytes") + tar_file("b", std::string(2000, 'b'))).substr(0, 2500));
  put("open.tar", tar_file("../evil", "x") + tar_file("c", "x"));
  const Outcome outcome =
      run_program({"classify", "-m", model, "--jsonl", "--tar", at("cut.tar"), at("open.tar"), at("no-{0..1}.tar")});
  EXPECT_EQ(outcome.status, kExitInputFailed);
  const std::vector<std::string> lines = lines_of(outcome.out);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"cut.tar/a", "ok"},      {"cut.tar", "ends within b"},          {"open.tar/../evil", "leads out"},
      {"open.tar/c", "ok"},     {"open.tar", "may have been cut off"}, {"no-0.tar", "not_found"},
      {"no-1.tar", "not_found"}};
  ASSERT_EQ(lines.size(), expected.size()) << outcome.out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_THAT(lines[i], StartsWith(R"({"path":")" + at(expected[i].first) + '"'));
    EXPECT_THAT(lines[i], HasSubstr(expected[i].second));
  }
}

TEST_F(ArchivesCommandTest, ShardsShareArchivesOut) {
  const std::string model = nano_model(folder_ / "model", "");
  for (int i = 0; i < 8; ++i)
    put("in/" + std::to_string(i) + ".tar", tar_file("a", "x") + tar_file("b", "y") + tar_end());
  for (const char* shard : {"0/3", "1/3", "2/3"})
    run_program({"classify", "-m", model, "-r", at("in"), "--tar", "--shard", shard, "--output-dir", at("out")});
  ::signal(SIGTERM, SIG_DFL);  // which a shard waits for in this process
  const Outcome gathered = run_program({"gather", at("out")});
  std::vector<std::string> paths;
  for (const std::string& line : lines_of(gathered.out)) paths.push_back(line.substr(0, line.find(',')));
  std::ranges::sort(paths);
  EXPECT_EQ(paths.size(), 16U);
  EXPECT_EQ(std::ranges::adjacent_find(paths), paths.end());
}

TEST_F(ArchivesCommandTest, OnlyNamesOfTwoArchivesAreToldApart) {
  const auto picture = [](unsigned seed) { return some_picture(9, 8, seed); };
  put("a.tar", tar_file("x.ppm", picture(1)) + tar_file("x.ppm", picture(2)) + tar_file("b-x.ppm", picture(3)) +
                   tar_end());
  put("b.tar", tar_file("x.ppm", picture(4)) + tar_file("y.ppm", picture(5)) + tar_end());
  const Outcome outcome = run_program(
      {"encode", "--tar", "--to", "png", "--files-per-archive", "9", "-o", at("o.tar"), at("a.tar"), at("b.tar")});
  EXPECT_EQ(outcome.status, kExitInputFailed);
  EXPECT_THAT(outcome.err, HasSubstr("a.tar/x.ppm: would be x.png, which another input is"));
  EXPECT_THAT(outcome.err, HasSubstr("b.tar/x.ppm: would be b-x.png"));
  const std::string model = nano_model(folder_ / "model", "");
  const Outcome members = run_program({"classify", "-m", model, "--jsonl", "--tar", at("o.tar")});
  for (const char* name : {"o.tar/x.png", "o.tar/b-x.png", "o.tar/y.png"}) EXPECT_THAT(members.out, HasSubstr(name));
}

TEST_F(ArchivesCommandTest, EncodeWritesRowsOfArchives) {
  for (unsigned i = 0; i < 5; ++i)
    put("in/c" + std::to_string(i % 2) + "/" + std::to_string(i) + ".ppm", some_picture(9, 8, i));
  put("in/c0/broken.ppm", "P6\n");
  const Arguments encode{"encode", "-r", at("in"), "--to", "png", "--files-per-archive", "2"};
  const auto run_into = [&](const std::string& output, const Arguments& more = {}) {
    Arguments all = encode;
    all.insert(all.end(), {"-o", at(output)});
    all.insert(all.end(), more.begin(), more.end());
    return run_program(all);
  };
  EXPECT_EQ(run_into("s-%03d.tar").status, kExitInputFailed) << "one is broken";
  EXPECT_TRUE(fs::exists(at("s-002.tar")));
  EXPECT_FALSE(fs::exists(at("s-003.tar")));
  EXPECT_EQ(run_into("s-%03d.tar").status, kExitFailure) << "they exist";
  EXPECT_EQ(run_into("s-%03d.tar", {"--force"}).status, kExitInputFailed);
  run_into("t-%d.tar");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(test::read_file(at("s-00" + std::to_string(i) + ".tar")),
              test::read_file(at("t-" + std::to_string(i) + ".tar")));
  const Outcome shorter = run_program({"encode", "-r", at("in"), "--to", "png", "--files-per-archive", "4", "--force",
                                       "-o", at("s-%03d.tar")});
  EXPECT_THAT(shorter.err, HasSubstr("removed 1 archive of an earlier row, from " + at("s-002.tar")));
  EXPECT_TRUE(fs::exists(at("s-001.tar")));
  EXPECT_FALSE(fs::exists(at("s-002.tar")));
  run_into("s-%03d.tar", {"--force"});
  run_program({"encode", "-r", at("in"), "--to", "png", "-o", at("folder")});
  run_program({"encode", "--tar", at("s-{000..002}.tar"), "--to", "png", "-o", at("again")});
  for (const char* name : {"c0/0.png", "c0/2.png", "c0/4.png", "c1/1.png", "c1/3.png"})
    EXPECT_EQ(test::read_file(at(std::string("again/") + name)), test::read_file(at(std::string("folder/") + name)))
        << name;
}

TEST_F(ArchivesCommandTest, EncodeKeepsLabelsAndNamesThatBeginAnewInEachArchive) {
  for (unsigned i = 0; i < 2; ++i)
    put("in/v1." + std::to_string(i) + ".tar",
        tar_file("k/0.cls", "cat") + tar_file("k/0.ppm", some_picture(9, 8, i)) + tar_file("k/0.txt", "a cat") +
            tar_end());
  const Outcome outcome =
      run_program({"encode", "--tar", at("in/v1.{0,1}.tar"), "--to", "png", "-o", at("out.tar"), "--no-progress"});
  EXPECT_EQ(outcome.status, kExitOk) << outcome.err;
  std::vector<std::pair<std::string, std::string>> labelled;
  for (const data::ArchivedFile& file : data::list_archive(at("out.tar")).files)
    labelled.emplace_back(file.name, file.label.value_or(""));
  EXPECT_THAT(labelled, testing::ElementsAre(testing::Pair("k/0.png", "cat"), testing::Pair("k/v1_1-0.png", "cat")));
}

TEST_F(ArchivesCommandTest, EncodeGivesEachLabelItsPlace) {
  for (unsigned i = 0; i < 2; ++i)
    put("in/" + std::to_string(i) + ".tar",
        tar_file("0.cls", i == 0 ? "cat" : "dog") +
            tar_file("0.camera" + std::to_string(i) + ".ppm", some_picture(9, 8, i)) + tar_end());
  const Outcome outcome = run_program({"encode", "--tar", at("in/{0,1}.tar"), "--to", "png", "-o", at("out.tar")});
  EXPECT_EQ(outcome.status, kExitOk) << outcome.err;
  std::vector<std::pair<std::string, std::string>> labelled;
  for (const data::ArchivedFile& file : data::list_archive(at("out.tar")).files)
    labelled.emplace_back(file.name, file.label.value_or(""));
  EXPECT_THAT(labelled,
              testing::ElementsAre(testing::Pair("0.camera0.png", "cat"), testing::Pair("1-0.camera1.png", "dog")));
}

TEST_F(ArchivesCommandTest, NamesOfRowsAreChecked) {
  for (const char* name : {"s-%s.tar", "s-%3d.tar", "s-%03d-%03d.tar", "s-%.tar", "s.tar.gz", "s-%03d"}) {
    put("a.ppm", some_picture(8, 8, 1));
    const Outcome outcome =
        run_program({"encode", at("a.ppm"), "--to", "png", "--files-per-archive", "2", "-o", at(name)});
    EXPECT_EQ(outcome.status, kExitUsage) << name;
  }
}

}  // namespace
}  // namespace byteformer::cli
