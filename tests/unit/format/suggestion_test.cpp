// Suggestions for misspelt words.
#include "format/suggestion.hpp"

#include <gtest/gtest.h>

namespace byteformer::format {
namespace {

TEST(SuggestionTest, FindsMisspeltWords) {
  const std::vector<std::string> commands{"classify", "inspect", "bench", "import", "export"};
  EXPECT_EQ(nearest_word("clasify", commands), "classify");
  EXPECT_EQ(nearest_word("calssify", commands), "classify");  // swapped neighbours
  EXPECT_EQ(nearest_word("imprt", commands), "import");
  EXPECT_EQ(nearest_word("exprot", commands), "export");
  EXPECT_EQ(nearest_word("xyz", commands), std::nullopt);
  EXPECT_EQ(nearest_word("", commands), std::nullopt);
  EXPECT_EQ(nearest_word(std::string(100'000, 'a'), commands), std::nullopt);
}

TEST(SuggestionTest, EndsAMessage) {
  const std::vector<std::string> labels{"cat", "dog\n"};
  EXPECT_EQ(did_you_mean("cta", labels), "; did you mean `cat`?");
  EXPECT_EQ(did_you_mean("dog", labels), "; did you mean `dog\\x0a`?");
  EXPECT_EQ(did_you_mean("horse", labels), "");
  EXPECT_EQ(did_you_mean("horse", labels, "; there are two"), "; there are two");
}

}  // namespace
}  // namespace byteformer::format
