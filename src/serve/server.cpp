// The listening socket, the thread that accepts, and those of the connections.
#include "serve/server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "base/text.hpp"
#include "byteformer/error.hpp"

namespace byteformer::serve {
namespace {

using base::fail;

constexpr int kBacklog = 512;
constexpr int kFirstPassedFd = 3;  // of service managers
constexpr auto kWaitForDescriptors = std::chrono::milliseconds(50);

std::string reason() { return std::generic_category().message(errno); }

std::string address_of(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET)
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  else if (address.ss_family == AF_INET6)
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text, sizeof text);
  else
    return "unix";
  return text;
}

/// Asks the kernel to run this thread soon after it wakes, for a short time: it passes bytes on, and should not wait for
/// the rest of the time that a worker computes at a stretch. Linux 6.12 and later do so; others take no notice.
void ask_for_short_slices() noexcept {
  struct {  // sched_attr of the kernel, whose header and the C library's exclude each other
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime_ns, deadline_ns, period_ns;
  } attributes{};
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  attributes.runtime_ns = 100'000;  // the shortest slice that there is
  ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

std::uint16_t port_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

/// A refusal for one who cannot even be given a thread, by calls that never wait.
void turn_away(int socket, bool is_encrypted) noexcept {
  static constexpr char kAnswer[] =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n"
      "Content-Length: 32\r\n\r\n{\"error\":\"too many connections\"}";
  if (!is_encrypted) (void)!::send(socket, kAnswer, sizeof kAnswer - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  ::shutdown(socket, SHUT_WR);
  char waste[4096];
  (void)!::recv(socket, waste, sizeof waste, MSG_DONTWAIT);
}

}  // namespace

Server::Server(Service& service, ServerOptions options) : service_(service), options_(std::move(options)) {
  if (::pipe2(wake_, O_CLOEXEC) != 0) fail(ErrorCode::kIo, "cannot open a pipe: ", reason());
  if (adopt_socket()) return;
  if (options_.socket_path)
    listen_on_path();
  else
    listen_on_tcp();
}

Server::~Server() {
  drain(0);
  if (listener_ >= 0) ::close(listener_);
  for (const int end : wake_) ::close(end);
}

bool Server::adopt_socket() {
  const char* pid = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  if (pid == nullptr || count == nullptr || std::to_string(::getpid()) != pid) return false;
  if (std::string_view(count) != "1") fail(ErrorCode::kInvalidArgument, "LISTEN_FDS is ", count, ", expected 1");
  int listens = 0;
  socklen_t size = sizeof listens;
  if (::getsockopt(kFirstPassedFd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0)
    fail(ErrorCode::kInvalidArgument, "LISTEN_FDS promises a socket that listens, but there is none");
  listener_ = kFirstPassedFd;
  ::fcntl(listener_, F_SETFD, FD_CLOEXEC);
  ::fcntl(listener_, F_SETFL, ::fcntl(listener_, F_GETFL) | O_NONBLOCK);
  return true;
}

void Server::listen_on_tcp() {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(options_.port);
  if (const int error = ::getaddrinfo(options_.host.c_str(), port.c_str(), &hints, &found); error != 0)
    fail(ErrorCode::kInvalidArgument, "the host ", base::excerpt(options_.host),
         " is not known: ", ::gai_strerror(error));
  std::string why;
  for (const addrinfo* address = found; address != nullptr && listener_ < 0; address = address->ai_next) {
    const int socket = ::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int yes = 1;
    if (socket >= 0) ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (socket >= 0 && ::bind(socket, address->ai_addr, address->ai_addrlen) == 0 && ::listen(socket, kBacklog) == 0) {
      listener_ = socket;
    } else {
      why = reason();
      if (socket >= 0) ::close(socket);
    }
  }
  ::freeaddrinfo(found);
  if (listener_ < 0) fail(ErrorCode::kIo, "cannot listen on ", options_.host, " port ", port, ": ", why);
}

void Server::listen_on_path() {
  const std::string& path = *options_.socket_path;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    fail(ErrorCode::kInvalidArgument, base::About{path}, "is longer than the path of a socket may be");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener_ < 0) fail(ErrorCode::kIo, "cannot make a socket: ", reason());
  // A socket that nobody listens on any more is in the way of a restart; anything else at the path stays.
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode) &&
      ::connect(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno == ECONNREFUSED)
    ::unlink(path.c_str());
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, kBacklog) != 0)
    fail(ErrorCode::kIo, base::About{path}, "cannot be listened on: ", reason());
  if (::lstat(path.c_str(), &status) == 0) own_file_ = {status.st_dev, status.st_ino};
}

std::string Server::address() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  if (address.ss_family == AF_UNIX)
    return std::string("unix:") + reinterpret_cast<const sockaddr_un&>(address).sun_path;
  const bool is_v6 = address.ss_family == AF_INET6;
  const std::lock_guard lock(mutex_);
  return base::joined(tls_ ? "https://" : "http://", is_v6 ? "[" : "", address_of(address), is_v6 ? "]:" : ":",
                      port_of(address));
}

int Server::connect() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const int socket = ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0
                         ? ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)
                         : -1;
  if (socket < 0 || ::connect(socket, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    const std::string why = reason();
    if (socket >= 0) ::close(socket);
    fail(ErrorCode::kIo, "the server cannot be reached: ", why);
  }
  return socket;
}

void Server::use_tls(std::shared_ptr<const Tls> tls) {
  const std::lock_guard lock(mutex_);
  tls_ = std::move(tls);
}

void Server::start() {
  acceptor_ = std::thread([this] { accept_loop(); });
}

void Server::accept_loop() {
  for (;;) {
    pollfd waiting[2] = {{listener_, POLLIN, 0}, {wake_[0], POLLIN, 0}};
    if (::poll(waiting, 2, -1) < 0 && errno != EINTR) return;
    if (waiting[1].revents != 0) return;
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int socket = ::accept4(listener_, reinterpret_cast<sockaddr*>(&address), &size, SOCK_CLOEXEC);
    if (socket < 0) {
      // Without descriptors or memory a connection waits in the backlog until others are done.
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        pollfd stop{wake_[0], POLLIN, 0};
        ::poll(&stop, 1, static_cast<int>(kWaitForDescriptors.count()));
      }
      continue;
    }
    const int yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    admit(socket, address);
  }
}

/// Gives a connection its thread, or turns it away.
void Server::admit(int socket, const sockaddr_storage& address) {
  std::shared_ptr<HttpConnection> connection;  // once it is made, the socket is its own
  bool is_encrypted = false;
  try {
    const std::string client = address_of(address);
    const std::lock_guard lock(mutex_);
    is_encrypted = tls_ != nullptr;
    const auto of_client = per_client_.find(client);
    if (connections_.size() < options_.max_connections &&
        (of_client == per_client_.end() || of_client->second < options_.max_connections_per_client)) {
      connection =
          std::make_shared<HttpConnection>(socket, client, options_.http, tls_ ? tls_->session(socket) : nullptr);
      std::size_t& num_of_client = per_client_.try_emplace(client, 0).first->second;
      connections_.emplace(connection.get(), connection);
      ++num_of_client;
      try {
        std::thread([this, connection] { serve(connection); }).detach();
      } catch (...) {
        forget(*connection);
        throw;
      }
      service_.count_connections(connections_.size());
      return;
    }
  } catch (const std::exception&) {  // no thread or no memory is left
  }
  turn_away(socket, is_encrypted);
  if (!connection) ::close(socket);
}

/// Takes a connection off the lists, under the lock.
void Server::forget(const HttpConnection& connection) {
  if (const auto of_client = per_client_.find(connection.client()); --of_client->second == 0)
    per_client_.erase(of_client);
  connections_.erase(&connection);
  service_.count_connections(connections_.size());
}

/// A connection's thread: one request after another.
void Server::serve(std::shared_ptr<HttpConnection> connection) {
  ask_for_short_slices();
  try {
    try {
      while (connection->read_head()) {
        service_.handle(*connection);
        if (!connection->keeps_alive()) break;
      }
    } catch (Refusal& refusal) {
      refusal.fields.emplace_back("X-Request-Id", service_.note_malformed(*connection, refusal.status));
      connection->refuse(refusal);
    }
    connection->finish();
  } catch (const ClientGone&) {
  } catch (const std::exception&) {  // no memory for a request's head: the connection goes, the server stays
  }
  const std::lock_guard lock(mutex_);
  forget(*connection);
  connection.reset();
  left_.notify_all();
}

void Server::stop_accepting() {
  if (!acceptor_.joinable()) return;
  (void)!::write(wake_[1], "x", 1);
  acceptor_.join();
  ::close(listener_);
  listener_ = -1;
  // Another server may listen at the path by now.
  struct stat status {};
  if (own_file_ && ::lstat(options_.socket_path->c_str(), &status) == 0 &&
      own_file_ == std::pair(status.st_dev, status.st_ino))
    ::unlink(options_.socket_path->c_str());
}

bool Server::drain(double seconds) {
  service_.begin_drain();
  stop_accepting();
  std::unique_lock lock(mutex_);
  for (const auto& [key, connection] : connections_) connection->stop_waiting();
  const bool is_done =
      left_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return connections_.empty(); });
  for (const auto& [key, connection] : connections_) connection->abort();
  left_.wait(lock, [this] { return connections_.empty(); });
  return is_done;
}

}  // namespace byteformer::serve
