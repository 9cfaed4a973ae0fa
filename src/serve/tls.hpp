// Encryption of connections, by OpenSSL in a module of its own: programs that serve nothing start without it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>

namespace byteformer::serve {

/// One connection's encryption, over a socket that its owner closes. Calls never wait. One thread at a time.
class TlsSession {
 public:
  virtual ~TlsSession() = default;

  /// As recv() and send() with MSG_DONTWAIT: the number of bytes, 0 at the end, or -1 with errno.
  /// \param events  what to wait for where errno is EAGAIN: POLLIN or POLLOUT
  virtual ssize_t receive(void* data, std::size_t size, short& events) = 0;
  virtual ssize_t send(const void* data, std::size_t size, short& events) = 0;

  /// Whether bytes wait here that the socket does not tell of.
  virtual bool has_bytes() const = 0;

  /// Says, if that is possible at once, that nothing more comes.
  virtual void say_end() = 0;
};

/// A certificate and its key. Thread-safe.
class Tls {
 public:
  virtual ~Tls() = default;
  virtual std::unique_ptr<TlsSession> session(int socket) const = 0;
};

/// What the module gives.
class TlsLibrary {
 public:
  /// \param certificate,key  files in PEM: the certificate with those between it and the root; the key without a
  ///        passphrase
  /// \throws Error kIo, kInvalidFormat naming the file
  virtual std::shared_ptr<const Tls> load(const std::string& certificate, const std::string& key) const = 0;

 protected:
  ~TlsLibrary() = default;
};

/// Loads the module at the first call. \throws Error kUnsupported; as TlsLibrary::load()
std::shared_ptr<const Tls> load_tls(const std::string& certificate, const std::string& key);

/// The module's only symbol; null where `version` is not its own.
extern "C" const TlsLibrary* byteformer_tls(const char* version);

}  // namespace byteformer::serve
