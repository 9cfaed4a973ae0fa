// "Did you mean ...?": the word nearest to a misspelt one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace byteformer::format {

/// The word of `known` that takes the fewest insertions, deletions, replacements and swaps of neighbours to get to from
/// `word`; nothing if even that one differs in more than a third of its letters (but one error is always forgiven).
std::optional<std::string> nearest_word(std::string_view word, const std::vector<std::string>& known);

/// The end of a message about `word`, which is none of `known`: "; did you mean `nearest`?", or else `otherwise`.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known, std::string_view otherwise = "");

}  // namespace byteformer::format
