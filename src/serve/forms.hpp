// The forms in which files come: addresses with their parameters, multipart bodies, base64, packed bodies; and what a
// proxy says of a client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/exchange.hpp"

namespace byteformer::serve {

/// The parts of a request's target.
struct Target {
  std::vector<std::string> path;  ///< between slashes, decoded; "/" is one empty part, "*" (the server itself) none
  std::multimap<std::string, std::string, std::less<>> parameters;

  const std::string* find(std::string_view name) const;  ///< \throws Refusal 400 where it stands twice
  bool flag(std::string_view name) const;  ///< \throws Refusal 400 unless it is 0, 1, true or false

  /// A whole number from `min` to `max`. \throws Refusal 400
  std::optional<std::int64_t> number(std::string_view name, std::int64_t min, std::int64_t max) const;
};

/// A path, "*", or an address with its scheme and host, whatever they are.
/// \throws Refusal 400 for another target, a broken escape, or a zero byte.
Target parse_target(std::string_view target);

/// One file of a multipart body.
struct Part {
  std::string name, file_name;
  std::span<const std::uint8_t> bytes;  ///< in the body
};

/// "multipart/form-data" of "Multipart/Form-Data; boundary=x".
std::string media_type_of(std::string_view value);

/// The parameter of a media type: `boundary` of multipart/form-data; nothing if there is none.
std::optional<std::string> media_type_parameter(std::string_view value, std::string_view name);

/// The parts of a multipart/form-data body in their order. \throws Refusal 400
std::vector<Part> parse_multipart(std::span<const std::uint8_t> body, std::string_view boundary, std::size_t max_parts);

/// Strict base64 with its padding. \throws Refusal 400
std::vector<std::uint8_t> decode_base64(std::string_view text);

/// The address of the client that a proxy saw: what stands last in `value`, since a client may have written the rest.
/// \param field  "x-forwarded-for" or "forwarded"
/// \returns nothing where that is no address of IPv4 or IPv6
std::optional<std::string> forwarded_address(std::string_view field, std::string_view value);

/// The key in the value of Authorization, whatever the case of "Bearer"; empty where it holds none.
std::string_view bearer_key(std::string_view value) noexcept;

/// What Content-Encoding, in all its lines, names but "identity": in lower case, separated by commas; empty: nothing.
std::string coding_of(const Fields& fields);

/// Unpacks a body piece by piece. One thread at a time.
class Unpacker {
 public:
  using Read = std::function<std::size_t(std::span<std::uint8_t>)>;

  /// \param coding  as coding_of(): "gzip" (of one member or more), "x-gzip" or "deflate"
  /// \param read  gives packed bytes, 0 at their end
  /// \throws Refusal 415 for another coding
  Unpacker(std::string_view coding, Read read);
  ~Unpacker();

  /// The next bytes; 0 at the end. \throws Refusal 400 where they are not packed so or end early; what `read` throws.
  std::size_t read(std::span<std::uint8_t> out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace byteformer::serve
