// UTF-8, excerpts and joined messages.
#include "format/text.hpp"

#include <gtest/gtest.h>

#include "support/errors.hpp"

namespace byteformer::format {
namespace {

TEST(TextTest, TellsUtf8FromOtherBytes) {
  for (const char* good :
       {"", "abc", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x90\xB1", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF"})
    EXPECT_TRUE(is_utf8(good)) << excerpt(good);
  for (const char* bad : {"\x80", "\xC3", "\xC0\xAF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "a\xFF"})
    EXPECT_FALSE(is_utf8(bad)) << excerpt(bad);
}

TEST(TextTest, ExcerptEscapesAndShortens) {
  EXPECT_EQ(excerpt("caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(excerpt("a\n\x1b[31m\xFF"), "a\\x0a\\x1b[31m\\xff");
  const std::string shortened = excerpt(std::string(1000, 'x'));
  EXPECT_EQ(shortened, std::string(60, 'x') + "...");
}

TEST(TextTest, JoinsTextAndNumbers) {
  EXPECT_EQ(joined("a", 'b', 3, -4L, std::string("c"), 0.1, 1e-5, std::uint64_t{18446744073709551615U}),
            "ab3-4c0.11e-0518446744073709551615");
}

TEST(TextTest, FailThrowsTheJoinedMessage) {
  test::expect_error(ErrorCode::kInvalidFormat, {"x is 3, expected 4"},
                     [] { fail(ErrorCode::kInvalidFormat, "x is ", 3, ", expected ", 4); });
}

}  // namespace
}  // namespace byteformer::format
