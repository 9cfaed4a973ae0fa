// Finds typed keys, and names what is of another type.
#include "format/json_keys.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace byteformer::format {

JsonKeys::JsonKeys(const Json& object, std::string name, JsonPlace place)
    : object_(object), name_(std::move(name)), place_(place) {
  if (!object.is_object())
    base::fail_format(name_, "is ", description(object), ", expected ",
                      place == JsonPlace::kFile ? "a JSON object" : "an object");
}

const Json* JsonKeys::find(std::string_view key) const {
  const auto entry = object_.find(key);
  return entry == object_.end() ? nullptr : &*entry;
}

std::optional<std::string> JsonKeys::string(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) refuse(key, "a string");
  return value->get<std::string>();
}

std::optional<std::int64_t> JsonKeys::integer(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto integer = as_integer(*value);
  if (!integer) refuse(key, "an integer");
  return integer;
}

std::optional<double> JsonKeys::number(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) refuse(key, "a number");
  return value->get<double>();
}

const std::vector<Json>* JsonKeys::array(std::string_view key, std::string_view expected) const {
  const Json* value = find(key);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) refuse(key, expected);
  return &value->get_ref<const Json::array_t&>();
}

std::optional<JsonKeys> JsonKeys::object(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  return JsonKeys(*value, base::joined(name_, place_ == JsonPlace::kFile ? ": " : ".", key), JsonPlace::kPart);
}

void JsonKeys::refuse(std::string_view key, std::string_view expected) const {
  const Json* found = find(key);
  if (found != nullptr) refuse(key, expected, *found);
  fail(key, " is missing", expected);
}

void JsonKeys::refuse(std::string_view place, std::string_view expected, const Json& found) const {
  fail(place, " is " + description(found), expected);
}

void JsonKeys::fail(std::string_view key, std::string_view what, std::string_view expected) const {
  if (place_ == JsonPlace::kFile) base::fail_format(name_, key, what, ", expected ", expected);
  base::fail(ErrorCode::kInvalidFormat, name_, ".", key, what, ", expected ", expected);
}

std::optional<std::int64_t> as_integer(const Json& value) {
  const bool fits = !value.is_number_unsigned() || value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX};
  return value.is_number_integer() && fits ? std::optional(value.get<std::int64_t>()) : std::nullopt;
}

}  // namespace byteformer::format
