// A thousand damaged files of each format: refused or read, never a crash, a hang or runaway memory.
#include <gtest/gtest.h>

#include <new>
#include <vector>

#include "format/config.hpp"
#include "format/safetensors.hpp"
#include "support/allocation_budget.hpp"
#include "support/files.hpp"
#include "support/mutations.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::format {
namespace {

constexpr int kNumMutations = 1'000;

TEST(FormatMutationTest, TheBudgetWouldNotice) {
  const test::AllocationBudget budget(1 << 20);
  EXPECT_NO_THROW(std::vector<char>(1 << 19));
  EXPECT_THROW(std::vector<char>(1 << 21), std::bad_alloc);
}

TEST(FormatMutationTest, Config) {
  const std::string original = test::read_file(test::data_path("models/k4_w32/config.json"));
  test::expect_survives(original, kNumMutations, [](const std::string& text) { parse_config(text, "config.json"); });
}

TEST(FormatMutationTest, Safetensors) {
  const test::TemporaryFolder folder;
  const std::string data(240, 'd');
  const auto bytes = test::as_bytes(data);
  write_safetensors(folder / "w",
                    {{"embeddings.weight", {DType::kF32, {5, 3, 4}, bytes}},
                     {"half", {DType::kF16, {2, 60}, bytes}},
                     {"steps", {DType::kI64, {}, bytes.first(8)}}},
                    {{"format", "pt"}});
  test::expect_survives(test::read_file(folder / "w"), kNumMutations, [](const std::string& text) {
    for (const auto& [name, tensor] : parse_safetensors(test::as_bytes(text), "w").by_name) to_float32(tensor, name);
  });
}

}  // namespace
}  // namespace byteformer::format
