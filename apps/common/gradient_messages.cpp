// The messages as JSON.
#include "common/gradient_messages.hpp"

#include <nlohmann/json.hpp>

#include "byteformer/error.hpp"
#include "format/json.hpp"

namespace byteformer::cli {
namespace {

using nlohmann::json;

template <typename Read>
auto parsed(const std::string& text, const Read& read) {
  try {
    return read(format::from_text(text));
  } catch (const json::exception& error) {
    throw Error(
        ErrorCode::kInvalidFormat,
        std::string("byteformer and byteformer-train do not understand each other (two versions?): ") + error.what());
  }
}

}  // namespace

std::string to_json(const GradientRequest& request) {
  json message{{"label", request.label},
               {"of_logit", request.of_logit},
               {"steps", request.steps},
               {"threads", request.threads},
               {"shows_progress", request.shows_progress}};
  if (request.masking) message["masking"] = *request.masking;
  return format::to_text(message);
}

std::string to_json(const GradientAnswer& answer) {
  return format::to_text(json{{"value", answer.value}, {"value_without", answer.value_without}, {"heat", answer.heat}});
}

GradientRequest parse_gradient_request(const std::string& text) {
  return parsed(text, [](const json& message) {
    GradientRequest request;
    if (message.contains("masking")) request.masking = message.at("masking").get<std::string>();
    request.label = message.at("label").get<int>();
    request.of_logit = message.at("of_logit").get<bool>();
    request.steps = message.at("steps").get<std::int64_t>();
    request.threads = message.at("threads").get<std::int64_t>();
    request.shows_progress = message.at("shows_progress").get<bool>();
    return request;
  });
}

GradientAnswer parse_gradient_answer(const std::string& text) {
  return parsed(text, [](const json& message) {
    return GradientAnswer{message.at("value").get<double>(), message.at("value_without").get<double>(),
                          message.at("heat").get<std::vector<float>>()};
  });
}

}  // namespace byteformer::cli
