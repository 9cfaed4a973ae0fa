// The experiments of the paper as recipe files tell them: all recipes of a folder, with the tables that they belong to.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/settings.hpp"

namespace byteformer::experiments {

enum class MediaKind { kPictures, kSounds, kBoth };

struct DataSource {
  std::string_view name;    ///< in recipes
  std::string_view title;   ///< for people
  std::string_view folder;  ///< below the folder of all data
  MediaKind kind = MediaKind::kPictures;
  std::string_view how_to_get;  ///< a sentence
};

std::span<const DataSource> data_sources() noexcept;

/// Null if there is none of this name.
const DataSource* find_data_source(std::string_view name) noexcept;

/// Where `source` is, below `data_dir`.
/// \throws Error kNotFound naming the folder that was looked for, and how to get what belongs there.
std::filesystem::path locate(const DataSource& source, const std::filesystem::path& data_dir);

/// `kPaper`: as published, on a cluster. `kSmall`: data that a script unpacks, minutes on two cores.
enum class Scale { kPaper, kSmall };

std::string_view to_string(Scale scale) noexcept;  ///< "paper", "small"

/// What the paper reports of an experiment.
struct PaperFigure {
  double top1 = 0;     ///< percent of the test files
  std::string source;  ///< "paper" or "released weights"
};

/// An experiment at one scale.
struct ScaledRecipe {
  const DataSource* data = nullptr;
  std::vector<const DataSource*> tests;  ///< whose test files judge the model; at least one
  plan::Request train;                   ///< all settings; data, output, seed and machine are not among them
  std::vector<std::int64_t> seeds;       ///< ascending, at least one
  /// Where this is not empty nothing is trained: the model of that experiment and seed is rekeyed by the permutation in
  /// train.transforms, and answers permuted files.
  std::string rekeys;
};

struct Recipe {
  std::string name;      ///< also of the file
  std::string title;     ///< a few words, for tables and plots
  std::string table;     ///< one of those of the book
  std::string question;  ///< one sentence
  std::optional<PaperFigure> figure;
  std::string remark;  ///< what else the paper says; may be empty
  ScaledRecipe paper, small;

  const ScaledRecipe& at(Scale scale) const noexcept { return scale == Scale::kPaper ? paper : small; }
};

/// A table of the paper.
struct Table {
  std::string name;
  std::string title;
  std::string text;      ///< Markdown: what is asked, and what the small scale does otherwise
  std::string baseline;  ///< an experiment of another table to compare with; may be empty
};

/// Data and settings that several recipes share.
struct SharedSettings {
  const DataSource* data = nullptr;
  std::vector<const DataSource*> tests;
  plan::Request train;
};
using SharedSettingsByName = std::map<std::string, SharedSettings, std::less<>>;

struct RecipeBook {
  std::vector<Table> tables;    ///< in the order of their file
  std::vector<Recipe> recipes;  ///< table by table; within one by name, numbers in their order

  /// \throws Error kInvalidArgument with the nearest name.
  const Recipe& at(std::string_view name) const;
  const Table& table_of(const Recipe& recipe) const;
};

/// Reads `dir`/*.yaml, `dir`/shared/settings.yaml and `dir`/shared/tables.yaml.
/// \throws Error kNotFound if there are none; kInvalidFormat naming file, line, key, what was expected, what was found,
///         and of names the nearest.
RecipeBook read_recipes(const std::filesystem::path& dir);

// Its parts, for those who have texts.

std::vector<Table> parse_tables(std::string_view yaml, const std::string& source);
SharedSettingsByName parse_settings(std::string_view yaml, const std::string& source);
/// \param source the file's name, for messages
/// \param name   what the recipe must call itself
Recipe parse_recipe(std::string_view yaml, const std::string& source, std::string_view name,
                    const SharedSettingsByName& settings, const std::vector<Table>& tables);

}  // namespace byteformer::experiments
