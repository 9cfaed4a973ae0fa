// The parts of the results page that belong to one table of the paper.
#pragma once

#include <string>

#include "experiments/outcome.hpp"
#include "experiments/recipe_book.hpp"

namespace byteformer::experiments {

/// Whether any experiment of `table` was run.
bool has_runs(const RecipeBook& book, const Table& table, const LogsByName& logs);

/// Markdown: a line for each experiment that was run and the data that judged it, and which were not run.
std::string results_table(const RecipeBook& book, const Table& table, const LogsByName& logs);

/// TABLE.svg, bars of accuracy, and TABLE-curves.svg, validation accuracy by epoch. There must be runs.
/// \throws Error kIo, kPermissionDenied
void write_plots(const RecipeBook& book, const Table& table, const LogsByName& logs, const Places& places);

/// Markdown that shows the plots, which lie in `folder`; empty where there are no runs.
std::string plot_links(const RecipeBook& book, const Table& table, const LogsByName& logs, const std::string& folder);

/// What a person wrote about the table, with its {NAME}s replaced; empty where nothing was written.
/// \throws Error kInvalidFormat for a name that is no experiment's
std::string note(const Table& table, const LogsByName& logs, const Places& places);

/// Markdown: the command that trains the first seed of each experiment, folded away.
std::string commands(const RecipeBook& book, const Table& table);

}  // namespace byteformer::experiments
