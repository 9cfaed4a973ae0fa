// Label files.
#include <gtest/gtest.h>

#include "interop/import_export.hpp"
#include "support/errors.hpp"

namespace byteformer::interop {
namespace {

using Labels = std::vector<std::string>;

TEST(LabelsTest, ReadsLinesHoweverTheyEnd) {
  EXPECT_EQ(parse_labels("cat\ndog\n", "t"), (Labels{"cat", "dog"}));
  EXPECT_EQ(parse_labels("cat\r\ndog", "t"), (Labels{"cat", "dog"}));
  EXPECT_EQ(parse_labels("\xEF\xBB\xBF"
                         "cat\n",
                         "t"),
            (Labels{"cat"}));
  EXPECT_EQ(parse_labels(" \xE7\x8C\xAB, tabby \n", "t"), (Labels{" \xE7\x8C\xAB, tabby "}));
  EXPECT_EQ(parse_labels("", "t"), Labels{});
}

TEST(LabelsTest, NamesTheLineThatIsWrong) {
  test::expect_error(ErrorCode::kInvalidFormat, {"labels.txt", "line 2 is empty"},
                     [] { parse_labels("a\n\nb\n", "labels.txt"); });
  test::expect_error(ErrorCode::kInvalidFormat, {"line 3 is not UTF-8", "\\xff"},
                     [] { parse_labels("a\nb\n\xFF\n", "t"); });
}

}  // namespace
}  // namespace byteformer::interop
