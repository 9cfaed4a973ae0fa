// A test with a folder of its own.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "support/files.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::cli {

class FolderTest : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (folder_ / name).native(); }

  /// Writes a file, and the folders it lies in; its path.
  std::string put(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    test::write_file(folder_ / name, content);
    return at(name);
  }

  test::TemporaryFolder folder_;
};

}  // namespace byteformer::cli
