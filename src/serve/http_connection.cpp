// HTTP/1.1 by Boost.Beast's parser over a plain socket with deadlines: the only file that sees Boost.
#include "serve/http_connection.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "serve/protocol.hpp"

namespace byteformer::serve {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBufferBytes = 64 << 10;
constexpr std::size_t kMostLingeringBytes = 1 << 20;
constexpr std::chrono::milliseconds kLinger{1000};

/// Waits until the socket is ready for `events`. \returns false at `deadline`
bool wait_for(int socket, short events, Clock::time_point deadline) noexcept {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd waiting{socket, events, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30)));
    if (ready > 0) return true;
    if (ready == 0 && left <= 0) return false;
    if (ready < 0 && errno != EINTR) return true;  // the read or write that follows says why
  }
}

/// The socket as Beast reads from it.
class DeadlineReader {
 public:
  explicit DeadlineReader(int socket) : socket_(socket) {}

  void set_deadline(Clock::time_point deadline) noexcept { deadline_ = deadline; }

  template <typename Buffers>
  std::size_t read_some(const Buffers& buffers, boost::system::error_code& error) {
    const asio::mutable_buffer buffer = *asio::buffer_sequence_begin(buffers);
    for (;;) {
      const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (size > 0) {
        error = {};
        return static_cast<std::size_t>(size);
      }
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && wait_for(socket_, POLLIN, deadline_)) continue;
      error = size == 0                                 ? asio::error::make_error_code(asio::error::eof)
              : errno == EAGAIN || errno == EWOULDBLOCK ? asio::error::make_error_code(asio::error::timed_out)
                                                        : asio::error::make_error_code(asio::error::connection_reset);
      return 0;
    }
  }
  template <typename Buffers>
  std::size_t read_some(const Buffers& buffers) {  // which Beast wants to see, and does not call
    boost::system::error_code error;
    const std::size_t size = read_some(buffers, error);
    if (error) throw boost::system::system_error(error);
    return size;
  }

 private:
  int socket_;
  Clock::time_point deadline_ = Clock::time_point::max();
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return result;
}

std::string hex_size(std::size_t size) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%zx\r\n", size);
  return digits;
}

}  // namespace

struct HttpConnection::State {
  explicit State(int socket_) : socket(socket_), reader(socket_) {}

  int socket;
  DeadlineReader reader;
  boost::beast::flat_buffer buffer{kBufferBytes};
  std::optional<http::request_parser<http::buffer_body>> parser;
  RequestHead head;
  bool expects_continue = false;
  bool is_http_1_0 = false;
  Clock::time_point body_start;
  std::uint64_t body_bytes = 0;
};

HttpConnection::HttpConnection(int socket, std::string client, const HttpLimits& limits)
    : client_(std::move(client)), limits_(limits), state_(std::make_unique<State>(socket)) {}

HttpConnection::~HttpConnection() { ::close(state_->socket); }

bool HttpConnection::read_head() {
  State& state = *state_;
  is_idle_ = true;
  if (is_stopping_) return false;
  if (state.buffer.size() == 0 && !wait_for(state.socket, POLLIN, Clock::now() + limits_.idle)) return false;
  is_idle_ = false;
  state.parser.emplace();
  state.parser->header_limit(static_cast<std::uint32_t>(limits_.max_header_bytes));
  state.parser->body_limit(boost::none);  // the service has limits of its own, by what is asked for
  state.reader.set_deadline(Clock::now() + limits_.header);
  boost::system::error_code error;
  http::read_header(state.reader, state.buffer, *state.parser, error);
  if (error == http::error::end_of_stream) return false;
  if (error == asio::error::connection_reset) throw ClientGone{};
  if (error == asio::error::timed_out) throw Refusal{408, "the head of the request took too long"};
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    throw Refusal{431, "the head of the request is too long"};
  if (error) throw Refusal{400, "this is no HTTP request: " + error.message()};
  const auto& message = state.parser->get();
  state.head = {};
  state.head.method = std::string(message.method_string());
  state.head.target = std::string(message.target());
  for (const auto& field : message)
    state.head.fields.emplace_back(lower(std::string_view(field.name_string())), std::string(field.value()));
  if (const auto length = state.parser->content_length()) state.head.content_length = *length;
  const std::string* expectation = state.head.find("expect");
  state.expects_continue = expectation != nullptr && lower(*expectation) == "100-continue";
  state.is_http_1_0 = message.version() < 11;
  state.body_start = Clock::now();
  state.body_bytes = 0;
  if (!state.parser->keep_alive()) is_used_up_ = true;
  return true;
}

const RequestHead& HttpConnection::head() const noexcept { return state_->head; }

std::size_t HttpConnection::read(std::span<std::uint8_t> out) {
  State& state = *state_;
  if (state.parser->is_done() || out.empty()) return 0;
  if (std::exchange(state.expects_continue, false)) write("HTTP/1.1 100 Continue\r\n\r\n");
  auto& body = state.parser->get().body();
  body.data = out.data();
  body.size = out.size();
  body.more = true;
  while (body.size == out.size() && !state.parser->is_done()) {
    const std::chrono::milliseconds earned(state.body_bytes * 1000 / limits_.min_bytes_per_s);
    state.reader.set_deadline(std::min(Clock::now(), state.body_start + earned) + limits_.io);
    boost::system::error_code error;
    http::read_some(state.reader, state.buffer, *state.parser, error);
    if (error == http::error::need_buffer) break;
    if (!error) continue;
    is_used_up_ = true;
    if (error == asio::error::connection_reset) throw ClientGone{};
    if (error == asio::error::timed_out) throw Refusal{408, "the body of the request came too slowly"};
    throw Refusal{400, "the body of the request is malformed or ends early: " + error.message()};
  }
  const std::size_t size = out.size() - body.size;
  state.body_bytes += size;
  return size;
}

bool HttpConnection::is_client_gone() noexcept {
  pollfd waiting{state_->socket, POLLRDHUP, 0};
  return ::poll(&waiting, 1, 0) > 0 && (waiting.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool HttpConnection::keeps_alive() const noexcept { return !is_used_up_ && !is_stopping_; }

void HttpConnection::stop_waiting() noexcept {
  is_stopping_ = true;
  // Between requests nothing is lost; a request of which a byte has come is read to its end.
  if (is_idle_) ::shutdown(state_->socket, SHUT_RD);
}

void HttpConnection::abort() noexcept { ::shutdown(state_->socket, SHUT_RDWR); }

std::string HttpConnection::status_line_and_fields(const Response& response, std::string_view framing) const {
  const auto reason = http::obsolete_reason(static_cast<http::status>(response.status));
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
  text += std::string_view(reason.data(), reason.size());
  text += "\r\nServer: byteformer\r\nContent-Type: " + response.content_type + "\r\n";
  for (const auto& [name, value] : response.fields) text += name + ": " + value + "\r\n";
  text += framing;
  text += keeps_alive() ? (state_->is_http_1_0 ? "\r\nConnection: keep-alive\r\n\r\n" : "\r\n\r\n")
                        : "\r\nConnection: close\r\n\r\n";
  return text;
}

void HttpConnection::respond(const Response& response) {
  State& state = *state_;
  if (!state.parser->is_done()) is_used_up_ = true;  // what is left of the body will not be read
  write(status_line_and_fields(response, "Content-Length: " + std::to_string(response.body.size())) + response.body);
  if (!state.parser->is_done()) linger();
}

void HttpConnection::begin(const Response& head) {
  if (state_->is_http_1_0) is_used_up_ = true;  // which ends an answer by closing
  write(status_line_and_fields(head, state_->is_http_1_0 ? "X-Accel-Buffering: no" : "Transfer-Encoding: chunked"));
}

void HttpConnection::append(std::string_view piece) {
  if (piece.empty()) return;
  if (state_->is_http_1_0) return write(piece);
  write(hex_size(piece.size()) + std::string(piece) + "\r\n");
}

void HttpConnection::end() {
  if (!state_->is_http_1_0) write("0\r\n\r\n");
  if (!state_->parser->is_done()) is_used_up_ = true;
  if (is_used_up_) linger();
}

void HttpConnection::refuse(const Refusal& refusal) noexcept {
  is_used_up_ = true;
  try {
    const std::string body = error_body(refusal.message);
    write(status_line_and_fields({refusal.status, body}, "Content-Length: " + std::to_string(body.size())) + body);
    linger();
  } catch (...) {  // nobody is there to be told
  }
}

void HttpConnection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(state_->socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(size));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!wait_for(state_->socket, POLLOUT, Clock::now() + limits_.io)) throw ClientGone{};
    } else if (errno != EINTR) {
      throw ClientGone{};
    }
  }
}

/// Reads on for a moment after the last answer: closing a socket with unread bytes would take the answer back.
void HttpConnection::linger() noexcept {
  ::shutdown(state_->socket, SHUT_WR);
  const Clock::time_point deadline = Clock::now() + kLinger;
  char waste[4096];
  for (std::size_t total = 0; total < kMostLingeringBytes && wait_for(state_->socket, POLLIN, deadline);) {
    const ssize_t size = ::recv(state_->socket, waste, sizeof waste, MSG_DONTWAIT);
    if (size <= 0) return;
    total += static_cast<std::size_t>(size);
  }
}

}  // namespace byteformer::serve
