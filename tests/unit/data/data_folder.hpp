// Small data sets on disk for one test.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "data/data_set.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::data {

/// A temporary folder that makes the folders of the files put into it.
class DataFolder {
 public:
  const std::filesystem::path& path() const { return folder_.path(); }

  std::filesystem::path put(const std::filesystem::path& name, std::string_view content = "x") {
    const std::filesystem::path file = path() / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }

  std::filesystem::path make(const std::filesystem::path& name) {
    std::filesystem::create_directories(path() / name);
    return path() / name;
  }

  /// `count` files `pattern`0, `pattern`1, ...
  void put_many(const std::string& pattern, int count) {
    for (int i = 0; i < count; ++i) put(pattern + std::to_string(i));
  }

  DataSet find(const DataSetOptions& options = {}) const { return find_data_set(path(), options); }

  /// "class:relative path" of each sample.
  std::vector<std::string> names(const DataSet& data_set, const std::vector<Sample>& samples) const {
    std::vector<std::string> names;
    for (const Sample& sample : samples)
      names.push_back(data_set.classes.at(static_cast<std::size_t>(sample.label)) + ":" +
                      sample.path.lexically_relative(path()).string());
    return names;
  }

 private:
  test::TemporaryFolder folder_;
};

/// A test with a data set on disk, and the samples of what was found in it.
class DataFolderTest : public testing::Test {
 protected:
  void put_all(std::initializer_list<const char*> names) {
    for (const char* name : names) folder_.put(name);
  }
  std::vector<std::string> train(const DataSet& found) const { return folder_.names(found, found.train); }
  std::vector<std::string> validation(const DataSet& found) const { return folder_.names(found, found.validation); }
  std::vector<std::string> test(const DataSet& found) const { return folder_.names(found, found.test); }

  DataFolder folder_;
};

inline DataSetOptions unsplit() {
  DataSetOptions options;
  options.split_validation = false;
  return options;
}

inline std::string all_remarks(const DataSet& data_set) {
  std::string text;
  for (const std::string& remark : data_set.remarks) text += remark + "\n";
  return text;
}

}  // namespace byteformer::data
