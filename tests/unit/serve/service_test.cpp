// The service with a client in the same process: routes and their description are one, and no exchange goes unanswered.
#include "serve/service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "serve/assets.hpp"
#include "support/files.hpp"
#include "unit/serve/reads_as_is.hpp"

namespace byteformer::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAreArray;
using Json = nlohmann::json;

class TestExchange : public Exchange {
 public:
  TestExchange(std::string method, std::string target, std::string body = "") : body_(std::move(body)) {
    head_.method = std::move(method);
    head_.target = std::move(target);
    head_.content_length = body_.size();
  }

  const RequestHead& head() const noexcept override { return head_; }
  const std::string& client() const noexcept override { return client_; }
  std::size_t read(std::span<std::uint8_t> out) override {
    const std::size_t size = std::min(out.size(), body_.size() - position_);
    std::copy_n(body_.begin() + static_cast<std::ptrdiff_t>(position_), size, out.begin());
    position_ += size;
    return size;
  }
  bool is_client_gone() noexcept override { return false; }
  void respond(const Response& answer) override {
    response = answer;
    ++num_answers;
  }
  void begin(const Response& answer) override { respond(answer); }
  void append(std::string_view piece) override { response.body += piece; }
  void end() override {}

  RequestHead head_;
  Response response;
  int num_answers = 0;

 private:
  std::string client_ = "test", body_;
  std::size_t position_ = 0;
};

class ServiceTest : public ::testing::Test {
 protected:
  static ServiceOptions options() {
    ServiceOptions options;
    options.stream_from_bytes = 1 << 16;
    options.allowed_origins = {"https://friend.example"};
    options.proxy_field = "x-forwarded-for";
    options.max_requests_per_client = 1;
    options.log = [](std::string_view line) {
      log().emplace_back(line);
      return true;
    };
    options.describe = [](const Model& model, const Answer& answer, const AnswerForm&) {
      const Output* output = std::get_if<Output>(&answer.result);
      return output == nullptr ? std::string("{\"failed\":1}")
                               : Json{{"logits", output->logits}, {"model", model.source.name}}.dump();
    };
    return options;
  }

  static std::vector<std::string>& log() {
    static std::vector<std::string> lines;
    return lines;
  }

  Response ask(const std::string& method, const std::string& target, const std::string& body = "",
               const Fields& fields = {}) {
    TestExchange exchange(method, target, body);
    exchange.head_.fields = fields;
    service.handle(exchange);
    EXPECT_EQ(exchange.num_answers, 1);
    return exchange.response;
  }

  Models models{{{"nano", "1", test::data_path("untrained-nano")}},
                [](const ModelSource& source) { return load_model(source, reads_as_is(), {}); }};
  Service service{models, options()};
};

TEST_F(ServiceTest, RoutesAreThoseOfTheirDescription) {
  std::vector<std::string> described;
  const Json description = Json::parse(asset(kOpenApiAsset));
  for (const auto& [path, methods] : description["paths"].items())
    for (const auto& [method, operation] : methods.items()) {
      std::string upper = method;
      std::ranges::transform(upper, upper.begin(), [](char c) { return static_cast<char>(c - 32); });
      described.push_back(upper + " " + path);
    }
  EXPECT_THAT(Service::routes(), UnorderedElementsAreArray(described));
}

TEST_F(ServiceTest, AnswersOfLargeAndSmallFilesAreThoseOfTheModel) {
  const auto model = models.only();
  for (const std::size_t size : {1UL, 5000UL, options().stream_from_bytes + 70'001}) {
    std::string file(size, 'a');
    for (std::size_t i = 0; i < size; ++i) file[i] = static_cast<char>(i * i % 253);
    const Response response = ask("POST", "/classify", file);
    ASSERT_EQ(response.status, 200);
    const Bytes bytes(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
    EXPECT_EQ(Json::parse(response.body)["logits"].get<std::vector<float>>(), model->classifier.classify(bytes).logits);
  }
}

TEST_F(ServiceTest, RefusesWithJson) {
  EXPECT_EQ(ask("GET", "/none").status, 404);
  EXPECT_EQ(ask("PUT", "/v2").status, 405);
  EXPECT_EQ(ask("GET", "/%zz").status, 400);
  EXPECT_EQ(ask("POST", "/classify?model=x", "a").status, 404);
  EXPECT_EQ(ask("POST", "/v2/models/nano/infer", "{").status, 400);
  EXPECT_EQ(ask("POST", "/v2/repository/models/nano/unload").status, 403);
  EXPECT_TRUE(Json::parse(ask("GET", "/none").body)["error"].is_string());
}

std::string field_of(const Response& response, std::string_view name) {
  for (const auto& [field, value] : response.fields)
    if (field == name) return value;
  return "none";
}

TEST_F(ServiceTest, SaysWhatMayBeAsked) {
  EXPECT_EQ(field_of(ask("PUT", "/v2"), "Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(field_of(ask("OPTIONS", "/classify"), "Allow"), "POST, OPTIONS");
  EXPECT_EQ(ask("OPTIONS", "/none").status, 404);
  EXPECT_EQ(ask("HEAD", "/v2").status, 200);
  EXPECT_EQ(ask("HEAD", "/classify").status, 405);
}

TEST_F(ServiceTest, LetsPagesOfAllowedOriginsRead) {
  constexpr const char* kAllow = "Access-Control-Allow-Origin";
  const Fields friend_fields = {{"origin", "https://friend.example"}, {"access-control-request-method", "POST"}};
  EXPECT_EQ(field_of(ask("GET", "/v2", "", friend_fields), kAllow), "https://friend.example");
  EXPECT_EQ(field_of(ask("POST", "/v2/models/nano/infer", "{", friend_fields), kAllow), "https://friend.example");
  const Response asked_before = ask("OPTIONS", "/classify", "", friend_fields);
  EXPECT_EQ(asked_before.status, 200);
  EXPECT_EQ(field_of(asked_before, "Access-Control-Allow-Methods"), "POST, OPTIONS");
  EXPECT_THAT(field_of(asked_before, "Access-Control-Allow-Headers"), HasSubstr("Inference-Header-Content-Length"));
  for (const Fields& fields : {Fields{}, Fields{{"origin", "https://other.example"}}, Fields{{"origin", "null"}}}) {
    const Response answer = ask("OPTIONS", "/classify", "", fields);
    EXPECT_EQ(field_of(answer, kAllow), "none");
    EXPECT_EQ(field_of(answer, "Access-Control-Allow-Methods"), "none");
    EXPECT_EQ(field_of(answer, "Vary"), "Origin");
  }
}

TEST_F(ServiceTest, TakesTheProxysWordOnClients) {
  const auto logged_client = [&](const Fields& fields) {
    ask("GET", "/v2", "", fields);
    return Json::parse(log().back())["client"].get<std::string>();
  };
  EXPECT_EQ(logged_client({}), "test");
  EXPECT_EQ(logged_client({{"x-forwarded-for", "192.0.2.1"}, {"x-forwarded-for", "192.0.2.2, 192.0.2.3"}}),
            "192.0.2.3");
  EXPECT_EQ(logged_client({{"x-forwarded-for", "nonsense"}}), "test");
  EXPECT_EQ(logged_client({{"forwarded", "for=192.0.2.1"}}), "test");
}

TEST_F(ServiceTest, BoundsTheRequestsOfAClient) {
  class Slow : public TestExchange {
   public:
    using TestExchange::TestExchange;
    std::function<void()> meanwhile;
    std::size_t read(std::span<std::uint8_t> out) override {
      if (meanwhile) std::exchange(meanwhile, nullptr)();
      return TestExchange::read(out);
    }
  };
  Slow slow("POST", "/classify", "hello");
  slow.head_.fields = {{"x-forwarded-for", "192.0.2.1"}};
  slow.meanwhile = [&] {
    EXPECT_EQ(ask("GET", "/v2", "", {{"x-forwarded-for", "192.0.2.1"}}).status, 503);
    EXPECT_EQ(ask("GET", "/v2", "", {{"x-forwarded-for", "192.0.2.2"}}).status, 200);
  };
  service.handle(slow);
  EXPECT_EQ(slow.response.status, 200);
  EXPECT_EQ(ask("GET", "/v2", "", {{"x-forwarded-for", "192.0.2.1"}}).status, 200);
}

TEST_F(ServiceTest, FieldsHaveValuesWithoutCase) {
  const auto body = [&](const char* field, const char* value, const char* text) {
    return ask("POST", "/classify", text, {{field, value}}).body;
  };
  const std::string alone = body("x", "", "hello");
  EXPECT_EQ(body("content-type", "Multipart/Form-Data; boundary=b", "--b\r\n\r\nhello\r\n--b--"), "[" + alone + "]");
  EXPECT_EQ(body("content-type", "Application/X-NDJSON", R"({"text":"hello"})"), alone + "\n");
  for (const char* coding : {"", "Identity"}) EXPECT_EQ(body("content-encoding", coding, "hello"), alone);
}

TEST_F(ServiceTest, HoldsNoMoreThanItMay) {
  ServiceOptions small = options();
  small.max_held_bytes = 1 << 20;
  Service bounded(models, small);
  const auto status = [&](const char* target, const std::string& body) {
    TestExchange exchange("POST", target, body);
    exchange.head_.fields = {{"content-type", "application/x-ndjson"}};
    bounded.handle(exchange);
    return exchange.response.status;
  };
  const auto line = [](std::size_t size) { return "{\"text\":\"" + std::string(size, 'a') + "\"}\n"; };
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += line(50'000);
  EXPECT_EQ(status("/classify", lines), 200);  // one after another
  EXPECT_EQ(status("/classify", line(600'000)), 413) << "with its JSON and the file";
  EXPECT_EQ(status("/classify", std::string(2 << 20, 'a')), 413) << "a line that does not end";
  const auto infer = [](std::size_t size) {
    return R"({"inputs":[{"name":"file","datatype":"BYTES","shape":[1],"data":[")" + std::string(size, 'a') + R"("]}]})";
  };
  EXPECT_EQ(status("/v2/models/nano/infer", infer(100'000)), 200);
  EXPECT_EQ(status("/v2/models/nano/infer", infer(600'000)), 413) << "with its JSON and the file";
}

TEST_F(ServiceTest, TakesFewEmptyLines) {
  const Fields form = {{"content-type", "application/x-ndjson"}};
  const std::string some(500, '\n');
  EXPECT_EQ(ask("POST", "/classify", some + "{\"text\":\"a\"}\n" + some + some, form).status, 200);
  EXPECT_EQ(ask("POST", "/classify", std::string(100'000, '\n'), form).status, 400);
}

TEST_F(ServiceTest, TakesNewKeys) {
  const Fields key = {{"x-api-key", "secret"}};
  EXPECT_EQ(ask("GET", "/metrics").status, 200);
  const std::string_view secret = "secret";
  service.use_api_keys({base::sha256({reinterpret_cast<const std::uint8_t*>(secret.data()), secret.size()})});
  EXPECT_EQ(ask("GET", "/metrics", "", key).status, 200);
  EXPECT_EQ(ask("GET", "/metrics", "", {{"authorization", "bearer secret"}}).status, 200);
  const Response refused = ask("GET", "/metrics");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(field_of(refused, "WWW-Authenticate"), "Bearer");
  EXPECT_EQ(ask("OPTIONS", "/metrics").status, 200);
}

TEST_F(ServiceTest, LogsWhatClientsAreNotTold) {
  bool fails = false;
  Models others{{{"m", "1", "x"}}, [&](const ModelSource& source) {
                  if (fails) base::fail(ErrorCode::kNotFound, "/secret/path is gone");
                  return load_model({source.name, source.version, test::data_path("untrained-nano")}, reads_as_is(), {});
                }};
  fails = true;
  ServiceOptions with_control = options();
  with_control.has_model_control = true;
  with_control.describe = [](const Model&, const Answer&, const AnswerForm&) -> std::string {
    base::fail(ErrorCode::kInternal, "a bug in /secret/path");
  };
  Service other(others, with_control);
  const auto error_of = [&](const char* target) {
    TestExchange exchange("POST", target, "hello");
    other.handle(exchange);
    return std::to_string(exchange.response.status) + " " + Json::parse(exchange.response.body)["error"].get<std::string>();
  };
  EXPECT_EQ(error_of("/v2/repository/models/m/load"), "400 the model `m` cannot be loaded; the server's log says why");
  EXPECT_EQ(Json::parse(log().back())["error"], "/secret/path is gone");
  EXPECT_EQ(error_of("/classify"), "500 an internal error; the server's log says why");
  EXPECT_EQ(Json::parse(log().back())["error"], "a bug in /secret/path");
}

TEST_F(ServiceTest, StatisticsCountRequestsAndFilesThatWereClassified) {
  const auto stats = [&] { return Json::parse(ask("GET", "/v2/models/nano/stats").body)["model_stats"][0]; };
  const auto ask_parts = [&](const std::string& first) {
    return ask("POST", "/classify", "--b\r\n\r\n" + first + "\r\n--b\r\n\r\n\r\n--b--",
               {{"content-type", "multipart/form-data; boundary=b"}});
  };
  EXPECT_EQ(ask_parts("").status, 200);
  EXPECT_EQ(stats()["inference_count"], 0);
  EXPECT_EQ(stats()["execution_count"], 0);
  EXPECT_EQ(ask_parts("hello").status, 200);
  EXPECT_EQ(ask("POST", "/classify", "").status, 400);
  EXPECT_EQ(ask("POST", "/classify", std::string(options().stream_from_bytes + 1, 'x')).status, 200);
  EXPECT_EQ(ask("POST", "/classify?explain=1", "hello").status, 200);
  const Json now = stats();
  EXPECT_EQ(now["inference_count"], 3);
  EXPECT_EQ(now["execution_count"], 3);
  EXPECT_EQ(now["batch_stats"].size(), 1U);
  EXPECT_EQ(now["batch_stats"][0]["compute_infer"]["count"], 3);
  EXPECT_EQ(now["inference_stats"]["fail"]["count"], 1);
  for (const char* part : {"success", "queue", "compute_input", "compute_infer", "compute_output"}) {
    EXPECT_EQ(now["inference_stats"][part]["count"], 4) << part;
    EXPECT_LE(now["inference_stats"][part]["ns"], now["inference_stats"]["success"]["ns"]) << part;
  }
  EXPECT_THAT(ask("GET", "/metrics").body, HasSubstr("nv_inference_count{model=\"nano\",version=\"1\"} 3\n"));
}

TEST_F(ServiceTest, IgnoresWhatAddressesSayBesides) {
  EXPECT_EQ(ask("POST", "/v2/models/nano/infer?x=1&x=2", "hello", {{"inference-header-content-length", "0"}}).status, 200);
  EXPECT_EQ(ask("POST", "/classify?logits=1&logits=1", "hello").status, 400);
}

TEST_F(ServiceTest, SaysNothingOfMemoryThatItCannotSee) {
  EXPECT_THAT(ask("GET", "/metrics").body, HasSubstr("process_resident_memory_bytes"));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const std::string text = ask("GET", "/metrics").body;
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_THAT(text, Not(HasSubstr("process_resident_memory_bytes")));
}

TEST_F(ServiceTest, CountsAndDrains) {
  ask("POST", "/classify", "hello");
  ask("POST", "/classify", "");
  const std::string text = ask("GET", "/metrics").body;
  EXPECT_THAT(text, HasSubstr("byteformer_requests_total{model=\"nano\",version=\"1\",outcome=\"ok\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("outcome=\"client_error\"} 1\n"));
  EXPECT_EQ(ask("GET", "/v2/health/ready").status, 200);
  service.begin_drain();
  EXPECT_EQ(ask("GET", "/v2/health/ready").status, 503);
  EXPECT_EQ(ask("GET", "/v2/health/live").status, 200);
}

}  // namespace
}  // namespace byteformer::serve
