// Listens, and gives each connection a thread: blocking code with deadlines, so that a stream's pace is its client's.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "serve/http_connection.hpp"
#include "serve/service.hpp"

namespace byteformer::serve {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;               ///< 0: any that is free
  std::optional<std::string> socket_path;  ///< a Unix socket instead
  std::size_t max_connections = 1024;
  std::size_t max_connections_per_client = 1024;
  HttpLimits http;
};

class Server {
 public:
  /// Listens, on the socket that the service manager has opened where there is one (LISTEN_FDS). `service` must outlive
  /// this.
  /// \throws Error kIo, kInvalidArgument saying why the address cannot be had
  Server(Service& service, ServerOptions options);
  ~Server();  ///< cuts what is left
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// "http://127.0.0.1:8080", "https://127.0.0.1:8080" or "unix:/run/x.sock"
  std::string address() const;

  /// From the next connection on it is this that encrypts. Thread-safe.
  void use_tls(std::shared_ptr<const Tls> tls);

  /// A connection to this server, for its own test. \throws Error kIo
  int connect() const;

  /// Starts to answer.
  void start();

  /// Takes no more connections, answers the requests that have begun to come, and closes.
  /// \returns whether all were done within `seconds`
  bool drain(double seconds);

 private:
  void listen_on_tcp();
  void listen_on_path();
  bool adopt_socket();
  void accept_loop();
  void admit(int socket, const sockaddr_storage& address);
  void serve(std::shared_ptr<HttpConnection> connection);
  void forget(const HttpConnection& connection);
  void stop_accepting();

  Service& service_;
  const ServerOptions options_;
  int listener_ = -1;
  int wake_[2] = {-1, -1};  ///< a pipe that ends the loop
  std::optional<std::pair<dev_t, ino_t>> own_file_;  ///< the socket that was made at a path
  std::thread acceptor_;
  mutable std::mutex mutex_;
  std::condition_variable left_;
  std::map<const HttpConnection*, std::shared_ptr<HttpConnection>> connections_;
  std::map<std::string, std::size_t> per_client_;
  std::shared_ptr<const Tls> tls_;  ///< null: nothing is encrypted
};

}  // namespace byteformer::serve
