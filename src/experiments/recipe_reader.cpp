// Reads a recipe key by key, and the settings and tables that recipes share.
#include <algorithm>
#include <array>
#include <variant>

#include "base/random.hpp"
#include "base/text.hpp"
#include "bytes/transforms.hpp"
#include "experiments/recipe_book.hpp"
#include "interop/yaml_file.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::experiments {
namespace {

using interop::YamlFile;

constexpr std::int64_t kMaxSeed = 1'000'000'000;

// Transforms of bytes: a list of mappings, as in a model's `preprocess`.

using bytes::Transforms;

/// The value at `key`. \throws Error kInvalidFormat where there is none.
template <typename T>
T required(const YamlFile& yaml, std::string_view key, const std::optional<T>& value, std::string_view expected) {
  if (!value) yaml.refuse_absence(key, expected);
  return *value;
}

std::uint64_t read_seed(const YamlFile& yaml) {
  return static_cast<std::uint64_t>(yaml.integer("seed", 0, UINT32_MAX).value_or(base::kPublishedSeed));
}

void read_shuffle(const YamlFile& yaml, Transforms& transforms) {
  const auto mode = yaml.choice("mode", {"reverse", "cyclic_half_length", "stride", "window_shuffle", "random_shuffle"},
                                ErrorCode::kInvalidFormat);
  bytes::Shuffle shuffle;
  shuffle.mode = bytes::parse_shuffle_mode(required(yaml, "mode", mode, "reverse, cyclic_half_length, ..."));
  if (bytes::has_size(shuffle.mode))
    shuffle.n = static_cast<std::uint32_t>(yaml.integer("n", 1, bytes::Shuffle::kMaxSize).value_or(shuffle.n));
  transforms.shuffle = shuffle;
}

void read_mask(const YamlFile& yaml, Transforms& transforms) {
  constexpr std::string_view kExpected = "the share of positions to keep";
  const double keep_frac = required(yaml, "keep_frac", yaml.number("keep_frac", 1e-9, 1), kExpected);
  transforms.mask = {keep_frac, read_seed(yaml)};
}

void read_noise(const YamlFile& yaml, Transforms& transforms) {
  const auto bound = [&](std::string_view key) {
    constexpr int kMost = bytes::UniformNoise::kMaxWidth;
    return static_cast<int>(required(yaml, key, yaml.integer(key, -kMost, kMost), "the numbers to add: low and high"));
  };
  transforms.noise = {bound("low"), bound("high")};
  if (transforms.noise->low > transforms.noise->high)
    yaml.refuse("low", base::joined("at most the ", transforms.noise->high, " of high"));
}

void read_permutation(const YamlFile& yaml, Transforms& transforms) {
  transforms.permutations.push_back(bytes::BytePermutation::of_seed(read_seed(yaml)));
}

struct Type {
  std::string_view name;
  void (*read)(const YamlFile&, Transforms&);
};
/// In the order in which they are applied.
constexpr std::array<Type, 4> kTypes = {{{"shuffle", read_shuffle},
                                         {"mask_positions", read_mask},
                                         {"random_uniform", read_noise},
                                         {"byte_permutation", read_permutation}}};

std::size_t read_type(const YamlFile& yaml) {
  const auto name = required(
      yaml, "type",
      yaml.choice("type", {kTypes[0].name, kTypes[1].name, kTypes[2].name, kTypes[3].name}, ErrorCode::kInvalidFormat),
      "shuffle, mask_positions, random_uniform or byte_permutation");
  std::size_t i = 0;
  while (kTypes[i].name != name) ++i;
  return i;
}

/// The list of transforms at `path` as JSON, the form of prepare::parse_transforms(); nothing where it is absent.
std::optional<std::string> read_transforms(const YamlFile& yaml, const std::string& path) {
  const std::vector<YamlFile> items = yaml.sections(path);
  if (items.empty()) return std::nullopt;
  Transforms transforms;
  std::size_t next = 0;  // the first type that may come
  for (const YamlFile& item : items) {
    const std::size_t type = read_type(item);
    if (type < next)
      item.refuse("type", "each once, in this order: shuffle, mask_positions, random_uniform, byte_permutation");
    kTypes[type].read(item, transforms);
    interop::require_known_keys(item);
    next = type + 1;
  }
  bytes::validate(transforms);
  return prepare::transforms_json(transforms);
}

// The settings of a training: options of `byteformer train`, with underscores.

/// Reads the key of one setting into its member of `request`.
class ReadSetting {
 public:
  ReadSetting(const YamlFile& yaml, const std::string& prefix, const plan::Setting& setting, plan::Request& request)
      : yaml_(yaml), path_(prefix + plan::key(setting)), setting_(setting), request_(request) {}

  void operator()(const plan::Flag&) { value<bool>() = yaml_.boolean(path_).value_or(false); }
  void operator()(const plan::Text&) {
    const bool is_list = setting_.member == plan::Member(&plan::Request::transforms);
    value<std::optional<std::string>>() = is_list ? read_transforms(yaml_, path_) : yaml_.text(path_);
  }
  void operator()(const plan::Choice& choice) {
    value<std::optional<std::string>>() = yaml_.choice(path_, choice.values, ErrorCode::kInvalidFormat);
  }
  void operator()(const plan::Whole& range) {
    value<std::optional<std::int64_t>>() = yaml_.integer(path_, range.min, range.max);
  }
  void operator()(const plan::Decimal& range) {
    value<std::optional<double>>() = yaml_.number(path_, range.min, range.max);
  }
  void operator()(const plan::Duration&) {
    value<std::optional<double>>() = yaml_.number(path_, plan::Duration::kMin, plan::Duration::kMax);
  }

 private:
  template <typename T>
  T& value() {
    return request_.*std::get<T plan::Request::*>(setting_.member);
  }

  const YamlFile& yaml_;
  std::string path_;
  const plan::Setting& setting_;
  plan::Request& request_;
};

bool is_for_recipes(plan::Group group) {
  return group == plan::Group::kFiles || group == plan::Group::kModel || group == plan::Group::kSchedule;
}

/// What stands below `prefix` ("small.train."): those options that decide what is computed. Data, output, seed and
/// machine are not a recipe's to say.
plan::Request read_train_settings(const YamlFile& yaml, const std::string& prefix) {
  plan::Request request;
  for (const plan::Setting& setting : plan::settings())
    if (is_for_recipes(setting.group)) std::visit(ReadSetting(yaml, prefix, setting, request), setting.values);
  return request;
}

// Recipes, and what they share.

std::string required_text(const YamlFile& yaml, std::string_view path, std::string_view expected) {
  const auto text = yaml.text(path);
  if (!text) yaml.refuse_absence(path, expected);
  if (text->empty()) yaml.refuse(path, expected);
  return *text;
}

/// \throws Error for the text at `path`, which is none of `known`.
[[noreturn]] void refuse_name(const YamlFile& yaml, std::string_view path, const std::vector<std::string>& known) {
  yaml.refuse(path, "one of " + base::list(known, ", ") + base::did_you_mean(yaml.text(path).value(), known));
}

const DataSource& data_source_at(const YamlFile& yaml, std::string_view path, const std::string& name) {
  if (const DataSource* source = find_data_source(name)) return *source;
  const auto known = base::words_of(data_sources(), &DataSource::name);
  yaml.refuse(path, "the name of data" + base::did_you_mean(name, known, ", such as " + known.front()));
}

std::vector<const DataSource*> read_tests(const YamlFile& yaml, const std::string& path) {
  std::vector<const DataSource*> tests;
  for (const std::string& name : yaml.texts(path).value_or(std::vector<std::string>()))
    tests.push_back(&data_source_at(yaml, path, name));
  return tests;
}

/// The settings that the section at `prefix` builds upon; where it names none, none.
SharedSettings read_like(const YamlFile& yaml, const std::string& prefix, const SharedSettingsByName& settings) {
  const std::string path = prefix + "like";
  const auto name = yaml.text(path);
  if (!name) return {};
  const auto found = settings.find(*name);
  if (found != settings.end()) return found->second;
  refuse_name(yaml, path, base::words_of(settings, &SharedSettingsByName::value_type::first));
}

SharedSettings read_settings(const YamlFile& yaml, const std::string& prefix) {
  SharedSettings settings;
  if (const auto name = yaml.text(prefix + "data")) settings.data = &data_source_at(yaml, prefix + "data", *name);
  settings.tests = read_tests(yaml, prefix + "tests");
  settings.train = read_train_settings(yaml, prefix + "train.");
  return settings;
}

std::vector<std::int64_t> read_seeds(const YamlFile& yaml, const std::string& path) {
  std::vector<std::int64_t> seeds = yaml.integers(path).value_or(std::vector<std::int64_t>{0});
  const bool is_ascending = std::ranges::adjacent_find(seeds, std::greater_equal<>()) == seeds.end();
  if (seeds.empty() || !is_ascending || seeds.front() < 0 || seeds.back() > kMaxSeed)
    yaml.refuse(path, base::joined("ascending numbers from 0 to ", kMaxSeed));
  return seeds;
}

/// Whether files of `source` can be made into what `train` asks for.
void check_encoding(const YamlFile& yaml, const std::string& place, const ScaledRecipe& recipe) {
  const auto& encode = recipe.train.encode;
  if (!encode || *encode == "as-is" || recipe.data->kind == MediaKind::kBoth) return;
  const bool is_picture = prepare::is_image(prepare::parse_file_format(*encode));
  if (is_picture != (recipe.data->kind == MediaKind::kPictures))
    base::fail(ErrorCode::kInvalidFormat, yaml.source(), ": ", place, " encodes as ", *encode, ", but ",
               recipe.data->name, " has no ", is_picture ? "pictures" : "sounds");
}

ScaledRecipe read_scale(const YamlFile& yaml, const std::string& section, const plan::Request& common,
                        const SharedSettingsByName& shared) {
  const std::string prefix = section + ".";
  const SharedSettings like = read_like(yaml, prefix, shared);
  const SharedSettings own = read_settings(yaml, prefix);
  ScaledRecipe recipe;
  recipe.data = own.data != nullptr ? own.data : like.data;
  if (recipe.data == nullptr)
    yaml.refuse_absence(prefix + "data", "the name of data, or `like` with settings that say");
  recipe.tests = !own.tests.empty() ? own.tests : own.data == nullptr ? like.tests : std::vector<const DataSource*>();
  if (recipe.tests.empty()) recipe.tests = {recipe.data};
  recipe.train = own.train;  // the nearer wins
  plan::fill_in(recipe.train, common);
  plan::fill_in(recipe.train, like.train);
  recipe.seeds = read_seeds(yaml, prefix + "seeds");
  recipe.rekeys = yaml.text(prefix + "rekeys").value_or("");
  check_encoding(yaml, section, recipe);
  return recipe;
}

std::optional<PaperFigure> read_figure(const YamlFile& yaml) {
  const auto top1 = yaml.number("reported.top1", 0, 100);
  const auto source = yaml.choice("reported.source", {"paper", "released weights"}, ErrorCode::kInvalidFormat);
  if (!top1 && source) yaml.refuse_absence("reported.top1", "the accuracy in percent");
  if (!top1) return std::nullopt;
  if (!source) yaml.refuse_absence("reported.source", "paper or released weights");
  return PaperFigure{*top1, *source};
}

}  // namespace

std::vector<Table> parse_tables(std::string_view text, const std::string& source) {
  const YamlFile yaml(text, source);
  std::vector<Table> tables;
  for (const YamlFile& item : yaml.sections("tables")) {
    tables.push_back({required_text(item, "name", "a word"), required_text(item, "title", "a heading"),
                      required_text(item, "text", "what is asked"), item.text("baseline").value_or("")});
    interop::require_known_keys(item);
    if (std::ranges::count(tables, tables.back().name, &Table::name) > 1)
      item.refuse("name", "a name that no other table has");
  }
  if (tables.empty()) yaml.refuse_absence("tables", "a list of tables");
  interop::require_known_keys(yaml);
  return tables;
}

SharedSettingsByName parse_settings(std::string_view text, const std::string& source) {
  const YamlFile yaml(text, source);
  SharedSettingsByName settings;
  for (const auto& [path, line, is_null] : yaml.keys()) {
    const std::string name = path.substr(0, path.find('.'));
    if (path != name && !settings.contains(name)) settings[name] = read_settings(yaml, name + ".");
  }
  interop::require_known_keys(yaml);
  return settings;
}

Recipe parse_recipe(std::string_view text, const std::string& source, std::string_view name,
                    const SharedSettingsByName& settings, const std::vector<Table>& tables) {
  const YamlFile yaml(text, source);
  Recipe recipe;
  recipe.name = required_text(yaml, "name", name);
  if (recipe.name != name) yaml.refuse("name", base::joined(name, ", as the file is called"));
  recipe.title = required_text(yaml, "title", "a few words");
  recipe.table = required_text(yaml, "table", "the name of a table");
  if (std::ranges::find(tables, recipe.table, &Table::name) == tables.end())
    refuse_name(yaml, "table", base::words_of(tables, &Table::name));
  recipe.question = required_text(yaml, "question", "a sentence");
  recipe.figure = read_figure(yaml);
  recipe.remark = yaml.text("reported.remark").value_or("");
  const plan::Request common = read_train_settings(yaml, "train.");
  recipe.paper = read_scale(yaml, "paper", common, settings);
  recipe.small = read_scale(yaml, "small", common, settings);
  interop::require_known_keys(yaml);
  return recipe;
}

}  // namespace byteformer::experiments
