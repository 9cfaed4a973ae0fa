// What a recipe file may say, and how it is told that it may not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "example_book.hpp"
#include "support/errors.hpp"

namespace byteformer::experiments {
namespace {

using testing::ElementsAre;

/// The recipe `text` beside the others of the example.
Recipe parse(const std::string& text, const std::string& name = "plain") {
  return parse_recipe(text, name + ".yaml", name, parse_settings(kSettings, "settings.yaml"),
                      parse_tables(kTables, "tables.yaml"));
}

std::string replaced(std::string text, const std::string& part, const std::string& by) {
  return text.replace(text.find(part), part.size(), by);
}

void expect_refused(const std::string& part, const std::string& by, std::initializer_list<std::string_view> parts) {
  SCOPED_TRACE(by);
  test::expect_error(ErrorCode::kInvalidFormat, parts, [&] { parse(replaced(kPlain, part, by)); });
}

TEST(RecipeTest, SaysWhatItSays) {
  const Recipe recipe = parse(kPlain);
  EXPECT_EQ(recipe.title, "plain bytes");
  EXPECT_EQ(recipe.question, "Are plain bytes learnt?");
  ASSERT_TRUE(recipe.figure);
  EXPECT_EQ(recipe.figure->top1, 77.33);
  EXPECT_EQ(recipe.figure->source, "paper");
  EXPECT_EQ(recipe.remark, "so it is");
  EXPECT_EQ(recipe.small.data->name, "mnist");
  EXPECT_EQ(recipe.small.seeds, (std::vector<std::int64_t>{0, 3}));
  EXPECT_THAT(recipe.small.tests, ElementsAre(recipe.small.data));
  EXPECT_EQ(recipe.small.train.kernel, 32);
  EXPECT_EQ(recipe.small.train.epochs, 2);
  EXPECT_EQ(recipe.paper.train.recipe, "published");
  EXPECT_EQ(recipe.paper.train.encode, "fhwc");
  EXPECT_EQ(recipe.paper.seeds, std::vector<std::int64_t>{0});
}

TEST(RecipeTest, TheNearerSettingWins) {
  const Recipe recipe = parse(kNoisy, "noisy");
  EXPECT_EQ(recipe.small.train.kernel, 16);
  EXPECT_EQ(recipe.paper.train.kernel, 32);
  EXPECT_EQ(parse(replaced(kPlain, "seeds: [0, 3]", "train: {epochs: 5}")).small.train.epochs, 5);
}

TEST(RecipeTest, TransformsAreThoseOfPreprocess) {
  EXPECT_EQ(parse(kNoisy, "noisy").small.train.transforms, R"([ { "type": "random_uniform", "low": -5, "high": 5 }, )"
                                                           R"({ "type": "byte_permutation", "seed": 2147483647 } ])");
}

TEST(RecipeTest, UnknownKeysNameTheLineAndTheNearest) {
  expect_refused("question:", "qestion:", {"plain.yaml: line 2: question is missing"});
  expect_refused("title: plain bytes", "title: plain bytes\ntabel: x",
                 {"plain.yaml: line 4: tabel is not known here; did you mean table?"});
  expect_refused("kernel: 32", "kernell: 32", {"line 7", "train.kernell", "did you mean train.kernel?"});
  expect_refused("seeds: [0, 3]", "seed: 0", {"line 9", "small.seed", "did you mean small.seeds?"});
  expect_refused("title: plain bytes", "title: plain bytes\nnote:", {"line 4: note is not known here"});
  expect_refused("encode: fhwc", "threads: 2", {"line 7: train.threads is not known here"});
}

TEST(RecipeTest, UnknownValuesNameTheLineAndTheNearest) {
  expect_refused("encode: fhwc", "encode: fhcw", {"line 7", "train.encode", "\"fhcw\"", "did you mean"});
  expect_refused("table: encodings", "table: encoding", {"line 4", "did you mean `encodings`?"});
  expect_refused("like: mnist", "like: minst", {"line 9", "small.like", "did you mean `mnist`?"});
  expect_refused("like: mnist", "data: minst", {"line 9", "small.data", "did you mean `mnist`?"});
  expect_refused("source: paper", "source: memory", {"line 6", "reported.source", "paper or released weights"});
}

TEST(RecipeTest, WrongTypesAndRanges) {
  expect_refused("kernel: 32", "kernel: many", {"line 7", "train.kernel", "\"many\"", "an integer"});
  expect_refused("kernel: 32", "kernel: -1", {"train.kernel", "an integer from 0 to 65536"});
  expect_refused("top1: 77.33", "top1: 177.33", {"reported.top1", "a number from 0 to 100"});
  expect_refused("[0, 3]", "[3, 0]", {"small.seeds", "ascending numbers"});
  expect_refused("[0, 3]", "[0, 0]", {"small.seeds", "ascending numbers"});
  expect_refused("[0, 3]", "[]", {"small.seeds"});
  expect_refused("title: plain bytes", "title: [a, b]", {"line 3: title is a list of 2, expected a text"});
}

TEST(RecipeTest, MissingKeys) {
  expect_refused("title: plain bytes\n", "", {"title is missing"});
  expect_refused("like: mnist, ", "", {"small.data is missing"});
  expect_refused("top1: 77.33, ", "", {"reported.top1 is missing"});
  expect_refused(", source: paper", "", {"reported.source is missing", "paper or released weights"});
}

TEST(RecipeTest, ItsNameIsThatOfTheFile) {
  expect_refused("name: plain", "name: plane", {"line 2: name is \"plane\", expected plain, as the file is called"});
}

TEST(RecipeTest, AnEncodingThatTheDataDoNotHave) {
  expect_refused("encode: fhwc", "encode: wav", {"plain.yaml: paper encodes as wav, but imagenet has no sounds"});
}

TEST(RecipeTest, TransformsAreReadStrictly) {
  const auto refused = [](const std::string& by, std::initializer_list<std::string_view> parts) {
    SCOPED_TRACE(by);
    test::expect_error(ErrorCode::kInvalidFormat, parts,
                       [&] { parse(replaced(kNoisy, "{type: byte_permutation}", by), "noisy"); });
  };
  refused("{type: byte_permutatoin}", {"noisy.yaml: line 10: type is", "did you mean `byte_permutation`?"});
  refused("{type: byte_permutation, sead: 1}", {"line 10: sead is not known here; did you mean seed?"});
  refused("{type: shuffle, mode: reverse}", {"line 10: type is \"shuffle\"", "in this order"});
  refused("{seed: 1}", {"line 10: type is missing"});
  refused("text", {"train.transforms", "a list of mappings"});
}

TEST(RecipeTest, NoiseNeedsBoundsInOrder) {
  test::expect_error(ErrorCode::kInvalidFormat, {"line 9: low is \"6\", expected at most the 5 of high"},
                     [] { parse(replaced(kNoisy, "low: -5", "low: 6"), "noisy"); });
  test::expect_error(ErrorCode::kInvalidFormat, {"line 9: low is missing"},
                     [] { parse(replaced(kNoisy, "low: -5, ", ""), "noisy"); });
}

TEST(RecipeTest, SharedSettingsAreReadAsStrictly) {
  test::expect_error(ErrorCode::kInvalidFormat, {"settings.yaml: line 3", "imagenet.train.epoch", "did you mean"},
                     [] { parse_settings(replaced(kSettings, "epochs: 300", "epoch: 300"), "settings.yaml"); });
  test::expect_error(ErrorCode::kInvalidFormat, {"tables.yaml: line 3: name is \"obfuscation\""},
                     [] { parse_tables(replaced(kTables, "name: encodings", "name: obfuscation"), "tables.yaml"); });
}

TEST(RecipeBookTest, TablesInTheirOrderAndNumbersInTheirs) {
  const ExampleFolder folder;
  for (const char* name : {"a_k16", "a_k8", "a_k8_w128", "a_k8_w32"})
    folder.write(std::string(name) + ".yaml", replaced(kPlain, "name: plain", std::string("name: ") + name));
  std::vector<std::string> names;
  for (const Recipe& recipe : read_recipes(folder.path()).recipes) names.push_back(recipe.name);
  EXPECT_THAT(names, ElementsAre("a_k8", "a_k8_w32", "a_k8_w128", "a_k16", "plain", "keyed", "noisy"));
}

TEST(RecipeBookTest, UnknownNamesSuggestTheNearest) {
  const RecipeBook book = example_book();
  EXPECT_EQ(book.at("noisy").name, "noisy");
  test::expect_error(ErrorCode::kInvalidArgument, {"no experiment `nosy`", "did you mean `noisy`?"},
                     [&] { book.at("nosy"); });
}

TEST(RecipeBookTest, OnlyPlainModelsCanBeRekeyed) {
  const auto refused = [](const std::string& part, const std::string& by, std::string_view expected) {
    SCOPED_TRACE(by);
    const ExampleFolder folder;
    folder.write("keyed.yaml", replaced(kKeyed, part, by));
    test::expect_error(ErrorCode::kInvalidFormat, {"keyed.yaml: small.rekeys: ", expected},
                       [&] { read_recipes(folder.path()); });
  };
  refused("rekeys: plain", "rekeys: plane", "no other recipe plane");
  refused("rekeys: plain", "rekeys: noisy", "does not train on plain bytes");
  refused("seeds: [3]", "seeds: [4]", "not these seeds");
  refused("{type: byte_permutation, seed: 2147483647}", "{type: shuffle, mode: reverse}", "the only transform");
}

TEST(RecipeBookTest, ABaselineIsARecipe) {
  const ExampleFolder folder;
  folder.write("shared/tables.yaml", replaced(kTables, "baseline: plain", "baseline: plane"));
  test::expect_error(ErrorCode::kInvalidFormat, {"baseline of obfuscation is no recipe: plane"},
                     [&] { read_recipes(folder.path()); });
}

TEST(RecipeBookTest, AFolderWithoutRecipes) {
  const test::TemporaryFolder empty;
  test::expect_error(ErrorCode::kNotFound, {"holds no recipes", "--recipes"}, [&] { read_recipes(empty.path()); });
}

}  // namespace
}  // namespace byteformer::experiments
