// The published implementation's numbers: logits and stages of every golden model, in both meanings.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "format/model_folder.hpp"
#include "format/safetensors.hpp"
#include "interop/checkpoint.hpp"
#include "kernels/kernels.hpp"
#include "model/byteformer.hpp"
#include "support/files.hpp"
#include "support/linear_kernels.hpp"
#include "support/run_model.hpp"

namespace byteformer::test {
namespace {

constexpr double kTolerance = 2e-5;  // of the largest absolute value

struct GoldenCase {
  std::string model;
  const kernels::Kernels* kernels;
};

std::filesystem::path folder(const std::string& model) {
  return std::filesystem::path(BYTEFORMER_TEST_DATA) / "models" / model;
}

/// For the names that a failing test prints.
void PrintTo(const GoldenCase& golden, std::ostream* out) { *out << golden.model << ", " << golden.kernels->name; }

std::vector<GoldenCase> all_cases() {
  std::vector<GoldenCase> cases;
  for (const auto& entry : std::filesystem::directory_iterator(folder("")))
    for (const kernels::Kernels* kernels : kernels_to_test())
      cases.push_back({entry.path().filename().string(), kernels});
  std::sort(cases.begin(), cases.end(), [](const auto& a, const auto& b) {
    return std::make_pair(a.model, a.kernels) < std::make_pair(b.model, b.kernels);
  });
  return cases;
}

class GoldenTest : public ::testing::TestWithParam<GoldenCase> {
 protected:
  model::ByteFormer load(Masking masking) {
    const auto tensors = std::make_shared<format::Tensors>(interop::read_weights(folder(GetParam().model) / "weights.pt"));
    return {format::read_config(folder(GetParam().model)), tensors, masking, *GetParam().kernels, pool_};
  }

  nlohmann::json cases() const { return nlohmann::json::parse(std::ifstream(folder(GetParam().model) / "cases.json")); }

  base::ThreadPool pool_{2};
};

TEST_P(GoldenTest, LogitsAgree) {
  int num_compared = 0;
  const nlohmann::json all = cases();
  for (const Masking masking : {Masking::kReleased, Masking::kMasked}) {
    const model::ByteFormer model = load(masking);
    model::Workspace ws = model.make_workspace(pool_);
    for (const auto& golden : all["cases"]) {
      const auto& expected = golden[masking == Masking::kReleased ? "released" : "masked"];
      if (expected.is_null()) continue;
      const auto file = read_bytes(folder(GetParam().model) / golden["input"].get<std::string>());
      EXPECT_LT(relative_error(run_file(model, ws, file), expected.get<std::vector<double>>()), kTolerance)
          << golden["input"] << " " << format::to_string(masking);
      ++num_compared;
    }
  }
  EXPECT_GE(num_compared, 6);
}

/// Collects what flows out of each stage and puts late rows back to the front.
class StageRecorder {
 public:
  explicit StageRecorder(std::size_t hidden) : hidden_(hidden) {}

  void operator()(std::string_view stage, const nn::PackedRows& x) {
    std::vector<float>& rows = main_[std::string(stage)];
    std::vector<float>& late = late_[std::string(stage)];
    std::size_t row = 0;
    for (const nn::Segment& segment : x.segments) {
      append(rows, x, row, segment.num_rows);
      append(late, x, row + segment.num_rows, segment.num_late);
      row += segment.num_rows + segment.num_late;
    }
  }

  std::vector<float> in_file_order(const std::string& stage) const {
    std::vector<float> rows = late_.at(stage);
    rows.insert(rows.end(), main_.at(stage).begin(), main_.at(stage).end());
    return rows;
  }

 private:
  void append(std::vector<float>& to, const nn::PackedRows& x, std::size_t first, std::size_t count) const {
    for (std::size_t r = first; r < first + count; ++r) to.insert(to.end(), x.buffer.row(r), x.buffer.row(r) + hidden_);
  }

  std::size_t hidden_;
  std::map<std::string, std::vector<float>> main_, late_;
};

TEST_P(GoldenTest, StagesAgree) {
  const auto path = folder(GetParam().model) / "stages.safetensors";
  if (!std::filesystem::exists(path)) return;  // the derived models have logits only
  const format::Tensors golden = format::read_safetensors(path);
  const model::ByteFormer model = load(Masking::kReleased);
  model::Workspace ws = model.make_workspace(pool_);
  StageRecorder recorder(static_cast<std::size_t>(format::read_config(folder(GetParam().model)).hidden_size));
  ws.observer = std::ref(recorder);
  run_file(model, ws, read_bytes(folder(GetParam().model) / "input_0.bin"));
  int num_compared = 0;
  for (const auto& [name, tensor] : golden.by_name) {
    const std::vector<float> expected = format::to_float32(tensor, name);
    if (name == "final_norm") continue;  // exists only inside the mean
    std::vector<float> actual;
    if (name == "pooled")
      actual = ws.results.features;
    else if (name == "logits")
      actual = ws.results.logits;
    else
      actual = recorder.in_file_order(name);
    EXPECT_LT(relative_error(actual, expected), kTolerance) << name;
    ++num_compared;
  }
  EXPECT_GE(num_compared, 6);
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenTest, ::testing::ValuesIn(all_cases()),
                         [](const auto& test) { return test.param.model + "_" + test.param.kernels->name; });

}  // namespace
}  // namespace byteformer::test
