// Recipes for tests: two that train, and one that rekeys.
#pragma once

#include <filesystem>
#include <string>

#include "experiments/recipe_book.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::experiments {

inline constexpr const char* kTables = R"(tables:
  - {name: encodings, title: Encodings, text: "What can be read?"}
  - {name: obfuscation, title: Obfuscation, text: "What cannot be read?", baseline: plain}
)";

inline constexpr const char* kSettings = R"(imagenet:
  data: imagenet
  train: {recipe: published, epochs: 300}
mnist:
  data: mnist
  train: {preset: nano, epochs: 2, learning_rate: 0.002}
)";

inline constexpr const char* kPlain = R"(# Comments may stand anywhere.
name: plain
title: plain bytes
table: encodings
question: Are plain bytes learnt?
reported: {top1: 77.33, source: paper, remark: so it is}
train: {encode: fhwc, kernel: 32}
paper: {like: imagenet}
small: {like: mnist, seeds: [0, 3]}
)";

inline constexpr const char* kNoisy = R"(name: noisy
title: noise
table: obfuscation
question: Are noisy bytes learnt?
train:
  encode: fhwc
  kernel: 32
  transforms:
    - {type: random_uniform, low: -5, high: 5}
    - {type: byte_permutation}
paper: {like: imagenet}
small: {like: mnist, train: {kernel: 16}}
)";

inline constexpr const char* kKeyed = R"(name: keyed
title: permuted
table: obfuscation
question: Does a permutation cost anything?
train: {encode: fhwc, kernel: 32, transforms: [{type: byte_permutation, seed: 2147483647}]}
paper: {like: imagenet}
small: {like: mnist, seeds: [3], rekeys: plain}
)";

/// A folder with these recipes.
class ExampleFolder {
 public:
  ExampleFolder() {
    std::filesystem::create_directories(folder_ / "shared");
    write("shared/tables.yaml", kTables);
    write("shared/settings.yaml", kSettings);
    write("plain.yaml", kPlain);
    write("noisy.yaml", kNoisy);
    write("keyed.yaml", kKeyed);
  }

  void write(const std::string& name, const std::string& text) const { test::write_file(folder_ / name, text); }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  test::TemporaryFolder folder_;
};

inline RecipeBook example_book() { return read_recipes(ExampleFolder().path()); }

}  // namespace byteformer::experiments
