// UTF-8, escapes that can be undone, what a terminal may get, joined messages, and misspelt words.
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <random>

#include "support/errors.hpp"

namespace byteformer::base {
namespace {

TEST(TextTest, TellsUtf8FromOtherBytes) {
  for (const char* good :
       {"", "abc", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x90\xB1", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF"})
    EXPECT_TRUE(is_utf8(good)) << excerpt(good);
  for (const char* bad : {"\x80", "\xC3", "\xC0\xAF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "a\xFF"})
    EXPECT_FALSE(is_utf8(bad)) << excerpt(bad);
}

TEST(EscapeTest, LeavesTextAlone) {
  for (const char* text : {"", "photos/cat.jpg", "naïve 文字 😀", "a\\b", "C:\\xyz", "\\x", "\\xA9", "\\\\", "a\nb"})
    EXPECT_EQ(escape_bytes(text), text);
}

TEST(EscapeTest, WritesWhatIsNoUtf8AsHexadecimal) {
  EXPECT_EQ(escape_bytes("caf\xe9.png"), "caf\\xe9.png");
  EXPECT_EQ(escape_bytes("\xc3("), "\\xc3(");                  // truncated sequence
  EXPECT_EQ(escape_bytes("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(escape_bytes("\xed\xb2\x80"), "\\xed\\xb2\\x80");  // a surrogate in disguise
  EXPECT_EQ(escape_bytes("\xe2\x82"), "\\xe2\\x82");           // cut off at the end
}

TEST(EscapeTest, IsNotAmbiguous) {
  EXPECT_EQ(escape_bytes("caf\\xe9.png"), "caf\\x5cxe9.png");  // a name that looks like an escape
  EXPECT_EQ(unescape_bytes("caf\\x5cxe9.png"), "caf\\xe9.png");
  EXPECT_EQ(unescape_bytes("caf\\xe9.png"), "caf\xe9.png");
}

TEST(EscapeTest, IsUndoneForRandomBytes) {
  std::mt19937 random(7);
  constexpr std::string_view kNearEscapes = "\\x5c0ef";
  for (int i = 0; i < 50'000; ++i) {
    std::string bytes(random() % 16, '\0');
    for (char& byte : bytes)
      byte = random() % 2 == 0 ? kNearEscapes[random() % kNearEscapes.size()] : static_cast<char>(random() % 256);
    const std::string text = escape_bytes(bytes);
    ASSERT_TRUE(is_utf8(text));
    ASSERT_EQ(unescape_bytes(text), bytes);
  }
}

TEST(PrintableTest, LetsNoControlThrough) {
  EXPECT_EQ(printable("a\nb\x1b[31mc\x7f"), "a\\x0ab\\x1b[31mc\\x7f");
  EXPECT_EQ(printable("\u009b31m \u0080\u009f"), "\\xc2\\x9b31m \\xc2\\x80\\xc2\\x9f");  // C1: U+009B is ESC [
  EXPECT_EQ(printable("\x9b"), "\\x9b");
  EXPECT_EQ(printable("gpj.\u202egnp \u2066\u2069"), "gpj.\\xe2\\x80\\xaegnp \\xe2\\x81\\xa6\\xe2\\x81\\xa9");
  EXPECT_EQ(printable("naïve \u00a0文字😀 \\x41"), "naïve \u00a0文字😀 \\x41");
  EXPECT_EQ(printable("caf\xe9"), "caf\\xe9");
  EXPECT_EQ(printable("a\nb\tc", "\n"), "a\nb\\x09c");
}

TEST(PrintableTest, IsUtf8AndTheSameTwice) {
  std::mt19937 random(8);
  for (int i = 0; i < 5'000; ++i) {
    std::string bytes(random() % 16, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 256);
    const std::string once = printable(bytes);
    ASSERT_TRUE(is_utf8(once));
    ASSERT_EQ(printable(once), once);
    ASSERT_TRUE(is_utf8(as_utf8(bytes)));
    if (is_utf8(bytes)) {
      ASSERT_EQ(as_utf8(bytes), bytes);
    }
  }
}

TEST(TextTest, ExcerptEscapesAndShortens) {
  EXPECT_EQ(excerpt("caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(excerpt("a\n\x1b[31m\xFF\u009b"), "a\\x0a\\x1b[31m\\xff\\xc2\\x9b");
  const std::string shortened = excerpt(std::string(1000, 'x'));
  EXPECT_EQ(shortened, std::string(60, 'x') + "...");
  EXPECT_EQ(excerpt(std::string(60, 'x')), std::string(60, 'x'));
}

TEST(TextTest, JoinsTextAndNumbers) {
  EXPECT_EQ(joined("a", 'b', 3, -4L, std::string("c"), 0.1, 1e-5, std::uint64_t{18446744073709551615U}),
            "ab3-4c0.11e-0518446744073709551615");
}

TEST(TextTest, ListsWords) {
  const std::vector<std::string> words{"a", "b", "c"};
  EXPECT_EQ(list(words, "|"), "a|b|c");
  EXPECT_EQ(list(words, ", ", " or "), "a, b or c");
  EXPECT_EQ(list(std::span(words).first(1), ", ", " or "), "a");
  EXPECT_EQ(list({}, ", "), "");
}

TEST(TextTest, FailThrowsTheJoinedMessage) {
  test::expect_error(ErrorCode::kInvalidFormat, {"x is 3, expected 4"},
                     [] { fail(ErrorCode::kInvalidFormat, "x is ", 3, ", expected ", 4); });
}

TEST(ErrorTest, CarriesItsSubject) {
  try {
    fail(ErrorCode::kIo, About{"caf\xe9.png"}, "has ", 3, " bytes");
  } catch (const Error& error) {
    EXPECT_EQ(error.subject(), "caf\xe9.png");
    EXPECT_STREQ(error.what(), "caf\\xe9.png: has 3 bytes");
  }
  EXPECT_EQ(Error(ErrorCode::kIo, "disk full").subject(), "");
  static_assert(std::is_nothrow_copy_constructible_v<Error>);
}

TEST(NearestWordTest, FindsMisspeltWords) {
  const std::vector<std::string> commands{"classify", "inspect", "bench", "import", "export"};
  EXPECT_EQ(nearest_word("clasify", commands), "classify");
  EXPECT_EQ(nearest_word("calssify", commands), "classify");  // swapped neighbours
  EXPECT_EQ(nearest_word("imprt", commands), "import");
  EXPECT_EQ(nearest_word("exprot", commands), "export");
  EXPECT_EQ(nearest_word("xyz", commands), std::nullopt);
  EXPECT_EQ(nearest_word("", commands), std::nullopt);
  EXPECT_EQ(nearest_word(std::string(100'000, 'a'), commands), std::nullopt);
}

TEST(NearestWordTest, EndsAMessage) {
  const std::vector<std::string> labels{"cat", "dog\n"};
  EXPECT_EQ(did_you_mean("cta", labels), "; did you mean `cat`?");
  EXPECT_EQ(did_you_mean("dog", labels), "; did you mean `dog\\x0a`?");
  EXPECT_EQ(did_you_mean("horse", labels), "");
  EXPECT_EQ(did_you_mean("horse", labels, "; there are two"), "; there are two");
}

}  // namespace
}  // namespace byteformer::base
