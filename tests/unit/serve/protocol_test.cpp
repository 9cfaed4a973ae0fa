// Requests and answers of the protocol; what the server does with all of them is tested from outside in tests/serve.
#include "serve/protocol.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/files.hpp"
#include "unit/serve/reads_as_is.hpp"

namespace byteformer::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

InferRequest parse(std::string_view body, const char* header_length = nullptr) {
  const std::string length = header_length == nullptr ? "" : header_length;
  return parse_infer_request({reinterpret_cast<const std::uint8_t*>(body.data()), body.size()},
                             header_length == nullptr ? nullptr : &length, 8);
}

std::string refusal_of(std::string_view body, const char* header_length = nullptr) {
  try {
    parse(body, header_length);
  } catch (const Refusal& refusal) {
    EXPECT_EQ(refusal.status, 400);
    return refusal.message;
  }
  return "";
}

std::vector<std::string> texts(const InferRequest& request) {
  std::vector<std::string> texts;
  for (const auto& file : request.files) texts.emplace_back(file.begin(), file.end());
  return texts;
}

TEST(Protocol, ReadsJson) {
  const InferRequest request = parse(
      R"({"id":"7","parameters":{"timeout":2000000},"inputs":[{"name":"file","datatype":"BYTES","shape":[2,1],
          "data":[["a"],["b\u0000"]]}],"outputs":[{"name":"label"},{"name":"scores","parameters":{"classification":3}}]})");
  EXPECT_EQ(request.id, "7");
  EXPECT_EQ(request.timeout_s, 2.0);
  EXPECT_THAT(texts(request), ElementsAre("a", std::string("b\0", 2)));
  ASSERT_EQ(request.outputs.size(), 2U);
  EXPECT_EQ(request.outputs[0].kind, OutputKind::kLabel);
  EXPECT_EQ(request.outputs[1].num_classes, 3);
}

TEST(Protocol, ReadsBinaryTensors) {
  const std::string head = R"({"inputs":[{"name":"file","datatype":"BYTES","shape":[2],)"
                           R"("parameters":{"binary_data_size":11}}],"parameters":{"binary_data_output":true}})";
  const std::string body = head + std::string("\3\0\0\0abc\0\0\0\0", 11);
  const InferRequest request = parse(body, std::to_string(head.size()).c_str());
  EXPECT_THAT(texts(request), ElementsAre("abc", ""));
  EXPECT_EQ(request.outputs.size(), 4U);
  EXPECT_TRUE(request.outputs[0].is_binary);
  EXPECT_THAT(refusal_of(body), HasSubstr("the request")) << "JSON with bytes after it";
  EXPECT_THAT(refusal_of(body.substr(0, body.size() - 1), std::to_string(head.size()).c_str()), HasSubstr("10 bytes"));
}

TEST(Protocol, ReadsARawFile) {
  const InferRequest request = parse("any bytes", "0");
  EXPECT_THAT(texts(request), ElementsAre("any bytes"));
  EXPECT_THAT(request.shape, ElementsAre(1));
  EXPECT_TRUE(request.outputs[0].is_binary);
}

TEST(Protocol, SaysWhatIsWrong) {
  const auto with = [](const std::string& input) { return refusal_of(R"({"inputs":[)" + input + "]}"); };
  EXPECT_THAT(with(""), HasSubstr("one input, `file`"));
  EXPECT_THAT(with(R"({"name":"x"})"), HasSubstr("not `x`"));
  EXPECT_THAT(with(R"({"name":"file","datatype":"FP32"})"), HasSubstr("BYTES, not `FP32`"));
  const std::string good = R"({"name":"file","datatype":"BYTES",)";
  EXPECT_THAT(with(good + R"("shape":[-1],"data":["a"]})"), HasSubstr("not negative"));
  EXPECT_THAT(with(good + R"("shape":[4294967296,4294967296],"data":["a"]})"), HasSubstr("can be counted"));
  EXPECT_THAT(with(good + R"("shape":[2],"data":["a"]})"), HasSubstr("says 2 elements, but there are 1"));
  EXPECT_THAT(with(good + R"("shape":[9],"data":["a"]})"), HasSubstr("more than 8 files"));
  const std::string shared = R"(,"parameters":{"shared_memory_region":"r","shared_memory_byte_size":9})";
  EXPECT_THAT(with(good + R"("shape":[1])" + shared + "}"), HasSubstr("shared memory"));
  EXPECT_THAT(refusal_of(R"({"inputs":[)" + good + R"("shape":[1],"data":["a"]}],"outputs":[{"name":"label")" + shared + "}]}"),
              HasSubstr("shared memory"));
  EXPECT_THAT(refusal_of(std::string(250'000, '[')), HasSubstr("the request"));
  for (const char* length : {"-1", "x", "10", "18446744073709551616", "", " 1"})
    EXPECT_NE(refusal_of("{}", length), "") << length;
}

TEST(Protocol, WritesAnswers) {
  const Classifier classifier = Classifier::load(test::data_path("untrained-nano"), reads_as_is());
  const std::vector<std::uint8_t> file(100, 7);
  const std::vector<Output> outputs = {classifier.classify(file)};
  InferRequest request;
  request.id = "x\"";
  request.outputs = {{OutputKind::kLogits, true}, {OutputKind::kScores}, {OutputKind::kLogits, false, 2}};
  const InferAnswer answer = write_infer_answer(request, "m", "3", classifier, outputs);
  ASSERT_TRUE(answer.json_length.has_value());
  const Json json = Json::parse(answer.body.substr(0, *answer.json_length));
  EXPECT_EQ(json["id"], "x\"");
  EXPECT_EQ(json["model_version"], "3");
  EXPECT_EQ(json["outputs"][0]["parameters"]["binary_data_size"], 4 * classifier.num_labels());
  EXPECT_EQ(json["outputs"][1]["data"].get<std::vector<float>>(), classifier.scores(outputs[0]));
  EXPECT_EQ(json["outputs"][2]["shape"], Json({1, 2}));
  EXPECT_EQ(std::memcmp(answer.body.data() + *answer.json_length, outputs[0].logits.data(),
                        answer.body.size() - *answer.json_length),
            0);
  EXPECT_EQ(answer.body.size() - *answer.json_length, 4U * outputs[0].logits.size());
}

}  // namespace
}  // namespace byteformer::serve
