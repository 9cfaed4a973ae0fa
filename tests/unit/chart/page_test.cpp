// The shell of reports: whole, self-contained, and with a title that stays text.
#include "chart/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace byteformer::chart {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(PageTest, IsAWholeDocumentOfItsParts) {
  const std::string page = html_page("a < b", "<p>body</p>", ".mine{color:red}");
  EXPECT_THAT(page, StartsWith("<!doctype html>"));
  EXPECT_THAT(page, HasSubstr("<title>a &lt; b</title>"));
  EXPECT_THAT(page, HasSubstr("<p>body</p>"));
  EXPECT_LT(page.find("body{font"), page.find(".mine{color:red}")) << "a page's own style wins";
  EXPECT_THAT(page, EndsWith("</html>\n"));
}

TEST(PageTest, FollowsTheReaderAndLoadsNothing) {
  const std::string page = html_page("t", "");
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme:dark"));
  for (const char* word : {"<script", "src=", "href=", "url("}) EXPECT_THAT(page, Not(HasSubstr(word)));
}

}  // namespace
}  // namespace byteformer::chart
