// The server over real sockets, with threads that ask while models are replaced and the server ends: for the thread
// sanitizer.
#include "serve/server.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "serve/self_test.hpp"
#include "support/files.hpp"
#include "unit/serve/reads_as_is.hpp"

namespace byteformer::serve {
namespace {

std::string describe_logits(const Model&, const Answer& answer, const AnswerForm&) {
  std::string text = "{";
  if (const Output* output = std::get_if<Output>(&answer.result))
    for (const float logit : output->logits) text += std::to_string(logit) + " ";
  return text + "}";
}

class ServerTest : public ::testing::Test {
 protected:
  static ServiceOptions service_options() {
    ServiceOptions options;
    options.describe = describe_logits;
    options.num_threads = 2;
    options.stream_from_bytes = 1 << 16;
    return options;
  }
  static ServerOptions server_options() {
    ServerOptions options;
    options.port = 0;
    return options;
  }

  /// The status of one request on a connection of its own; 0 where the server is not there any more.
  int ask(const std::string& body) const {
    int socket = -1;
    try {
      socket = server.connect();
    } catch (const Error&) {
      return 0;
    }
    const std::string request =
        "POST /classify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
    std::string answer;
    char buffer[4096];
    for (ssize_t size; (size = ::recv(socket, buffer, sizeof buffer, 0)) > 0;)
      answer.append(buffer, static_cast<std::size_t>(size));
    ::close(socket);
    return answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0;
  }

  Models models{{{"nano", "1", test::data_path("untrained-nano")}},
                [](const ModelSource& source) { return load_model(source, reads_as_is(), {}); }};
  Service service{models, service_options()};
  Server server{service, server_options()};
};

TEST_F(ServerTest, AsksItself) {
  server.start();
  service.use_api_keys({base::Sha256{}});
  self_test(service, server, models, describe_logits);
  const auto describe_otherwise = [](const Model&, const Answer&, const AnswerForm&) { return std::string("other"); };
  EXPECT_THROW(self_test(service, server, models, describe_otherwise), Error);
}

TEST_F(ServerTest, AnswersWhileModelsAreReplaced) {
  server.start();
  std::atomic<int> num_answers{0};
  std::vector<std::thread> clients;
  for (int client = 0; client < 4; ++client)
    clients.emplace_back([&, client] {
      const std::string body(client == 0 ? service_options().stream_from_bytes + 5000 : 3000, 'x');
      for (int i = 0; i < (client == 0 ? 2 : 20); ++i) num_answers += ask(body) == 200;
    });
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(models.reload().empty());
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(num_answers, 2 + 3 * 20);
  EXPECT_TRUE(server.drain(10));
}

TEST_F(ServerTest, ClosesWhatIsIdleAtItsEnd) {
  server.start();
  const int idle = server.connect();
  std::atomic<int> num_answers{0};
  std::vector<std::thread> clients;
  for (int client = 0; client < 4; ++client)
    clients.emplace_back([&] {
      for (int i = 0; i < 25; ++i) num_answers += ask(std::string(3000, 'x')) == 200;
    });
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(num_answers, 100);
  EXPECT_TRUE(server.drain(10));
  char end;
  EXPECT_EQ(::recv(idle, &end, 1, 0), 0) << "a connection without a request is closed";
  ::close(idle);
}

}  // namespace
}  // namespace byteformer::serve
