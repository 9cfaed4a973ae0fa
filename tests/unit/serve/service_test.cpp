// The service with a client in the same process: routes and their description are one, and no exchange goes unanswered.
#include "serve/service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "serve/assets.hpp"
#include "support/files.hpp"
#include "unit/serve/reads_as_is.hpp"

namespace byteformer::serve {
namespace {

using ::testing::HasSubstr;
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
    options.describe = [](const Model& model, const Answer& answer, const AnswerForm&) {
      const Output* output = std::get_if<Output>(&answer.result);
      return output == nullptr ? std::string("{\"failed\":1}")
                               : Json{{"logits", output->logits}, {"model", model.source.name}}.dump();
    };
    return options;
  }

  Response ask(const std::string& method, const std::string& target, const std::string& body = "") {
    TestExchange exchange(method, target, body);
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
  for (const std::size_t size : {std::size_t{1}, std::size_t{5000}, (std::size_t{1} << 20) + 70'001}) {
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
