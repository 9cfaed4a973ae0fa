// A file's logits are the same bits alone, in any batch, in any order, with any number of threads, fed in any pieces.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstring>

#include "model/byteformer.hpp"
#include "support/effort.hpp"
#include "support/linear_kernels.hpp"
#include "support/random_model.hpp"
#include "support/run_model.hpp"

namespace byteformer::test {
namespace {

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

/// One random model in both meanings, with the logits of some files run alone on one thread.
struct Reference {
  format::ModelConfig config;
  std::shared_ptr<const format::Tensors> tensors;
  std::vector<std::vector<std::uint8_t>> files;
};

Reference make_reference(Random& random) {
  Reference reference;
  reference.config = random_config(random);
  reference.tensors = random_tensors(reference.config, random);
  const std::int64_t stride = std::max<std::int64_t>(1, reference.config.conv_kernel_size / 2);
  for (int i = 0; i < 12; ++i) {
    const std::int64_t most = i < 6 ? 60 : reference.config.max_position_embeddings * stride;
    reference.files.push_back(random_file(random, static_cast<std::size_t>(pick(random, 1, most))));
  }
  return reference;
}

/// Feeds `file` in random pieces, some of them empty.
void feed_in_pieces(const model::ByteFormer& model, model::Workspace& ws, std::span<const std::uint8_t> file,
                    Random& random) {
  const std::int64_t most = pick(random, 1, static_cast<std::int64_t>(2 * file.size()));
  while (!file.empty()) {
    const auto size =
        static_cast<std::size_t>(pick(random, 0, std::min<std::int64_t>(most, static_cast<std::int64_t>(file.size()))));
    model.feed(file.first(size), ws);
    file = file.subspan(size);
    if (size == 0) {
      model.feed(file.first(1), ws);
      file = file.subspan(1);
    }
  }
}

void check_batches(const NamedKernels& kernels, std::uint64_t seed, int num_models, int batches_each) {
  Random random(seed);
  for (int trial = 0; trial < num_models; ++trial) {
    const Reference reference = make_reference(random);
    for (const Masking masking : {Masking::kReleased, Masking::kMasked}) {
      base::ThreadPool one(1);
      const model::ByteFormer alone(reference.config, reference.tensors, masking, kernels.kernels, one);
      model::Workspace ws = alone.make_workspace(one);
      std::vector<std::vector<float>> expected;
      for (const auto& file : reference.files) expected.push_back(run_file(alone, ws, file));

      for (int batch = 0; batch < batches_each; ++batch) {
        base::ThreadPool pool(static_cast<int>(pick(random, 1, 4)));
        model::Workspace packed = alone.make_workspace(pool);
        std::vector<std::size_t> picks;
        const std::int64_t num_files = pick(random, 1, 20);
        for (std::int64_t i = 0; i < num_files; ++i) {
          picks.push_back(static_cast<std::size_t>(pick(random, 0, 11)));
          feed_in_pieces(alone, packed, reference.files[picks.back()], random);
          alone.end_file(packed);
          if (pick(random, 0, 9) == 0) alone.flush(packed);
        }
        alone.flush(packed);
        ASSERT_EQ(packed.results.num_files, picks.size());
        const auto labels = static_cast<std::size_t>(reference.config.num_labels);
        for (std::size_t i = 0; i < picks.size(); ++i)
          ASSERT_TRUE(same_bits(std::span(packed.results.logits).subspan(i * labels, labels), expected[picks[i]]))
              << kernels.name << ", model " << trial << ", batch " << batch << ", file " << i << "\n"
              << format::to_json(reference.config);
      }
    }
  }
}

class PackingTest : public ::testing::TestWithParam<NamedKernels> {};

/// Five hundred batches, and a hundred of the instruction set that takes five times as long as all others: what packs
/// files is the same code above all of them.
TEST_P(PackingTest, RandomBatchesGiveTheBitsOfSingleFiles) {
  check_batches(GetParam(), 11, effort(GetParam().name == "portable" ? 5 : 25), 10);
}

RC_GTEST_PROP(PackingProperty, AnySeedGivesTheBitsOfSingleFiles, (std::uint64_t seed)) {
  const auto kernels = all_linear_kernels();
  check_batches(kernels[seed % kernels.size()], seed, 1, 1);
  RC_ASSERT(!::testing::Test::HasFatalFailure());
}

INSTANTIATE_TEST_SUITE_P(Kernels, PackingTest, ::testing::ValuesIn(all_linear_kernels()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace byteformer::test
