// A client in a few lines, for `byteformer serve --self-test`: one request, read until the server closes.
#include "serve/self_test.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/sha256.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"

namespace byteformer::serve {
namespace {

constexpr std::size_t kTestBytes = 1000;

/// What the server at the other end of `socket` answers to `request`.
std::string ask(int socket, std::string_view request) {
  while (!request.empty()) {
    const ssize_t size = ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
    if (size <= 0) return {};
    request.remove_prefix(static_cast<std::size_t>(size));
  }
  std::string answer;
  char buffer[4096];
  for (ssize_t size; (size = ::recv(socket, buffer, sizeof buffer, 0)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(size));
  return answer;
}

}  // namespace

void self_test(Service& service, const Server& server, const Models& models, const Describe& describe) {
  // The service knows digests of the keys in its file only.
  std::array<std::uint8_t, 16> secret{};
  base::fill_from_system_random(secret);
  const std::string key = base::hex(secret);
  service.use_api_keys({base::sha256({reinterpret_cast<const std::uint8_t*>(key.data()), key.size()})});
  std::vector<std::uint8_t> file(kTestBytes);
  for (std::size_t i = 0; i < file.size(); ++i) file[i] = static_cast<std::uint8_t>(i * i / 7);
  const AnswerForm form{.logits = true};
  for (const Models::State& state : models.states()) {
    const std::string expected = describe(*state.model, {"file", state.model->classifier.classify(file)}, form);
    std::string request =
        base::joined("POST /classify?as_is=1&logits=1&model=", state.source.name, "&version=", state.source.version,
                     " HTTP/1.1\r\nHost: self\r\nConnection: close\r\nAuthorization: Bearer ", key,
                     "\r\nContent-Length: ", kTestBytes, "\r\n\r\n");
    request.append(file.begin(), file.end());
    const int socket = server.connect();
    const std::string answer = ask(socket, request);
    ::close(socket);
    const std::size_t body = answer.find("\r\n\r\n");
    if (!answer.starts_with("HTTP/1.1 200 ") || body == std::string::npos || answer.substr(body + 4) != expected)
      base::fail(ErrorCode::kInternal, "the model ", state.source.name, " answers `",
                 base::excerpt(answer.substr(0, answer.find('\r'))), "` over HTTP, and not as it does directly");
  }
}

}  // namespace byteformer::serve
