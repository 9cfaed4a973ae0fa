// The data sets of recipes, and where each may lie; the recipe files of a folder, and what they must agree upon.
#include "experiments/recipe_book.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <system_error>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "plan/settings.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::experiments {
namespace {

constexpr std::string_view kScript =
    "`scripts/unpack_data.sh FOLDER_OF_ARCHIVES` brings it, and says where the archives come from";

constexpr auto kSources = std::to_array<DataSource>({
    {"mnist", "MNIST, 28x28 pixels", "mnist28_png", MediaKind::kPictures, kScript},
    {"cifar10", "CIFAR-10, 32x32 pixels", "cifar10_jpg", MediaKind::kPictures, kScript},
    {"fsdd", "Free Spoken Digit Dataset, 8 kHz", "fsdd", MediaKind::kSounds, kScript},
    {"digits", "MNIST and the Free Spoken Digit Dataset together", "digits-joint", MediaKind::kBoth, kScript},
    {"imagenet", "ImageNet (ILSVRC 2012)", "imagenet", MediaKind::kPictures,
     "you must have it: train/ and val/, each with a folder of pictures for each of 1,000 classes"},
    {"speech_commands", "Speech Commands v2, 12 classes", "speech_commands_v2", MediaKind::kSounds,
     "you must have it: the archive as it is published, or its manifests {train,validation,test}_manifest.json"},
    {"imagenet_and_speech", "ImageNet and Speech Commands v2 together", "imagenet-speech", MediaKind::kBoth,
     "you must have both, in one folder: train/ and val/ with the folders of all 1,012 classes"},
});

}  // namespace

std::span<const DataSource> data_sources() noexcept { return kSources; }

const DataSource* find_data_source(std::string_view name) noexcept {
  const auto* found = std::ranges::find(kSources, name, &DataSource::name);
  return found == kSources.end() ? nullptr : found;
}

std::filesystem::path locate(const DataSource& source, const std::filesystem::path& data_dir) {
  std::filesystem::path folder = data_dir / source.folder;
  if (!base::is_folder(folder))
    base::fail(ErrorCode::kNotFound, base::About{folder.native()}, "is not there: ", source.title, ". ",
               source.how_to_get, " (", plan::option_name(&plan::Request::data), " names the folder that holds ",
               source.folder, ")");
  return folder;
}

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = 1 << 20;

std::vector<fs::path> yaml_files(const fs::path& dir) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(dir, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".yaml") files.push_back(entry->path());
  if (files.empty())
    base::fail(ErrorCode::kNotFound, base::About{dir.native()},
               "holds no recipes (*.yaml); --recipes names the folder, `recipes` in the source tree");
  std::ranges::sort(files);
  return files;
}

/// Names with numbers in their order: k8 before k16, and 0.03 before 0.1.
bool comes_before(std::string_view a, std::string_view b) {
  const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  const auto number_at = [&](std::string_view text) {
    const auto* const end = std::ranges::find_if_not(text, is_digit);
    return text.substr(0, static_cast<std::size_t>(end - text.begin()));
  };
  bool is_fraction = false;  // behind a point, digits count from the left
  while (!a.empty() && !b.empty()) {
    std::string_view x = a.substr(0, 1), y = b.substr(0, 1);
    is_fraction = a.front() == '.' || (is_fraction && is_digit(a.front()));
    if (!is_fraction && is_digit(a.front()) && is_digit(b.front())) {
      x = number_at(a), y = number_at(b);
      if (x.size() != y.size()) return x.size() < y.size();
    }
    if (x != y) return x < y;
    a.remove_prefix(x.size());
    b.remove_prefix(y.size());
  }
  return a.size() < b.size();
}

/// Of a recipe that trains nothing: whether what it rekeys can be rekeyed.
void check_rekeying(const RecipeBook& book, const Recipe& recipe, Scale scale) {
  const ScaledRecipe& rekeyed = recipe.at(scale);
  if (rekeyed.rekeys.empty()) return;
  const auto fail = [&](const auto&... parts) {
    base::fail(ErrorCode::kInvalidFormat, recipe.name, ".yaml: ", to_string(scale), ".rekeys: ", parts...);
  };
  const auto found = std::ranges::find(book.recipes, rekeyed.rekeys, &Recipe::name);
  if (found == book.recipes.end() || found->name == recipe.name) fail("there is no other recipe ", rekeyed.rekeys);
  const ScaledRecipe& plain = found->at(scale);
  if (!plain.rekeys.empty() || plain.train.transforms) fail(rekeyed.rekeys, " does not train on plain bytes");
  if (plain.data != rekeyed.data || !std::ranges::includes(plain.seeds, rekeyed.seeds))
    fail(rekeyed.rekeys, " has other data, or not these seeds");
  const auto transforms = prepare::parse_transforms(rekeyed.train.transforms.value_or("[]"), recipe.name);
  if (transforms.permutations.size() != 1 || transforms.pieces || transforms.shuffle || transforms.mask ||
      transforms.noise)
    fail("expected byte_permutation as the only transform");
}

}  // namespace

std::string_view to_string(Scale scale) noexcept { return scale == Scale::kPaper ? "paper" : "small"; }

const Recipe& RecipeBook::at(std::string_view name) const {
  const auto found = std::ranges::find(recipes, name, &Recipe::name);
  if (found != recipes.end()) return *found;
  const auto known = base::words_of(recipes, &Recipe::name);
  base::fail(ErrorCode::kInvalidArgument, "there is no experiment `", base::excerpt(name), "`",
             base::did_you_mean(name, known, "; `byteformer experiments list` shows all"));
}

const Table& RecipeBook::table_of(const Recipe& recipe) const {
  return *std::ranges::find(tables, recipe.table, &Table::name);
}

RecipeBook read_recipes(const fs::path& dir) {
  const std::vector<fs::path> files = yaml_files(dir);
  const auto read = [](const fs::path& path) { return base::read_text_file(path, kMaxFileBytes); };
  const fs::path tables = dir / "shared" / "tables.yaml", settings = dir / "shared" / "settings.yaml";
  RecipeBook book;
  book.tables = parse_tables(read(tables), base::printable(tables));
  const SharedSettingsByName shared = parse_settings(read(settings), base::printable(settings));
  for (const fs::path& file : files)
    book.recipes.push_back(parse_recipe(read(file), base::printable(file), file.stem().string(), shared, book.tables));
  std::ranges::stable_sort(book.recipes, [&](const Recipe& a, const Recipe& b) {
    const auto* const table_a = &book.table_of(a);
    const auto* const table_b = &book.table_of(b);
    return table_a != table_b ? table_a < table_b : comes_before(a.name, b.name);
  });
  for (const Table& table : book.tables)
    if (!table.baseline.empty() && std::ranges::find(book.recipes, table.baseline, &Recipe::name) == book.recipes.end())
      base::fail(ErrorCode::kInvalidFormat, base::About{tables.native()}, "the baseline of ", table.name,
                 " is no recipe: ", base::excerpt(table.baseline));
  for (const Recipe& recipe : book.recipes)
    for (const Scale scale : {Scale::kPaper, Scale::kSmall}) check_rekeying(book, recipe, scale);
  return book;
}

}  // namespace byteformer::experiments
