// The module that encrypts: TLS 1.2 and 1.3 by OpenSSL, the only file that sees it.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "byteformer/export.hpp"
#include "serve/tls.hpp"

namespace byteformer::serve {
namespace {

using base::fail;

template <auto Free>
struct Release {
  template <typename T>
  void operator()(T* pointer) const noexcept {
    Free(pointer);
  }
};
using Context = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Release<SSL_free>>;

/// What OpenSSL says of the last failure.
std::string reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* text = code == 0 ? nullptr : ERR_reason_error_string(code);
  return text == nullptr ? "it is not what it should be" : text;
}

// OpenSSL's own socket would raise SIGPIPE, and wait where the socket does.

int socket_of(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

int write_to_socket(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t done = ::send(socket_of(bio), data, static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(done);
}

int read_from_socket(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t done = ::recv(socket_of(bio), data, static_cast<std::size_t>(size), MSG_DONTWAIT);
  if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(done);
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "byteformer");
    if (made == nullptr) throw std::bad_alloc();
    BIO_meth_set_write(made, write_to_socket);
    BIO_meth_set_read(made, read_from_socket);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  return method;
}

class ModuleSession : public TlsSession {
 public:
  ModuleSession(SSL_CTX* context, int socket) : session_(SSL_new(context)) {
    BIO* bio = session_ == nullptr ? nullptr : BIO_new(socket_method());
    if (bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
    BIO_set_init(bio, 1);
    SSL_set_bio(session_.get(), bio, bio);
    SSL_set_accept_state(session_.get());  // the first call shakes hands
  }

  ssize_t receive(void* data, std::size_t size, short& events) override {
    ERR_clear_error();
    return outcome(SSL_read(session_.get(), data, static_cast<int>(std::min<std::size_t>(size, INT_MAX))), events);
  }

  ssize_t send(const void* data, std::size_t size, short& events) override {
    if (SSL_is_init_finished(session_.get()) == 0) return fail_with_reset();  // a client that has not yet said anything
    ERR_clear_error();
    return outcome(SSL_write(session_.get(), data, static_cast<int>(std::min<std::size_t>(size, INT_MAX))), events);
  }

  bool has_bytes() const override { return SSL_has_pending(session_.get()) != 0; }

  void say_end() override {
    ERR_clear_error();
    if (SSL_is_init_finished(session_.get()) != 0 && !has_failed_) SSL_shutdown(session_.get());
  }

 private:
  ssize_t outcome(int done, short& events) {
    if (done > 0) return done;
    switch (SSL_get_error(session_.get(), done)) {
      case SSL_ERROR_ZERO_RETURN: return 0;
      case SSL_ERROR_WANT_READ: return wait_for(POLLIN, events);
      case SSL_ERROR_WANT_WRITE: return wait_for(POLLOUT, events);
      default:  // a client that speaks otherwise, or is gone without a word
        has_failed_ = true;
        return fail_with_reset();
    }
  }

  static ssize_t fail_with_reset() {
    errno = ECONNRESET;
    return -1;
  }

  static ssize_t wait_for(short wanted, short& events) {
    events = wanted;
    errno = EAGAIN;
    return -1;
  }

  Session session_;
  bool has_failed_ = false;
};

class ModuleTls : public Tls {
 public:
  explicit ModuleTls(Context context) : context_(std::move(context)) {}
  std::unique_ptr<TlsSession> session(int socket) const override {
    return std::make_unique<ModuleSession>(context_.get(), socket);
  }

 private:
  Context context_;
};

/// HTTP/1.1, whatever else a client would rather speak.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  static constexpr std::string_view kHttp = "\x08http/1.1";
  const auto* known = reinterpret_cast<const unsigned char*>(kHttp.data());
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, known, kHttp.size(), offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

class ModuleLibrary : public TlsLibrary {
 public:
  std::shared_ptr<const Tls> load(const std::string& certificate, const std::string& key) const override {
    Context context(SSL_CTX_new(TLS_server_method()));
    if (!context) fail(ErrorCode::kInternal, "OpenSSL cannot be used: ", reason());
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(),
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    // What an idle connection holds is small, and nothing is kept of one that has ended.
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
    // A server that asks for a passphrase on a terminal would never start where there is none.
    SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return -1; });
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1)
      fail(ErrorCode::kInvalidFormat, base::About{certificate}, "holds no certificate in PEM: ", reason());
    if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1)
      fail(ErrorCode::kInvalidFormat, base::About{key},
           "holds no private key in PEM, without a passphrase, of the certificate: ", reason());
    return std::make_shared<ModuleTls>(std::move(context));
  }
};

}  // namespace

extern "C" BYTEFORMER_EXPORT const TlsLibrary* byteformer_tls(const char* version) {
  static const ModuleLibrary library;
  return std::string_view(version) == BYTEFORMER_VERSION ? &library : nullptr;
}

}  // namespace byteformer::serve
