// All recipes of a folder, with the tables that they belong to.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/training_request.hpp"
#include "experiments/recipe.hpp"

namespace byteformer::experiments {

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
  data::TrainingRequest train;
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
