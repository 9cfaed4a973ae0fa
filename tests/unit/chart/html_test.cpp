// Whatever a name holds, it stays text.
#include <gtest/gtest.h>

#include "chart/page.hpp"

namespace byteformer::chart {
namespace {

TEST(HtmlTest, MarkupBecomesText) {
  EXPECT_EQ(escaped(R"(<a href="x" id='y'>&amp;)"), "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;");
}

TEST(HtmlTest, LettersStay) { EXPECT_EQ(escaped("Käse\t5 %\n"), "Käse\t5 %\n"); }

TEST(HtmlTest, WhatNoPageShouldGetIsEscaped) {
  EXPECT_EQ(escaped(std::string("a\0b\x1b\x7f", 5)), "a\\x00b\\x1b\\x7f");
  EXPECT_EQ(escaped("caf\xe9\u202e"), "caf\\xe9\\xe2\\x80\\xae");
}

}  // namespace
}  // namespace byteformer::chart
