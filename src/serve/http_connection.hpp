// One client's connection: requests in, answers out, each within its time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "serve/exchange.hpp"
#include "serve/tls.hpp"

namespace byteformer::serve {

struct HttpLimits {
  std::size_t max_header_bytes = 16 << 10;
  std::chrono::milliseconds idle{60'000};    ///< between requests
  std::chrono::milliseconds header{10'000};  ///< from the first byte of a request to the end of its head
  std::chrono::milliseconds io{30'000};      ///< without a byte of the body coming or of the answer going
  /// What a body, and an answer, may take beyond `io`: a second for each of so many bytes, of which `io` are saved up.
  std::uint64_t min_bytes_per_s = 1024;
};

/// Owns the socket. One thread at a time, but for stop_waiting().
class HttpConnection : public Exchange {
 public:
  /// \param socket  a connected stream socket
  /// \param client  the peer's address
  /// \param tls  encrypts what goes over the socket; may be null
  HttpConnection(int socket, std::string client, const HttpLimits& limits, std::unique_ptr<TlsSession> tls = {});
  ~HttpConnection() override;

  /// Waits for the head of the next request. \returns false where there is none: the client is done, was silent for too
  /// long, or stop_waiting() was called.
  /// \throws Refusal 400, 408, 431 or 501, to be answered with refuse(); ClientGone
  bool read_head();

  /// Answers what is no request, after which the connection is of no use. \throws ClientGone
  void refuse(const Refusal& refusal);

  /// After the last answer: says that nothing follows, and throws away what the client still sends, within bounds. Many
  /// clients read no answer before they have sent all, and closing a socket with unread bytes would take it back.
  void finish() noexcept;

  /// Whether another request may follow.
  bool keeps_alive() const noexcept;

  /// From any thread: this request is the last one, and a wait for the next one ends.
  void stop_waiting() noexcept;

  /// From any thread: cuts the connection.
  void abort() noexcept;

  const RequestHead& head() const noexcept override;
  const std::string& client() const noexcept override { return client_; }
  std::size_t read(std::span<std::uint8_t> out) override;
  bool is_client_gone() noexcept override;
  void respond(const Response& response) override;
  void begin(const Response& head) override;
  void append(std::string_view piece) override;
  void end() override;

 private:
  struct State;

  std::string status_line_and_fields(const Response& response, std::string_view framing) const;
  bool wait_for_request();
  void write(std::string_view bytes);

  std::string client_;
  HttpLimits limits_;
  std::atomic<bool> is_stopping_{false};
  std::atomic<bool> is_idle_{true};
  bool is_used_up_ = false;  ///< no request can follow
  std::unique_ptr<State> state_;
};

}  // namespace byteformer::serve
