// One request and its answer as the service sees them, without sockets; and how a request is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace byteformer::serve {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// Thrown where a request cannot be answered as asked: an HTTP status and what to tell the client.
struct Refusal {
  int status;
  std::string message;
  Fields fields = {};  ///< that the answer has besides
};

/// Thrown where there is nobody left to answer.
struct ClientGone {};

struct RequestHead {
  std::string method, target;
  Fields fields;  ///< names in lower case
  std::optional<std::uint64_t> content_length;

  /// The value of the first field `name` (in lower case); null if there is none.
  const std::string* find(std::string_view name) const noexcept {
    for (const auto& [field, value] : fields)
      if (field == name) return &value;
    return nullptr;
  }
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";  ///< empty: there is no body
  Fields fields = {};
};

/// One request whose head has come. One thread at a time.
class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const RequestHead& head() const noexcept = 0;
  virtual const std::string& client() const noexcept = 0;  ///< the peer's address

  /// The next bytes of the body; 0 at its end.
  /// \throws Refusal 400 where it is malformed, 408 where it takes too long; ClientGone
  virtual std::size_t read(std::span<std::uint8_t> out) = 0;

  /// Whether the client has closed its side, so that it may not wait for the answer any more.
  virtual bool is_client_gone() noexcept = 0;

  /// Exactly one of these per exchange: a whole answer, or an answer in pieces. \throws ClientGone
  virtual void respond(const Response& response) = 0;
  virtual void begin(const Response& head) = 0;
  virtual void append(std::string_view piece) = 0;
  virtual void end() = 0;
};

}  // namespace byteformer::serve
