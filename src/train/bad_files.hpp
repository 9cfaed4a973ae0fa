// Training files that cannot be used: each is named once, and too many of them end the run.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/data_set.hpp"
#include "data/loader.hpp"
#include "train/ranks.hpp"

namespace byteformer::train {

/// Notes the files of a batch that have errors, those of all ranks on the first, as one process would note them.
/// Collective.
/// \param files  of this rank, samples of `samples`
/// \param say  gets a line for each that is new, if it is given
/// \param failures  what is known already; grows
/// \throws Error kInvalidFormat where there are too many
void note_bad_files(std::span<const data::LoadedFile> files, std::span<const data::Sample> samples, Ranks& ranks,
                    const std::function<void(const std::string&)>& say, std::vector<std::string>& failures);

}  // namespace byteformer::train
