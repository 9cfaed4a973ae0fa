// Takes apart what clients send, strictly: whatever is not as its form says is refused.
//
// Multipart is read here because Debian has no library that reads it from memory without an HTTP server of its own; the
// body is held whole and bounded before it comes here, so that this is a search for boundaries.
#include "serve/forms.hpp"

#include <arpa/inet.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text.hpp"

namespace byteformer::serve {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw Refusal{400, message}; }

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string unescaped(std::string_view text, bool plus_is_space) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0)
        refuse("the address has a % without two hexadecimal digits");
      c = static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (c == '\0') refuse("the address holds a zero byte");
    result += c;
  }
  return result;
}

/// Calls `take` with each part of `text` between separators.
template <typename Take>
void for_each_part(std::string_view text, char separator, const Take& take) {
  for (;;) {
    const std::size_t end = text.find(separator);
    take(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

bool equals_without_case(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// What the last element of Forwarded (RFC 7239) says of "for"; empty where it says nothing, and where anything in the
/// field is not as its grammar says: a client may have written what comes first, so that quotes close elsewhere.
std::string last_forwarded_for(std::string_view value) {
  constexpr std::string_view kSpace = " \t", kEnds = " \t,;=\"\\";
  std::size_t at = 0;
  const auto skip_space = [&] { at = std::min(value.find_first_not_of(kSpace, at), value.size()); };
  const auto take_word = [&] {
    const std::size_t begin = std::exchange(at, std::min(value.find_first_of(kEnds, at), value.size()));
    return value.substr(begin, at - begin);
  };
  const auto take_quoted = [&]() -> std::optional<std::string> {
    std::string text;
    for (++at; at < value.size() && value[at] != '"'; ++at) {
      if (value[at] == '\\') ++at;
      if (at < value.size()) text += value[at];
    }
    if (at++ >= value.size()) return std::nullopt;  // never closed
    return text;
  };
  std::string address;
  for (;;) {
    skip_space();
    const std::string_view name = take_word();
    if (at == value.size() && name.empty()) return address;
    if (at == value.size() || name.empty() || value[at++] != '=') return {};
    const bool is_quoted = at < value.size() && value[at] == '"';
    const std::optional<std::string> said = is_quoted ? take_quoted() : std::string(take_word());
    if (!said || said->empty()) return {};
    if (equals_without_case(name, "for")) address = *said;
    skip_space();
    if (at == value.size()) return address;
    const char separator = value[at++];
    if (separator != ',' && separator != ';') return {};
    if (separator == ',') address.clear();
  }
}

/// Fills in what the head of a part says of it.
void read_part_head(std::string_view head, Part& part) {
  while (!head.empty()) {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) refuse("a part of the multipart body has a header line without a colon");
    if (!equals_without_case(line.substr(0, colon), "content-disposition")) continue;
    const std::string_view value = line.substr(colon + 1);
    part.name = media_type_parameter(value, "name").value_or("");
    part.file_name = media_type_parameter(value, "filename").value_or("");
  }
}

}  // namespace

const std::string* Target::find(std::string_view name) const {
  const auto [begin, end] = parameters.equal_range(name);
  if (begin == end) return nullptr;
  if (std::next(begin) != end) refuse(base::joined("the parameter ", name, " stands twice"));
  return &begin->second;
}

bool Target::flag(std::string_view name) const {
  const std::string* value = find(name);
  if (value == nullptr || *value == "0" || *value == "false") return false;
  if (*value == "1" || *value == "true" || value->empty()) return true;
  refuse(base::joined(name, " must be 0 or 1"));
}

std::optional<std::int64_t> Target::number(std::string_view name, std::int64_t min, std::int64_t max) const {
  const std::string* value = find(name);
  if (value == nullptr) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error != std::errc{} || end != value->data() + value->size() || number < min || number > max)
    refuse(base::joined(name, " must be a whole number from ", min, " to ", max));
  return number;
}

Target parse_target(std::string_view target) {
  Target result;
  if (target == "*") return result;
  bool has_host = false;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (has_host || !equals_without_case(target.substr(0, scheme.size()), scheme)) continue;
    has_host = true;
    target.remove_prefix(std::min(target.find_first_of("/?#", scheme.size()), target.size()));
  }
  if (!has_host && !target.starts_with('/')) refuse("the address must be a path");
  target = target.substr(0, target.find('#'));
  const std::size_t question = target.find('?');
  std::string_view path = target.substr(0, question);
  if (!path.empty()) path.remove_prefix(1);  // the first slash
  for_each_part(path, '/', [&](std::string_view part) { result.path.push_back(unescaped(part, false)); });
  if (question == std::string_view::npos || question + 1 == target.size()) return result;
  for_each_part(target.substr(question + 1), '&', [&](std::string_view parameter) {
    if (parameter.empty()) return;
    const std::size_t equals = parameter.find('=');
    result.parameters.emplace(
        unescaped(parameter.substr(0, equals), true),
        equals == std::string_view::npos ? std::string() : unescaped(parameter.substr(equals + 1), true));
  });
  return result;
}

std::string media_type_of(std::string_view value) {
  return base::lower_case(trimmed(value.substr(0, value.find(';'))));
}

std::optional<std::string> media_type_parameter(std::string_view value, std::string_view name) {
  std::size_t at = value.find(';');
  while (at != std::string_view::npos && at < value.size()) {
    value = trimmed(value.substr(at + 1));
    const std::size_t equals = value.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view key = trimmed(value.substr(0, equals));
    value.remove_prefix(equals + 1);
    std::string found;
    if (value.starts_with('"')) {
      std::size_t i = 1;
      for (; i < value.size() && value[i] != '"'; ++i) {
        if (value[i] == '\\' && i + 1 < value.size()) ++i;
        found += value[i];
      }
      if (i >= value.size()) return std::nullopt;  // never closed
      at = value.find(';', i);
    } else {
      at = value.find(';');
      found = trimmed(value.substr(0, at));
    }
    if (equals_without_case(key, name)) return found;
  }
  return std::nullopt;
}

std::vector<Part> parse_multipart(std::span<const std::uint8_t> body, std::string_view boundary,
                                  std::size_t max_parts) {
  if (boundary.empty() || boundary.size() > 70) refuse("a multipart body needs a boundary of 1 to 70 characters");
  const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
  const std::string delimiter = base::joined("\r\n--", boundary);
  std::vector<Part> parts;
  // The first boundary may stand at the very start, without a line's end before it.
  const std::string_view first = std::string_view(delimiter).substr(2);
  std::size_t at = text.starts_with(first) ? first.size() : text.find(delimiter);
  if (at == std::string_view::npos) refuse("the multipart body does not hold its boundary");
  if (at != first.size() || !text.starts_with(first)) at += delimiter.size();
  for (;;) {
    if (text.substr(at).starts_with("--")) return parts;  // what follows the last boundary means nothing
    const std::size_t line_end = text.find("\r\n", at);
    if (line_end == std::string_view::npos || !trimmed(text.substr(at, line_end - at)).empty())
      refuse("a boundary of the multipart body is not followed by a line's end");
    const std::size_t begin = line_end + 2;
    // A part without header lines begins with the empty line that ends them.
    const std::size_t head_end = text.substr(begin).starts_with("\r\n") ? begin : text.find("\r\n\r\n", begin);
    const std::size_t content = head_end == begin ? begin + 2 : head_end + 4;
    if (head_end == std::string_view::npos) refuse("a part of the multipart body has no end of its header");
    const std::size_t end = text.find(delimiter, content == begin + 2 ? begin : content - 2);
    if (end == std::string_view::npos || end + 2 < content) refuse("the multipart body ends inside a part");
    if (parts.size() == max_parts) refuse(base::joined("more than ", max_parts, " parts in one request"));
    Part& part = parts.emplace_back();
    read_part_head(text.substr(begin, head_end - begin), part);
    if (end >= content) part.bytes = body.subspan(content, end - content);
    at = end + delimiter.size();
  }
}

std::vector<std::uint8_t> decode_base64(std::string_view text) {
  const auto value_of = [](char c) -> int {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
  };
  if (text.size() % 4 != 0) refuse("base64 must have a length that is a multiple of 4");
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < text.size() - padding; ++i) {
    const int value = value_of(text[i]);
    if (value < 0) refuse("base64 holds a character that it does not have");
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if (i % 4 != 0) bytes.push_back(static_cast<std::uint8_t>(bits >> (6 - i % 4 * 2)));
  }
  return bytes;
}

std::optional<std::string> forwarded_address(std::string_view field, std::string_view value) {
  std::string_view last = value;
  for_each_part(value, ',', [&](std::string_view part) { last = part; });
  std::string address(trimmed(last));
  if (field == "forwarded") address = last_forwarded_for(value);
  // [2001:db8::1]:80, 2001:db8::1, 192.0.2.1:80 or 192.0.2.1
  if (address.starts_with('['))
    address = address.substr(1, address.find(']') - 1);
  else if (std::ranges::count(address, ':') == 1)
    address.resize(address.find(':'));
  std::array<std::uint8_t, sizeof(in6_addr)> parsed{};
  const bool is_address = ::inet_pton(AF_INET, address.c_str(), parsed.data()) == 1 ||
                          ::inet_pton(AF_INET6, address.c_str(), parsed.data()) == 1;
  return is_address ? std::optional<std::string>(address.c_str()) : std::nullopt;  // no further than was looked at
}

std::string_view bearer_key(std::string_view value) noexcept {
  const std::size_t space = value.find(' ');
  if (space == std::string_view::npos || !equals_without_case(value.substr(0, space), "bearer")) return {};
  return trimmed(value.substr(space));
}

std::string coding_of(const Fields& fields) {
  std::string codings;
  for (const auto& [field, value] : fields) {
    if (field != "content-encoding") continue;
    for_each_part(value, ',', [&](std::string_view coding) {
      coding = trimmed(coding);
      if (!coding.empty() && !equals_without_case(coding, "identity"))
        codings += (codings.empty() ? "" : ",") + base::lower_case(coding);
    });
  }
  return codings;
}

struct Unpacker::State {
  std::string coding;
  Read read;
  z_stream stream{};
  std::array<std::uint8_t, 1 << 14> in{};
  bool is_done = false;
};

Unpacker::Unpacker(std::string_view coding, Read read) : state_(std::make_unique<State>()) {
  state_->coding = coding == "x-gzip" ? "gzip" : coding;
  if (state_->coding != "gzip" && state_->coding != "deflate")
    throw Refusal{415, "the only values of Content-Encoding that are understood are gzip and deflate"};
  state_->read = std::move(read);
  const int gzip_only = state_->coding == "gzip" ? 16 : 0;  // deflate is, in HTTP, the format of zlib
  if (inflateInit2(&state_->stream, MAX_WBITS + gzip_only) != Z_OK) throw std::bad_alloc();
}

Unpacker::~Unpacker() { inflateEnd(&state_->stream); }

std::size_t Unpacker::read(std::span<std::uint8_t> out) {
  State& state = *state_;
  z_stream& stream = state.stream;
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(std::min<std::size_t>(out.size(), 1 << 30));
  const uInt wanted = stream.avail_out;
  const auto has_more = [&] {
    if (stream.avail_in != 0) return true;
    stream.next_in = state.in.data();
    stream.avail_in = static_cast<uInt>(state.read(state.in));
    return stream.avail_in != 0;
  };
  while (!state.is_done && stream.avail_out == wanted) {
    if (!has_more()) refuse(base::joined("the ", state.coding, " body ends early"));
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status == Z_STREAM_END) {
      state.is_done = !has_more();
      if (state.is_done) break;
      if (state.coding != "gzip") refuse(base::joined("something follows the ", state.coding, " body"));
      inflateReset(&stream);  // another member: RFC 1952, 2.2
    } else if (status != Z_OK) {
      refuse(base::joined("the body is no ", state.coding, ", although Content-Encoding says so"));
    }
  }
  return wanted - stream.avail_out;
}

}  // namespace byteformer::serve
