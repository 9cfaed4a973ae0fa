// The messages as JSON, their members by name.
#include "common/gradient_messages.hpp"

#include <nlohmann/json.hpp>

#include "byteformer/error.hpp"
#include "format/json.hpp"

namespace byteformer::cli {
namespace {

using nlohmann::json;

template <typename Message>
Message parsed(const std::string& text) {
  try {
    return format::from_text(text).template get<Message>();
  } catch (const json::exception& error) {
    throw Error(
        ErrorCode::kInvalidFormat,
        std::string("byteformer and byteformer-train do not understand each other (two versions?): ") + error.what());
  }
}

}  // namespace

// What a message has, by name.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GradientRequest, masking, label, of_logit, steps, threads, shows_progress)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GradientAnswer, value, value_without, heat)

std::string to_json(const GradientRequest& request) { return format::to_text(json(request)); }
std::string to_json(const GradientAnswer& answer) { return format::to_text(json(answer)); }

GradientRequest parse_gradient_request(const std::string& text) { return parsed<GradientRequest>(text); }
GradientAnswer parse_gradient_answer(const std::string& text) { return parsed<GradientAnswer>(text); }

}  // namespace byteformer::cli
