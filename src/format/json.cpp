// The strict JSON reader: nlohmann's event parser feeding a tree that checks limits and duplicate keys; typed keys.
#include "format/json.hpp"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace byteformer::format {
namespace {

using base::excerpt;
using base::fail;
using base::fail_format;
using base::is_utf8;
using base::joined;

/// Builds a Json tree from parse events. Its callbacks throw Error where they refuse an event.
class StrictBuilder : public nlohmann::json_sax<Json> {
 public:
  StrictBuilder(const std::string& source, const JsonLimits& limits) : source_(source), limits_(limits) {}

  Json take() { return std::move(root_); }

  bool null() override { return place(nullptr); }
  bool boolean(bool value) override { return place(value); }
  bool number_integer(number_integer_t value) override { return place(value); }
  bool number_unsigned(number_unsigned_t value) override { return place(value); }
  bool number_float(number_float_t value, const string_t&) override { return place(value); }
  bool string(string_t& value) override { return place(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // not in textual JSON

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    count();
    const auto [entry, is_new] = open_.back()->get_ref<Json::object_t&>().emplace(name, nullptr);
    if (!is_new) fail_format(source_, "the key \"", excerpt(name), "\" stands twice in one JSON object");
    value_of_key_ = &entry->second;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const Json::exception& error) override {
    std::string_view reason = error.what();  // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    if (const auto end = reason.find("] "); end != std::string_view::npos) reason.remove_prefix(end + 2);
    std::string_view place_and_cause = reason;
    if (constexpr std::string_view kStart = "parse error at "; reason.starts_with(kStart))
      place_and_cause.remove_prefix(kStart.size());
    fail_format(source_, "is not valid JSON: ", printable_reason(place_and_cause));
  }

 private:
  /// The reason without the raw input that nlohmann quotes in it, which may be long or no text at all.
  static std::string printable_reason(std::string_view reason) {
    constexpr std::string_view kQuote = "last read: '";
    const auto quote = reason.find(kQuote);
    if (quote == std::string_view::npos) return std::string(reason.substr(0, 300));
    const auto start = quote + kQuote.size();
    return joined(reason.substr(0, start), excerpt(reason.substr(start)));
  }

  void count() {
    if (++num_values_ > limits_.max_values) fail_format(source_, "has more than ", limits_.max_values, " JSON values");
  }

  Json* put(Json value) {
    count();
    if (open_.empty()) return &(root_ = std::move(value));
    Json& parent = *open_.back();
    if (parent.is_array()) return &parent.emplace_back(std::move(value));
    return &(*value_of_key_ = std::move(value));
  }

  bool place(Json value) {
    put(std::move(value));
    return true;
  }

  bool open(Json value) {
    if (open_.size() >= limits_.max_depth)
      fail_format(source_, "nests JSON deeper than ", limits_.max_depth, " levels");
    open_.push_back(put(std::move(value)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  const std::string& source_;
  const JsonLimits& limits_;
  Json root_;
  std::vector<Json*> open_;  ///< the containers that are open; only the last one grows, so none of them moves
  Json* value_of_key_ = nullptr;
  std::size_t num_values_ = 0;
};

/// `value` with all its strings and keys changed.
template <typename Value>
Value with_strings(const Value& value, std::string (*change)(std::string_view)) {
  if (value.is_string()) return change(value.template get_ref<const std::string&>());
  if (!value.is_structured()) return value;
  Value changed = value.is_array() ? Value::array() : Value::object();
  for (const auto& [key, member] : value.items()) {
    if (value.is_array())
      changed.push_back(with_strings(member, change));
    else
      changed[change(key)] = with_strings(member, change);
  }
  return changed;
}

}  // namespace

Json parse_json(std::string_view text, const std::string& source, const JsonLimits& limits) {
  // nlohmann takes a zero byte for the end of the text and would not see what follows.
  if (const auto zero = text.find('\0'); zero != std::string_view::npos)
    fail_format(source, "is not valid JSON: zero byte at offset ", zero);
  StrictBuilder builder(source, limits);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

template <typename Value>
Value from_text(std::string_view text) {
  return with_strings(Value::parse(text), base::unescape_bytes);
}
template Json from_text<Json>(std::string_view);
template OrderedJson from_text<OrderedJson>(std::string_view);

std::string to_text(const Json& value, int indent) { return with_strings(value, base::escape_bytes).dump(indent); }
std::string to_text(const OrderedJson& value, int indent) {
  return with_strings(value, base::escape_bytes).dump(indent);
}

std::string description(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object: return joined("an object of ", value.size());
    case Json::value_t::array: return joined("an array of ", value.size());
    case Json::value_t::string: return joined("the string \"", excerpt(value.get_ref<const std::string&>()), '"');
    default: return value.dump();
  }
}

std::string json_string(std::string_view text) {
  if (!is_utf8(text)) fail(ErrorCode::kInvalidModel, "not UTF-8: \"", excerpt(text), '"');
  return Json(text).dump();
}

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
