// The results page: for each table of the paper what came out here, beside what the paper reports.
#pragma once

#include <filesystem>

#include "experiments/recipe_book.hpp"
#include "experiments/run.hpp"

namespace byteformer::experiments {

/// docs/results.md beside docs/results.
std::filesystem::path page_path(const Places& places);

/// Writes the page and its plots (TABLE.svg, TABLE-curves.svg in `places.results`) from the logs there, and from
/// notes/TABLE.md, sentences of a person, in which {NAME} stands for the mean accuracy of an experiment.
/// \throws Error naming a log or note that cannot be used; kIo, kPermissionDenied.
void write_report(const RecipeBook& book, const Places& places);

}  // namespace byteformer::experiments
