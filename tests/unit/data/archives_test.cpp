// Tar archives: where bytes lie, which labels lie beside them, what is wrong with them; and data sets of them.
#include "data/archives.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "data/loader.hpp"
#include "data_folder.hpp"
#include "support/errors.hpp"
#include "support/tar.hpp"

namespace byteformer::data {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::tar_blocks;
using test::tar_end;
using test::tar_file;
using test::tar_header;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Names = std::vector<std::string>;
using Files = std::vector<std::pair<std::string, std::string>>;

std::string tar_of(const Files& files) {
  std::string bytes;
  for (const auto& [name, content] : files) bytes += tar_file(name, content);
  return bytes + tar_end();
}

std::string text_of(const ArchivedFile& file) {
  const auto bytes = read_whole_file(Sample{.path = file.name, .start_s = {}, .place = file.place});
  return {bytes.begin(), bytes.end()};
}

class ArchivesTest : public DataFolderTest {
 protected:
  ArchiveListing list(const std::string& bytes) { return list_archive(folder_.put("a.tar", bytes)); }

  /// "name=content", or "name!" where there is a problem.
  static std::vector<std::string> contents(const ArchiveListing& listing) {
    std::vector<std::string> all;
    for (const ArchivedFile& file : listing.files)
      all.push_back(file.name + (file.problem.empty() ? "=" + text_of(file) : "!"));
    return all;
  }
};

TEST_F(ArchivesTest, BytesAreReadWhereTheyLie) {
  const std::string long_name = "folder/" + std::string(150, 'n');
  const std::string pax = "14 path=caf\xc3\xa9\n";
  const ArchiveListing listing = list(
      tar_header({.name = "folder/", .type = '5'}) + tar_file("./folder/a", "bytes of a") +
      tar_file("b", std::string(1000, 'b')) +
      tar_header({.name = "@LongLink", .num_bytes = long_name.size() + 1, .type = 'L'}) + tar_blocks(long_name + '\0') +
      tar_file("short", "long") + tar_header({.name = "pax", .num_bytes = pax.size(), .type = 'x'}) + tar_blocks(pax) +
      tar_file("plain", "unicode") + tar_file(".DS_Store", "no") + tar_file("caf\xe9", "latin") + tar_end());
  EXPECT_THAT(contents(listing), ElementsAre("folder/a=bytes of a", "b=" + std::string(1000, 'b'), long_name + "=long",
                                             "caf\xc3\xa9=unicode", "caf\xe9=latin"));
  EXPECT_FALSE(listing.damage);
  EXPECT_TRUE(listing.has_end);
}

TEST_F(ArchivesTest, WhatCannotBeReadIsNamed) {
  const ArchiveListing listing =
      list(tar_file("/etc/passwd", "x") + tar_file("a/../../b", "x") +
           tar_header({.name = "s", .type = '2', .link = "b"}) + tar_header({.name = "h", .type = '1', .link = "b"}) +
           tar_header({.name = "fifo", .type = '6'}) + tar_file("b", "x") + tar_end());
  EXPECT_THAT(contents(listing), ElementsAre("/etc/passwd!", "a/../../b!", "s!", "h!", "fifo!", "b=x"));
}

TEST_F(ArchivesTest, SparseFilesAreNamed) {
  const std::string pax =
      "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n25 GNU.sparse.name=holes\n31 GNU.sparse.realsize=1000000\n";
  const std::string map = tar_blocks("1\n999999\n1\n") + tar_blocks("x");
  const ArchiveListing listing =
      list(tar_header({.name = "p", .num_bytes = pax.size(), .type = 'x'}) + tar_blocks(pax) +
           tar_header({.name = "g", .num_bytes = 513}) + map + tar_file("b", "x") + tar_end());
  EXPECT_THAT(contents(listing), ElementsAre("holes!", "b=x"));
}

TEST_F(ArchivesTest, JoinedArchivesAreReadToTheLast) {
  const std::string first = tar_of({{"1", "x"}}), second = tar_of({{"2", "y"}});
  const ArchiveListing joined = list(first + second);
  EXPECT_THAT(contents(joined), ElementsAre("1=x", "2=y"));
  EXPECT_FALSE(joined.damage);
  const ArchiveListing followed = list(first + std::string(1024, 'z'));
  EXPECT_THAT(contents(followed), ElementsAre("1=x"));
  EXPECT_TRUE(followed.damage) << "what follows the end is no archive";
}

TEST_F(ArchivesTest, DamageCostsNothingThatCameBefore) {
  const std::string whole = tar_file("a", "first") + tar_file("b", std::string(2000, 'b'));
  for (const auto& [bytes, reason] : std::vector<std::pair<std::string, std::string>>{
           {whole.substr(0, 2048), "ends within b"},
           {whole.substr(0, 1200), ""},
           {tar_file("a", "first") + tar_header({.name = "b", .num_bytes = 1 << 30}) + "x", "ends within b"},
           {tar_file("a", "first") + tar_header({.name = "b", .num_bytes = 1}) + tar_blocks(std::string(600, 'b')) +
                tar_end(),
            "amaged"}}) {
    const ArchiveListing listing = list(bytes);
    ASSERT_TRUE(listing.damage) << reason;
    EXPECT_EQ(listing.damage->code(), ErrorCode::kInvalidFormat);
    EXPECT_THAT(listing.damage->what(), HasSubstr("a.tar"));
    EXPECT_THAT(listing.damage->what(), HasSubstr(reason));
    ASSERT_FALSE(listing.files.empty());
    EXPECT_EQ(text_of(listing.files[0]), "first");
  }
  EXPECT_FALSE(list(tar_file("a", "first")).has_end) << "perhaps there was more";
  EXPECT_TRUE(list("no archive at all, but text").damage);
  EXPECT_THAT(list(tar_end()).files, IsEmpty());
  EXPECT_FALSE(list("").has_end);
}

TEST_F(ArchivesTest, LabelsLieBesideFiles) {
  const ArchiveListing listing = list(tar_of({{"1.cls", " 7\n"},
                                              {"1.jpg", "one"},
                                              {"2.jpg", "two"},
                                              {"2.json", R"({"label":"cat"})"},
                                              {"d/3.seg.png", "three"},
                                              {"d/3.cls", "dog"},
                                              {"4.json", R"({"a":1})"},
                                              {"5.json", "{"},
                                              {"5.png", "five"}}));
  std::vector<std::string> labels;
  for (const ArchivedFile& file : listing.files) labels.push_back(file.name + ":" + file.label.value_or("-"));
  EXPECT_THAT(labels, ElementsAre("1.jpg:7", "2.jpg:cat", "d/3.seg.png:dog", "4.json:-", "5.png:-"));
}

TEST_F(ArchivesTest, WritesWhatItReads) {
  std::string bytes;
  const auto write = [&] {
    bytes.clear();
    ArchiveWriter writer([&](std::span<const std::byte> piece) {
      bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    });
    for (const std::string& name : Names{"cat/1", "caf\xc3\xa9", "x/" + std::string(300, 'n')})
      writer.add(name, std::span(reinterpret_cast<const std::uint8_t*>(name.data()), name.size()));
    writer.finish();
    return bytes;
  };
  const std::string first = write();
  EXPECT_EQ(write(), first);
  const ArchiveListing listing = list(first);
  EXPECT_TRUE(listing.has_end);
  EXPECT_THAT(contents(listing), ElementsAre("cat/1=cat/1", "caf\xc3\xa9=caf\xc3\xa9",
                                             "x/" + std::string(300, 'n') + "=x/" + std::string(300, 'n')));
}

TEST_F(ArchivesTest, AWriterThatFailsSaysWhy) {
  ArchiveWriter writer([](std::span<const std::byte>) { throw Error(ErrorCode::kIo, "disk full"); });
  const std::vector<std::uint8_t> bytes(1 << 20);
  expect_error(ErrorCode::kIo, {"disk full"}, [&] {
    writer.add("a", bytes);
    writer.finish();
  });
}

TEST_F(ArchivesTest, PatternsStandForRowsChoicesAndWhatIsThere) {
  const auto expand = [&](const std::string& pattern) {
    std::vector<std::string> names;
    for (const fs::path& path : expand_pattern((folder_.path() / pattern).native()))
      names.push_back(path.lexically_relative(folder_.path()));
    return names;
  };
  EXPECT_THAT(expand("d-{008..010}.tar"), ElementsAre("d-008.tar", "d-009.tar", "d-010.tar"));
  EXPECT_THAT(expand("{a,b}-{1..2}"), ElementsAre("a-1", "a-2", "b-1", "b-2"));
  EXPECT_THAT(expand("{odd"), ElementsAre("{odd"));
  EXPECT_THAT(expand("{t-{1,2},v}.tar"), ElementsAre("t-1.tar", "t-2.tar", "v.tar"));
  EXPECT_THAT(expand("{9..11}"), ElementsAre("9", "10", "11")) << "only zeros in front make numbers wide";
  EXPECT_THAT(expand("{00..10..5}"), ElementsAre("00", "05", "10"));
  EXPECT_THAT(expand("{2..0}"), ElementsAre("2", "1", "0"));
  EXPECT_THAT(expand_pattern("a-{0,1}.tar::b.tar"), ElementsAre("a-0.tar", "a-1.tar", "b.tar"));
  folder_.put("x1.tar");
  folder_.put("x2.tar");
  EXPECT_THAT(expand("x*.tar"), ElementsAre("x1.tar", "x2.tar"));
  EXPECT_THAT(expand("y*.tar"), ElementsAre("y*.tar"));
  folder_.put("{1..2}.tar");
  EXPECT_THAT(expand("{1..2}.tar"), ElementsAre("{1..2}.tar")) << "a file of that name is itself";
  EXPECT_THROW(expand("{0..99999999}"), Error);
  EXPECT_THROW(expand("{0..99999999999999999999}"), Error);
  EXPECT_THROW(expand("{0..9..0}"), Error);
  EXPECT_THROW(expand("{0..9999}{0..9999}"), Error);
}

class ArchiveDataSetTest : public DataFolderTest {
 protected:
  std::vector<std::string> labels(const std::vector<Sample>& samples, const DataSet& found) const {
    std::vector<std::string> all;
    for (const Sample& sample : samples)
      all.push_back(sample.path.lexically_relative(folder_.path()).native() + ":" +
                    found.classes.at(static_cast<std::size_t>(sample.label)));
    return all;
  }
  DataSet find(const std::string& name) const { return find_data_set(folder_.path() / name, unsplit()); }
};

TEST_F(ArchiveDataSetTest, FoldersInArchivesAreClasses) {
  folder_.put("d/a-0.tar", tar_of({{"cat/1", "x"}, {"dog/deep/2", "x"}}));
  folder_.put("d/a-1.tar", tar_of({{"cat/3", "x"}}));
  const DataSet found = find("d");
  EXPECT_EQ(found.layout, Layout::kArchives);
  EXPECT_THAT(labels(found.train, found),
              ElementsAre("d/a-0.tar/cat/1:cat", "d/a-0.tar/dog/deep/2:dog", "d/a-1.tar/cat/3:cat"));
  for (const char* pattern : {"d/a-{0..1}.tar", "d/a-*.tar"})
    EXPECT_EQ(labels(find(pattern).train, found), labels(found.train, found)) << pattern;
}

TEST_F(ArchiveDataSetTest, NamesOfArchivesOrFoldersInThemSaySplits) {
  folder_.put("a/in-train-000.tar", tar_of({{"1.cls", "0"}, {"1.jpg", "x"}, {"2.cls", "1"}, {"2.jpg", "x"}}));
  folder_.put("a/in-val-000.tar", tar_of({{"3.cls", "1"}, {"3.jpg", "x"}}));
  folder_.put("b/train/0.tar", tar_of({{"cat/1", "x"}, {"dog/1", "x"}}));
  folder_.put("b/test/0.tar", tar_of({{"cat/2", "x"}}));
  folder_.put("c.tar", tar_of({{"data/train/cat/1", "x"}, {"data/train/dog/1", "x"}, {"data/val/cat/2", "x"}}));
  DataSet found = find("a");
  EXPECT_THAT(labels(found.train, found), ElementsAre("a/in-train-000.tar/1.jpg:0", "a/in-train-000.tar/2.jpg:1"));
  EXPECT_THAT(labels(found.validation, found), ElementsAre("a/in-val-000.tar/3.jpg:1"));
  found = find("b");
  EXPECT_EQ(found.train.size(), 2U);
  EXPECT_THAT(labels(found.test, found), ElementsAre("b/test/0.tar/cat/2:cat"));
  found = find("c.tar");
  EXPECT_EQ(found.train.size(), 2U);
  EXPECT_THAT(labels(found.validation, found), ElementsAre("c.tar/data/val/cat/2:cat"));
}

TEST_F(ArchiveDataSetTest, FoldersInArchivesAreThoseOfTheUnpacked) {
  const Files splits = {{"train/cat/1", "x"}, {"train/dog/1", "x"}, {"val/cat/2", "x"}, {"val/dog/2", "x"}};
  const auto with = [&](const Files& more) {
    Files all = splits;
    all.insert(all.end(), more.begin(), more.end());
    return tar_of(all);
  };
  folder_.put("stray.tar", with({{"README.md", "x"}}));
  folder_.put("unlabelled.tar", with({{"test/1", "x"}, {"test/2", "x"}}));
  folder_.put("years.tar", tar_of({{"train2017/cat/1", "x"}, {"train2017/dog/1", "x"}, {"val2017/cat/2", "x"}}));
  folder_.put("twice.tar", tar_of({{"train/train/cat/1", "x"}, {"train/train/dog/1", "x"}, {"val/val/cat/2", "x"}}));
  folder_.put("images.tar", tar_of({{"train/images/cat/1", "x"}, {"train/images/dog/1", "x"}, {"val/cat/2", "x"}}));
  folder_.put("inner.tar",
              tar_of({{"cat/train/1", "x"}, {"cat/val/2", "x"}, {"dog/train/1", "x"}, {"dog/val/2", "x"}}));
  for (const char* name : {"stray.tar", "unlabelled.tar", "years.tar", "twice.tar", "images.tar", "inner.tar"}) {
    const DataSet found = find(name);
    EXPECT_THAT(found.classes, ElementsAre("cat", "dog")) << name;
    EXPECT_EQ(found.train.size(), 2U) << name;
    EXPECT_GE(found.validation.size(), 1U) << name;
    EXPECT_THAT(found.test, IsEmpty()) << name;
  }
  folder_.put("boxes.tar", tar_of({{"images/1.png", "x"}, {"labels/1.cls", "0"}}));
  expect_error(ErrorCode::kInvalidArgument, {"boxes.tar", "boxes or masks"}, [&] { find("boxes.tar"); });
}

TEST_F(ArchiveDataSetTest, AFolderNamedAsItsArchiveIsNoClassWhereOthersHoldTheSame) {
  for (const char* shard : {"a-0", "a-1"}) {
    const std::string name = shard;
    folder_.put("d/" + name + ".tar", tar_of({{name + "/cat/1", "x"}, {name + "/dog/1", "x"}}));
  }
  EXPECT_THAT(find("d").classes, ElementsAre("cat", "dog"));
  for (const std::string name : {"cat", "dog"})
    folder_.put("e/" + name + ".tar", tar_of({{name + "/images/1", "x"}, {name + "/1", "x"}}));
  EXPECT_THAT(find("e").classes, ElementsAre("cat", "dog"));
}

TEST_F(ArchiveDataSetTest, FoldersAndWholeNamesOfArchivesSaySplits) {
  const std::string shard = tar_of({{"cat/1", "x"}, {"dog/1", "x"}});
  for (const char* name : {"f/train/0.tar", "f/val/0.tar", "g/pets.v1.train.0.tar", "g/pets.v1.val.0.tar"})
    folder_.put(name, shard);
  for (const char* name : {"f", "f/{train,val}/*.tar", "f/*/0.tar", "g"}) {
    const DataSet found = find(name);
    EXPECT_EQ(found.train.size(), 2U) << name;
    EXPECT_EQ(found.validation.size(), 2U) << name;
  }
  EXPECT_EQ(find("f/val/*.tar").train.size(), 2U) << "what lies in one folder is what was asked for";
  folder_.put("h/cat/0.tar", tar_of({{"1", "x"}}));
  folder_.put("h/dog/0.tar", tar_of({{"1", "x"}}));
  EXPECT_THAT(find("h/*/0.tar").classes, ElementsAre("cat", "dog"));
}

TEST_F(ArchiveDataSetTest, LabelsBesideFilesWinAndSayWhatHasNone) {
  folder_.put("a.tar", tar_of({{"in/1.png", "x"}, {"in/1.cls", "cat"}, {"in/2.png", "x"}, {"in/3.png", "x"},
                               {"in/3.cls", "\xEF\xBB\xBF" "cat\n"}, {"in/val/4.json", "{\"class\": \"photo\"}"},
                               {"in/val/4.png", "x"}, {"in/val/4.cls", "dog"}}));
  const DataSet found = find("a.tar");
  EXPECT_THAT(labels(found.train, found), ElementsAre("a.tar/in/1.png:cat", "a.tar/in/3.png:cat"));
  EXPECT_THAT(labels(found.validation, found), ElementsAre("a.tar/in/val/4.png:dog"));
  EXPECT_THAT(testing::PrintToString(found.remarks),
              HasSubstr("without a label beside them, where others have one (1)"));
}

TEST_F(ArchiveDataSetTest, OtherFilesMayLieBesideArchives) {
  folder_.put("d/train-0.tar", tar_of({{"cat/1", "x"}, {"dog/1", "x"}}));
  folder_.put("d/val/0.tar", tar_of({{"cat/2", "x"}}));
  folder_.put("d/val/0.tar.idx");
  for (const char* name : {"d/README.md", "d/dataset_info.json", "d/_SUCCESS"}) folder_.put(name);
  const DataSet found = find("d");
  EXPECT_EQ(found.train.size(), 2U);
  EXPECT_EQ(found.validation.size(), 1U);
  EXPECT_THAT(testing::PrintToString(found.remarks), HasSubstr("skipped files beside archives (4)"));
}

TEST_F(ArchiveDataSetTest, WhatIsLeftOutIsSaid) {
  folder_.put(
      "a.tar",
      tar_of({{"cat/1", "x"}, {"cat/1", "again"}, {"dog/1", "x"}, {"dog/2", ""}, {"alone", "x"}, {"/abs", "x"}}));
  const DataSet found = find("a.tar");
  EXPECT_EQ(found.train.size(), 2U);
  const std::string remarks = testing::PrintToString(found.remarks);
  for (const char* what : {"names stand in their archives already", "empty files", "without a label", "absolute name"})
    EXPECT_THAT(remarks, HasSubstr(what));
}

TEST_F(ArchiveDataSetTest, WhatCannotBeRightIsAnError) {
  const std::string whole = tar_of({{"cat/1", "x"}, {"dog/1", std::string(2000, 'x')}});
  folder_.put("cut.tar", whole.substr(0, 2500));
  expect_error(ErrorCode::kInvalidFormat, {"cut.tar", "ends within dog/1"}, [&] { find("cut.tar"); });
  folder_.put("a-0.tar", whole);
  folder_.put("a-2.tar", whole);
  expect_error(ErrorCode::kNotFound, {"a-1.tar", "1 of 3 archives does not exist"}, [&] { find("a-{0..2}.tar"); });
  folder_.put("two.tar", tar_of({{"1.cls", "0"}, {"1.jpg", "x"}, {"1.png", "x"}, {"2.cls", "1"}, {"2.jpg", "x"}}));
  expect_error(ErrorCode::kInvalidArgument, {"1.jpg", "1.png"}, [&] { find("two.tar"); });
  folder_.put("aside.tar", tar_of({{"1.cls", "0"}, {"1.jpg", "x"}, {"1.txt", "x"}, {"2.cls", "1"}, {"2.txt", "x"}}));
  EXPECT_EQ(find("aside.tar").train.size(), 2U);
}

TEST_F(ArchiveDataSetTest, ArchivesAmongClassesAreFiles) {
  folder_.put("d/tar/1.tar", tar_of({{"cat/1", "x"}}));
  folder_.put("d/zip/1.zip", "x");
  EXPECT_THAT(find("d").classes, ElementsAre("tar", "zip"));
  EXPECT_THAT(find("d").remarks, IsEmpty());
  folder_.put("e/gz/1.tgz", "x");
  folder_.put("e/tar/1.tar", "x");
  EXPECT_THAT(testing::PrintToString(find("e").remarks), HasSubstr("all files are archives, taken as they are"));
}

}  // namespace
}  // namespace byteformer::data
