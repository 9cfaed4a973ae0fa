// One request on its way through the service: shared by the files that answer it.
#pragma once

#include <algorithm>
#include <optional>
#include <semaphore>
#include <string>
#include <string_view>
#include <vector>

#include "serve/service.hpp"

namespace byteformer::serve {

inline constexpr std::size_t kPieceBytes = 1 << 16;  ///< of a body that are read at once
inline constexpr std::size_t kLongestName = 1024;    ///< that a client gives a file, in bytes

/// The name that a client gave a file, cut at a character's end where it is too long.
inline std::string shortened_name(std::string_view name) {
  std::size_t size = std::min(name.size(), kLongestName);
  const auto is_inside = [&] { return size < name.size() && (static_cast<unsigned char>(name[size]) & 0xC0) == 0x80; };
  while (size + 3 > kLongestName && is_inside()) --size;
  return std::string(name.substr(0, size));
}

struct Service::Request {
  Request(Exchange& exchange_, ByteBudget& budget) : exchange(exchange_), share(budget) {}

  Exchange& exchange;
  ByteBudget::Share share;
  Clock::time_point start = Clock::now();
  std::string id;
  std::string address;  ///< the peer's, or that of whom the proxy speaks for
  std::string client;   ///< whose turn it takes: the API key's, or the address
  Fields fields = {};   ///< that every answer to it has
  Target target = {};
  std::vector<std::string> names = {};  ///< what stands in the places of {} in the route
  std::shared_ptr<const Model> model = {};
  bool as_is = false;
  Clock::time_point deadline = Clock::time_point::max();
  std::optional<Unpacker> unpacker = {};
  std::uint64_t bytes_in = 0;
  std::size_t num_files = 0;
  RequestTimes times = {};
  bool is_of_allowed_origin = false;  ///< a page of another origin may read the answer
  bool has_begun = false;
  int status = 0;
  std::string error = {};  ///< why it failed, where only the log is told

  /// The next bytes of the body, unpacked.
  std::size_t read(std::span<std::uint8_t> out) {
    const std::size_t size = unpacker ? unpacker->read(out) : exchange.read(out);
    bytes_in += size;
    return size;
  }

  void respond(Response response) {
    status = response.status;
    response.fields.insert(response.fields.end(), fields.begin(), fields.end());
    if (status == 503) response.fields.emplace_back("Retry-After", "1");
    has_begun = true;
    exchange.respond(response);
  }
  void respond_json(std::string body, int with_status = 200) { respond({with_status, std::move(body)}); }

  void begin(Response head) {
    status = head.status;
    head.fields.insert(head.fields.end(), fields.begin(), fields.end());
    has_begun = true;
    exchange.begin(head);
  }

  Metrics::Key key() const { return model ? Metrics::Key{model->source.name, model->source.version} : Metrics::Key{}; }
};

struct Service::Route {
  std::string_view method, pattern;  ///< "/v2/models/{model}/ready"
  void (Service::*handler)(Request&);
  bool is_open = false;  ///< answered without an API key
};

/// Gives back a slot at the end.
class Slot {
 public:
  /// \throws Refusal 503 where none is free until `deadline`.
  Slot(std::counting_semaphore<>& slots, Clock::time_point deadline) : slots_(slots) {
    if (!slots_.try_acquire_until(deadline))
      throw Refusal{503, "too many large files and explanations at once; try again"};
  }
  ~Slot() { slots_.release(); }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

 private:
  std::counting_semaphore<>& slots_;
};

/// Makes of a job's file what its model reads; where that fails, sets its result.
void prepare(Job& job) noexcept;

/// What a client is told of a file's error: 4xx for what lies in the file.
int status_of(const Error& error) noexcept;

}  // namespace byteformer::serve
