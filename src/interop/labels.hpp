// Files of class labels: one a line.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace byteformer::interop {

/// The labels in `text`, UTF-8, lines ended by LF or CRLF (the last one may lack it).
/// \throws Error kInvalidFormat naming `source` and the line that is empty or not UTF-8.
std::vector<std::string> parse_labels(std::string_view text, const std::string& source);

/// \throws Error as parse_labels, and the errors of opening a file.
std::vector<std::string> read_labels(const std::filesystem::path& path);

}  // namespace byteformer::interop
