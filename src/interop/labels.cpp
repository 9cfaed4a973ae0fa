// Reading label files.
#include "interop/labels.hpp"

#include "base/file_io.hpp"
#include "format/text.hpp"

namespace byteformer::interop {
namespace {

constexpr std::size_t kMaxLabelFileBytes = 64 << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

std::vector<std::string> parse_labels(std::string_view text, const std::string& source) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> labels;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t number = labels.size() + 1;
    if (line.empty())
      format::fail(ErrorCode::kInvalidFormat, base::About{source}, "line ", number,
                   " is empty, expected one label a line");
    if (!format::is_utf8(line))
      format::fail(ErrorCode::kInvalidFormat, base::About{source}, "line ", number, " is not UTF-8: \"",
                   format::excerpt(line), '"');
    labels.emplace_back(line);
  }
  return labels;
}

std::vector<std::string> read_labels(const std::filesystem::path& path) {
  return parse_labels(base::read_text_file(path, kMaxLabelFileBytes), base::printable(path));
}

}  // namespace byteformer::interop
