// Splitting a validation set off the training files: stratified, and without a speaker on both sides where that goes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/layouts.hpp"

namespace byteformer::data {

/// A hash of `name` and `seed` that is the same on every platform: an order that is random, yet of the names only.
std::uint64_t hash_of(std::string_view name, std::uint64_t seed) noexcept;

/// Who speaks in the file `name` of class `class_name`: HASH of HASH_nohash_N (Speech Commands), SPEAKER of
/// CLASS_SPEAKER_N (spoken digits); nothing if the name does not tell.
std::optional<std::string> speaker_of(std::string_view name, std::string_view class_name);

/// Moves about `fraction` of every class from `train` to `validation`, at least one file of each class that has two.
/// Whole speakers move if at least half of the files tell theirs and the classes come no further from their share than
/// without a split. Depends on the names and the seed only.
/// \param by_speaker whether whole speakers may move
/// \return "speaker" or "file"
std::string split_off_validation(std::vector<FoundFile>& train, std::vector<FoundFile>& validation, double fraction,
                                 std::uint64_t seed, bool by_speaker = true);

}  // namespace byteformer::data
