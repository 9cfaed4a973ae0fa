// Missing data are named, with the way to get them.
#include <gtest/gtest.h>

#include <filesystem>

#include "experiments/recipe_book.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::experiments {
namespace {

TEST(DataSourceTest, Names) {
  for (const DataSource& source : data_sources()) EXPECT_EQ(find_data_source(source.name), &source);
  EXPECT_EQ(find_data_source("minst"), nullptr);
}

TEST(DataSourceTest, MissingDataSayHowToGetThem) {
  const test::TemporaryFolder folder;
  test::expect_error(ErrorCode::kNotFound, {(folder / "mnist28_png").string(), "scripts/unpack_data.sh", "--data"},
                     [&] { locate(*find_data_source("mnist"), folder.path()); });
  test::expect_error(ErrorCode::kNotFound, {"imagenet", "you must have it", "train/ and val/"},
                     [&] { locate(*find_data_source("imagenet"), folder.path()); });
  std::filesystem::create_directory(folder / "mnist28_png");
  EXPECT_EQ(locate(*find_data_source("mnist"), folder.path()), folder / "mnist28_png");
}

}  // namespace
}  // namespace byteformer::experiments
