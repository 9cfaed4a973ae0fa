// Fuzzes the JSON of `byteformer classify`: any path, label and float must give well-formed JSON that reads back
// exactly.
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/text.hpp"
#include "classify/report.hpp"
#include "output/json.hpp"
#include "support/json_string.hpp"

namespace {

using namespace byteformer;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_string(const std::string& bytes) {
  std::string json;
  cli::append_json_string(json, base::escape_bytes(bytes));
  const auto text = test::decode_json_string(json);
  require(text && base::unescape_bytes(*text) == bytes);
}

void check_number(const std::string& bytes) {
  float number = 0;
  std::memcpy(&number, bytes.data(), std::min(bytes.size(), sizeof(number)));
  std::string json;
  cli::append_json_number(json, number);
  float read_back = 0;
  const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), read_back);
  if (std::isfinite(number)) {
    require(error == std::errc{} && end == json.data() + json.size());
    require(std::memcmp(&number, &read_back, sizeof(number)) == 0);
  } else {
    require(json == "null");
  }
}

/// The whole object is built of checked parts; here only that the path stands where it should, and on one line.
void check_report(const std::string& bytes) {
  cli::Report report;
  report.path = bytes;
  report.predictions = {{0, bytes, 0.5F}};
  const std::string answer = cli::to_json(report);
  std::string path;
  cli::append_json_string(path, base::escape_bytes(bytes));
  require(answer.starts_with("{\"path\":" + path + ",\"status\":\"ok\""));
  require(answer.find('\n') == std::string::npos);
  report.error = Error(ErrorCode::kIo, bytes.c_str());
  require(cli::to_json(report).starts_with("{\"path\":" + path + ",\"status\":\"error\""));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  check_string(bytes);
  check_number(bytes);
  check_report(bytes);
  return 0;
}
