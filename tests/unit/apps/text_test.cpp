// Text for people: widths, numbers, bars, tables.
#include "output/text.hpp"

#include <gtest/gtest.h>

namespace byteformer::cli {
namespace {

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("cat"), 3U);
  EXPECT_EQ(display_width("naïve"), 5U);
  EXPECT_EQ(display_width("e\u0301"), 1U);  // combining accent
  EXPECT_EQ(display_width("文字"), 4U);
  EXPECT_EQ(display_width("\xff\xfe"), 2U);
}

TEST(Pad, FillsColumnsAndNeverCuts) {
  EXPECT_EQ(pad_right("ï", 3), "ï  ");
  EXPECT_EQ(pad_left("文", 3), " 文");
  EXPECT_EQ(pad_left("long", 2), "long");
}

TEST(Numbers, AreGroupedAndScaled) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(150'668), "150,668");
  EXPECT_EQ(grouped(-1'234'567), "-1,234,567");
  EXPECT_EQ(grouped(-123), "-123");
  EXPECT_EQ(scaled(192), "192");
  EXPECT_EQ(scaled(23.6811e9), "23.681 G");
  EXPECT_EQ(scaled(999'999'999.0), "1.000 G");
  EXPECT_EQ(duration(0.0123456), "12.35 ms");
  EXPECT_EQ(memory_size(1023), "1023 bytes");
  EXPECT_EQ(memory_size(104'857'600), "100.0 MiB");
  EXPECT_EQ(counted(1, "file"), "1 file");
  EXPECT_EQ(counted(2'000, "file"), "2,000 files");
}

TEST(Bar, FillsInEighths) {
  EXPECT_EQ(bar(0, 4, true), "");
  EXPECT_EQ(bar(1, 4, true), "████");
  EXPECT_EQ(bar(0.5, 3, true), "█▌");
  EXPECT_EQ(bar(0.5, 4, false), "##");
}

TEST(Bar, ClampsWhatIsNoFraction) {
  EXPECT_EQ(bar(7, 2, true), "██");
  EXPECT_EQ(bar(-1, 2, true), "");
  EXPECT_EQ(bar(std::numeric_limits<double>::quiet_NaN(), 2, true), "");
}

TEST(Table, AlignsColumns) {
  Table table({{"name", Table::Align::kLeft}, {"size"}, {"note", Table::Align::kLeft}});
  table.add_row({"ï", "1,000", "first"});
  table.add_row({"longer", "7"});
  EXPECT_EQ(table.text(),
            "name     size  note\n"
            "ï       1,000  first\n"
            "longer      7\n");
}

}  // namespace
}  // namespace byteformer::cli
