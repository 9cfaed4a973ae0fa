// HTTP/1.1 by Boost.Beast's parser over a socket with deadlines, encrypted or not: the only file that sees Boost.
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

#include "base/text.hpp"
#include "serve/protocol.hpp"

namespace byteformer::serve {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBufferBytes = 64 << 10;  // at most
constexpr std::size_t kReadBytes = 16 << 10;    // of a body at once; a connection that waits keeps room for them
constexpr std::size_t kFirstBytes = 512;  // which are read of a request while it may be an empty line
constexpr std::uint64_t kMostLingeringBytes = 1 << 30;
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

/// The socket, and what encrypts it if anything does.
class Channel {
 public:
  Channel(int socket, std::unique_ptr<TlsSession> tls) : socket_(socket), tls_(std::move(tls)) {}
  ~Channel() { ::close(socket_); }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  int socket() const noexcept { return socket_; }
  bool has_bytes() const { return tls_ && tls_->has_bytes(); }

  /// As recv() and send(): 0 at the end, -1 with errno, which is EAGAIN at the deadline.
  ssize_t receive(void* data, std::size_t size, Clock::time_point deadline) {
    return patiently(POLLIN, deadline, [&](short& events) {
      return tls_ ? tls_->receive(data, size, events) : ::recv(socket_, data, size, MSG_DONTWAIT);
    });
  }
  ssize_t send(const void* data, std::size_t size, Clock::time_point deadline) {
    return patiently(POLLOUT, deadline, [&](short& events) {
      return tls_ ? tls_->send(data, size, events) : ::send(socket_, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    });
  }

  /// Nothing more will be sent.
  void end_sending() {
    if (tls_) tls_->say_end();
    ::shutdown(socket_, SHUT_WR);
  }

 private:
  template <typename Attempt>
  ssize_t patiently(short events, Clock::time_point deadline, const Attempt& attempt) {
    for (;;) {
      const ssize_t size = attempt(events);
      if (size >= 0) return size;
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK) errno = EAGAIN;
      if (errno != EAGAIN) return size;
      if (wait_for(socket_, events, deadline)) continue;
      errno = EAGAIN;
      return -1;
    }
  }

  int socket_;
  std::unique_ptr<TlsSession> tls_;
};

/// The channel as Beast reads from it.
class DeadlineReader {
 public:
  explicit DeadlineReader(Channel& channel) : channel_(channel) {}

  void set_deadline(Clock::time_point deadline) noexcept { deadline_ = deadline; }

  template <typename Buffers>
  std::size_t read_some(const Buffers& buffers, boost::system::error_code& error) {
    const asio::mutable_buffer buffer = *asio::buffer_sequence_begin(buffers);
    const ssize_t size = channel_.receive(buffer.data(), buffer.size(), deadline_);
    if (size > 0) {
      error = {};
      return static_cast<std::size_t>(size);
    }
    error = size == 0         ? asio::error::make_error_code(asio::error::eof)
            : errno == EAGAIN ? asio::error::make_error_code(asio::error::timed_out)
                              : asio::error::make_error_code(asio::error::connection_reset);
    return 0;
  }
  template <typename Buffers>
  std::size_t read_some(const Buffers& buffers) {  // which Beast wants to see, and does not call
    boost::system::error_code error;
    const std::size_t size = read_some(buffers, error);
    if (error) throw boost::system::system_error(error);
    return size;
  }

 private:
  Channel& channel_;
  Clock::time_point deadline_ = Clock::time_point::max();
};

/// How long the client may keep us waiting: `io` without a byte, and over all what its bytes earn besides. Of that no
/// more than `io` is saved up, or what comes at once would pay for hours of single bytes. Our own work does not count.
class Pace {
 public:
  explicit Pace(const HttpLimits& limits) : io_(limits.io), min_bytes_per_s_(limits.min_bytes_per_s) {}

  Clock::time_point deadline() const { return Clock::now() + io_ - std::max(debt_, Clock::duration::zero()); }

  void count(Clock::duration waited, std::size_t num_bytes) {
    const std::chrono::nanoseconds earned(num_bytes * 1'000'000'000 / min_bytes_per_s_);
    debt_ = std::max(debt_ + waited - earned, -io_);
  }

 private:
  Clock::duration io_;
  std::uint64_t min_bytes_per_s_;
  Clock::duration debt_{0};  ///< waited for longer than earned
};

/// Refuses what servers behind and before us could read in another way: RFC 9112, 3.2 and 6.
void check_head(const RequestHead& head, bool is_http_1_0, bool is_chunked) {
  const auto num_hosts = std::ranges::count(head.fields, "host", &Fields::value_type::first);
  if (num_hosts > 1 || (num_hosts == 0 && !is_http_1_0)) throw Refusal{400, "a request needs one Host field"};
  const std::string* coding = head.find("transfer-encoding");
  if (coding == nullptr) return;
  if (is_http_1_0) throw Refusal{400, "Transfer-Encoding needs HTTP/1.1"};
  if (head.find("content-length") != nullptr)
    throw Refusal{400, "Transfer-Encoding and Content-Length exclude each other"};
  if (!is_chunked) throw Refusal{400, "Transfer-Encoding must end in chunked, once"};
  if (base::lower_case(*coding) != "chunked")
    throw Refusal{501, "the only Transfer-Encoding that is understood is chunked"};
}

std::string hex_size(std::size_t size) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%zx\r\n", size);
  return digits;
}

}  // namespace

struct HttpConnection::State {
  State(int socket, std::unique_ptr<TlsSession> tls, const HttpLimits& limits)
      : channel(socket, std::move(tls)), reading(limits), writing(limits) {}

  Channel channel;
  DeadlineReader reader{channel};
  boost::beast::flat_buffer buffer{kBufferBytes};
  std::optional<http::request_parser<http::buffer_body>> parser;
  RequestHead head;
  bool expects_continue = false;
  bool is_http_1_0 = false;
  Pace reading, writing;  ///< of this request's body and answer
};

HttpConnection::HttpConnection(int socket, std::string client, const HttpLimits& limits,
                               std::unique_ptr<TlsSession> tls)
    : client_(std::move(client)), limits_(limits), state_(std::make_unique<State>(socket, std::move(tls), limits_)) {}

HttpConnection::~HttpConnection() = default;

/// Waits for the first byte of a request, past empty lines, which some clients send after a body.
bool HttpConnection::wait_for_request() {
  State& state = *state_;
  for (;;) {
    is_idle_ = true;
    if (is_stopping_) return false;
    if (state.buffer.size() == 0 && !state.channel.has_bytes() &&
        !wait_for(state.channel.socket(), POLLIN, Clock::now() + limits_.idle))
      return false;
    is_idle_ = false;
    state.reader.set_deadline(Clock::now() + limits_.header);
    if (state.buffer.size() == 0) {
      boost::system::error_code error;
      state.buffer.commit(state.reader.read_some(state.buffer.prepare(kFirstBytes), error));
      if (error) return true;  // the parser meets it again
    }
    const auto first = [&] { return *static_cast<const char*>(state.buffer.data().data()); };
    while (state.buffer.size() != 0 && (first() == '\r' || first() == '\n')) state.buffer.consume(1);
    if (state.buffer.size() != 0) return true;
  }
}

bool HttpConnection::read_head() {
  State& state = *state_;
  state.head = {};
  state.parser.reset();
  if (!wait_for_request()) return false;
  state.parser.emplace();
  state.parser->header_limit(static_cast<std::uint32_t>(limits_.max_header_bytes));
  state.parser->body_limit(boost::none);  // the service has limits of its own, by what is asked for
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
    state.head.fields.emplace_back(base::lower_case(std::string_view(field.name_string())), std::string(field.value()));
  if (const auto length = state.parser->content_length()) state.head.content_length = *length;
  state.is_http_1_0 = message.version() < 11;
  check_head(state.head, state.is_http_1_0, state.parser->chunked());
  const std::string* expectation = state.head.find("expect");
  state.expects_continue =
      !state.is_http_1_0 && expectation != nullptr && base::lower_case(*expectation) == "100-continue";
  state.reading = state.writing = Pace(limits_);
  if (!state.parser->keep_alive()) is_used_up_ = true;
  return true;
}

const RequestHead& HttpConnection::head() const noexcept { return state_->head; }

std::size_t HttpConnection::read(std::span<std::uint8_t> out) {
  State& state = *state_;
  if (state.parser->is_done() || out.empty()) return 0;
  if (std::exchange(state.expects_continue, false)) write("HTTP/1.1 100 Continue\r\n\r\n");
  state.buffer.reserve(kReadBytes);  // or Beast reads pieces of 512 bytes
  auto& body = state.parser->get().body();
  body.data = out.data();
  body.size = out.size();
  body.more = true;
  while (body.size == out.size() && !state.parser->is_done()) {
    state.reader.set_deadline(state.reading.deadline());
    boost::system::error_code error;
    const Clock::time_point start = Clock::now();
    const std::size_t before = body.size;
    http::read_some(state.reader, state.buffer, *state.parser, error);
    state.reading.count(Clock::now() - start, before - body.size);
    if (error == http::error::need_buffer) break;
    if (!error) continue;
    is_used_up_ = true;
    if (error == asio::error::connection_reset) throw ClientGone{};
    if (error == asio::error::timed_out) throw Refusal{408, "the body of the request came too slowly"};
    throw Refusal{400, "the body of the request is malformed or ends early: " + error.message()};
  }
  return out.size() - body.size;
}

bool HttpConnection::is_client_gone() noexcept {
  pollfd waiting{state_->channel.socket(), POLLRDHUP, 0};
  return ::poll(&waiting, 1, 0) > 0 && (waiting.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool HttpConnection::keeps_alive() const noexcept { return !is_used_up_ && !is_stopping_; }

void HttpConnection::stop_waiting() noexcept {
  is_stopping_ = true;
  // Between requests nothing is lost; a request of which a byte has come is read to its end.
  if (is_idle_) ::shutdown(state_->channel.socket(), SHUT_RD);
}

void HttpConnection::abort() noexcept { ::shutdown(state_->channel.socket(), SHUT_RDWR); }

std::string HttpConnection::status_line_and_fields(const Response& response, std::string_view framing) const {
  const auto reason = http::obsolete_reason(static_cast<http::status>(response.status));
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
  text += std::string_view(reason.data(), reason.size());
  text += "\r\nServer: byteformer\r\n";
  if (!response.content_type.empty()) text += "Content-Type: " + response.content_type + "\r\n";
  for (const auto& [name, value] : response.fields) text += name + ": " + value + "\r\n";
  text += framing;
  text += keeps_alive() ? (state_->is_http_1_0 ? "\r\nConnection: keep-alive\r\n\r\n" : "\r\n\r\n")
                        : "\r\nConnection: close\r\n\r\n";
  return text;
}

void HttpConnection::respond(const Response& response) {
  State& state = *state_;
  if (!state.parser->is_done()) is_used_up_ = true;  // what is left of the body will not be read
  std::string text = status_line_and_fields(response, "Content-Length: " + std::to_string(response.body.size()));
  if (state.head.method != "HEAD") text += response.body;
  write(text);
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
}

void HttpConnection::refuse(const Refusal& refusal) {
  is_used_up_ = true;
  const Response response{refusal.status, error_body(refusal.message), "application/json", refusal.fields};
  const std::string framing = "Content-Length: " + std::to_string(response.body.size());
  write(status_line_and_fields(response, framing) + response.body);
}

void HttpConnection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const Clock::time_point start = Clock::now();
    const ssize_t size = state_->channel.send(bytes.data(), bytes.size(), state_->writing.deadline());
    if (size <= 0) throw ClientGone{};
    state_->writing.count(Clock::now() - start, static_cast<std::size_t>(size));
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

void HttpConnection::finish() noexcept {
  state_->channel.end_sending();
  if (!state_->parser || state_->parser->is_done()) return;
  const int socket = state_->channel.socket();
  const Clock::time_point start = Clock::now();
  char waste[kBufferBytes];
  for (std::uint64_t total = 0; total < kMostLingeringBytes;) {
    const Clock::time_point end = start + (is_stopping_ ? kLinger : limits_.io);
    if (!wait_for(socket, POLLIN, std::min(end, Clock::now() + kLinger))) return;
    const ssize_t size = ::recv(socket, waste, sizeof waste, MSG_DONTWAIT);
    if (size <= 0) return;
    total += static_cast<std::uint64_t>(size);
  }
}

}  // namespace byteformer::serve
