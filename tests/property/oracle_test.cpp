// The engine against the whole-file, double-precision oracle on random models and files.
#include "support/oracle.hpp"

#include <gtest/gtest.h>

#include "model/byteformer.hpp"
#include "support/effort.hpp"
#include "support/linear_kernels.hpp"
#include "support/random_model.hpp"
#include "support/run_model.hpp"

namespace byteformer::test {
namespace {

class OracleTest : public ::testing::TestWithParam<NamedKernels> {};

/// Of the largest logit. Few bits are far more than enough for trained models of usual width; these have few channels
/// and random weights, but a wrong product would be off by all of it.
double tolerance(const nn::LinearKernels& kernels) {
  if (kernels.reduced == nullptr) return 2e-5;
  return kernels.reduced->precision == Precision::kInt8 ? 0.2 : 0.06;
}

TEST_P(OracleTest, LogitsAgreeOnRandomModels) {
  Random random(7);
  base::ThreadPool pool(2);
  double worst = 0;
  const int num_models = effort(GetParam().kernels.reduced == nullptr ? 60 : 15);
  for (int trial = 0; trial < num_models; ++trial) {
    const format::ModelConfig config = random_config(random);
    const auto tensors = random_tensors(config, random);
    for (const Masking masking : {Masking::kReleased, Masking::kMasked}) {
      const model::ByteFormer model(config, tensors, masking, GetParam().kernels, pool);
      model::Workspace ws = model.make_workspace(pool);
      for (int repetition = 0; repetition < 4; ++repetition) {
        const std::int64_t most = repetition < 2 ? 40 : 500;
        const auto file = random_file(random, static_cast<std::size_t>(pick(random, 1, most)));
        const auto expected = oracle_forward(config, *tensors, masking, file).logits;
        const double error = relative_error(run_file(model, ws, file), expected);
        worst = std::max(worst, error);
        ASSERT_LT(error, tolerance(GetParam().kernels))
            << "trial " << trial << ", " << file.size() << " bytes, masking " << format::to_string(masking) << "\n"
            << format::to_json(config);
      }
    }
  }
  RecordProperty("worst_relative_error", std::to_string(worst));
}

INSTANTIATE_TEST_SUITE_P(Kernels, OracleTest, ::testing::ValuesIn(all_linear_kernels()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace byteformer::test
