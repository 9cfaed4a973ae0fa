// Model folders: whole or not at all.
#include "format/model_folder.hpp"

#include <gtest/gtest.h>

#include "support/errors.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::format {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

ModelConfig small_config() {
  return parse_config(R"({"hidden_size": 48, "num_hidden_layers": 1, "num_attention_heads": 3, "num_labels": 2})", "t");
}

std::map<std::string, TensorView, std::less<>> small_tensors() {
  return {{"x", {DType::kF32, {2}, test::as_bytes("01234567")}}};
}

std::size_t num_entries(const fs::path& dir) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(dir), fs::directory_iterator()));
}

TEST(ModelFolderTest, WritesWhatItReads) {
  const test::TemporaryFolder folder;
  for (const char* name : {"new", "with-slash/", "empty"}) {
    if (std::string_view(name) == "empty") fs::create_directory(folder / name);
    write_model_folder(folder / name, small_config(), small_tensors());
    const ModelFolder model = read_model_folder(folder / name);
    EXPECT_EQ(model.config, small_config());
    EXPECT_EQ(read_config(folder / name), small_config());
    EXPECT_EQ(read_config(folder / name / "config.json"), small_config());
    EXPECT_EQ(model.tensors.by_name.at("x").shape, (std::vector<std::int64_t>{2}));
  }
  EXPECT_EQ(num_entries(folder.path()), 3U) << "no temporary folder stays";
}

TEST(ModelFolderTest, NeverOverwrites) {
  const test::TemporaryFolder folder;
  fs::create_directory(folder / "full");
  test::write_file(folder / "full" / "precious", "data");
  test::write_file(folder / "file", "data");
  fs::create_symlink("nowhere", folder / "link");
  for (const char* name : {"full", "file", "link"})
    expect_error(ErrorCode::kAlreadyExists, {name, "exists"},
                 [&] { write_model_folder(folder / name, small_config(), small_tensors()); });
  EXPECT_EQ(test::read_file(folder / "full" / "precious"), "data");
  EXPECT_EQ(num_entries(folder.path()), 3U);
}

TEST(ModelFolderTest, LeavesNothingBehindWhenItFails) {
  const test::TemporaryFolder folder;
  const std::map<std::string, TensorView, std::less<>> broken{{"x", {DType::kF32, {3}, test::as_bytes("0123")}}};
  expect_error(ErrorCode::kInternal, {"x"}, [&] { write_model_folder(folder / "m", small_config(), broken); });
  ModelConfig invalid = small_config();
  invalid.num_labels = 3;
  expect_error(ErrorCode::kInvalidModel, {"num_labels"},
               [&] { write_model_folder(folder / "m", invalid, small_tensors()); });
  EXPECT_EQ(num_entries(folder.path()), 0U);
  expect_error(ErrorCode::kNotFound, {"missing/m"},
               [&] { write_model_folder(folder / "missing" / "m", small_config(), small_tensors()); });
}

TEST(ModelFolderTest, SaysWhatIsMissing) {
  const test::TemporaryFolder folder;
  expect_error(ErrorCode::kNotFound, {"none"}, [&] { read_model_folder(folder / "none"); });
  expect_error(ErrorCode::kNotFound, {"no config.json"}, [&] { read_model_folder(folder.path()); });
  expect_error(ErrorCode::kNotFound, {"no config.json"}, [&] { read_config(folder.path()); });
  test::write_file(folder / "config.json", to_json(small_config()));
  expect_error(ErrorCode::kNotFound, {"no model.safetensors"}, [&] { read_model_folder(folder.path()); });
  expect_error(ErrorCode::kInvalidFormat, {"is no folder"}, [&] { read_model_folder(folder / "config.json"); });
}

}  // namespace
}  // namespace byteformer::format
