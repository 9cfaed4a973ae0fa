// Requests for inference, in JSON, in JSON followed by tensors, or raw; and their answers.
#include "serve/protocol.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "format/json.hpp"
#include "serve/forms.hpp"

namespace byteformer::serve {
namespace {

using format::Json;
using format::OrderedJson;

constexpr std::array kOutputKinds = {OutputKind::kLogits, OutputKind::kScores, OutputKind::kLabel,
                                     OutputKind::kFeatures};
constexpr std::array<std::string_view, 4> kOutputNames = {"logits", "scores", "label", "features"};
constexpr format::JsonLimits kJsonLimits{.max_depth = 32, .max_values = 1'000'000};
constexpr std::size_t kLengthBytes = 4;  // before each element of a binary BYTES tensor
constexpr double kMicrosecond = 1e-6;

template <typename... Parts>
[[noreturn]] void refuse(const Parts&... parts) {
  throw Refusal{400, base::joined(parts...)};
}

/// The member of an object; null where it is absent or null.
const Json* find(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const Json& require_object(const Json& value, std::string_view what) {
  if (!value.is_object()) refuse(what, " must be an object");
  return value;
}

const Json* find_array(const Json& object, const char* key) {
  const Json* found = find(object, key);
  if (found != nullptr && !found->is_array()) refuse(key, " must be an array");
  return found;
}

std::string text_of(const Json& object, const char* key, std::string_view where) {
  const Json* found = find(object, key);
  if (found == nullptr || !found->is_string()) refuse(where, " needs ", key, ", a string");
  return found->get<std::string>();
}

const Json* parameters_of(const Json& object) {
  const Json* parameters = find(object, "parameters");
  if (parameters != nullptr) require_object(*parameters, "parameters");
  return parameters;
}

const Json* parameter(const Json& object, const char* key) {
  const Json* parameters = parameters_of(object);
  return parameters == nullptr ? nullptr : find(*parameters, key);
}

std::optional<bool> flag(const Json& object, const char* key) {
  const Json* found = parameter(object, key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_boolean()) refuse("the parameter ", key, " must be true or false");
  return found->get<bool>();
}

std::optional<std::uint64_t> count(const Json& object, const char* key) {
  const Json* found = parameter(object, key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_number_unsigned()) refuse("the parameter ", key, " must be a whole number that is not negative");
  return found->get<std::uint64_t>();
}

void refuse_shared_memory(const Json& tensor) {
  if (parameter(tensor, "shared_memory_region") != nullptr)
    refuse("shared memory is not supported: send and take tensors in the body");
}

/// The shape of the input: [n] or [n, 1, ...], and how many files that are.
std::uint64_t read_shape(const Json& input, std::vector<std::int64_t>& shape) {
  const Json* dimensions = find_array(input, "shape");
  if (dimensions == nullptr || dimensions->empty() || dimensions->size() > 8)
    refuse("the input needs a shape of 1 to 8 dimensions");
  std::uint64_t product = 1;
  for (const Json& dimension : *dimensions) {
    if (!dimension.is_number_unsigned() || dimension.get<std::uint64_t>() > INT64_MAX)
      refuse("a dimension of the shape must be a whole number that is not negative");
    const auto size = dimension.get<std::uint64_t>();
    if (size != 0 && product > INT64_MAX / size) refuse("the shape has more elements than can be counted");
    product *= size;
    shape.push_back(static_cast<std::int64_t>(size));
  }
  if (product != static_cast<std::uint64_t>(shape.front())) refuse("the shape must be [files] or [files, 1]");
  return product;
}

void append_elements(const Json& data, bool is_base64, std::size_t max_files,
                     std::vector<std::vector<std::uint8_t>>& files) {
  for (const Json& element : data) {
    if (element.is_array()) {
      append_elements(element, is_base64, max_files, files);
      continue;
    }
    if (!element.is_string()) refuse("data of a BYTES tensor must be strings");
    if (files.size() == max_files) refuse("more than ", max_files, " files in one request");
    const std::string& text = element.get_ref<const std::string&>();
    if (is_base64)
      files.push_back(decode_base64(text));
    else
      files.emplace_back(text.begin(), text.end());
  }
}

void append_binary_elements(std::span<const std::uint8_t> tensor, std::size_t max_files,
                            std::vector<std::vector<std::uint8_t>>& files) {
  while (!tensor.empty()) {
    if (tensor.size() < kLengthBytes) refuse("the binary tensor ends inside the length of an element");
    std::uint32_t size = 0;
    for (std::size_t i = 0; i < kLengthBytes; ++i) size |= std::uint32_t{tensor[i]} << (8 * i);
    tensor = tensor.subspan(kLengthBytes);
    if (size > tensor.size()) refuse("an element of the binary tensor is longer than what is left of it");
    if (files.size() == max_files) refuse("more than ", max_files, " files in one request");
    files.emplace_back(tensor.begin(), tensor.begin() + size);
    tensor = tensor.subspan(size);
  }
}

void read_input(const Json& request, std::span<const std::uint8_t> tensors, std::size_t max_files,
                InferRequest& result) {
  const Json* inputs = find_array(request, "inputs");
  if (inputs == nullptr || inputs->size() != 1) refuse("the model has one input, `", kInputName, "`");
  const Json& input = require_object(inputs->front(), "an input");
  if (const std::string name = text_of(input, "name", "an input"); name != kInputName)
    refuse("the model's input is `", kInputName, "`, not `", base::excerpt(name), "`");
  if (const std::string type = text_of(input, "datatype", "an input"); type != "BYTES")
    refuse("the input `", kInputName, "` has the datatype BYTES, not `", base::excerpt(type), "`");
  refuse_shared_memory(input);
  const std::uint64_t num_files = read_shape(input, result.shape);
  if (num_files > max_files) refuse("more than ", max_files, " files in one request");
  const auto binary_size = count(input, "binary_data_size");
  const Json* data = find_array(input, "data");
  if (binary_size && data != nullptr) refuse("the input has both data and binary_data_size");
  if (!binary_size && data == nullptr) refuse("the input has neither data nor binary_data_size");
  if (binary_size) {
    if (*binary_size != tensors.size())
      refuse("binary_data_size is ", *binary_size, ", but ", tensors.size(), " bytes follow the JSON");
    append_binary_elements(tensors, max_files, result.files);
  } else {
    if (!tensors.empty()) refuse(tensors.size(), " bytes follow the JSON that no input speaks of");
    const Json* form = parameter(input, "content_type");
    if (form != nullptr && *form != "base64" && *form != "str")
      refuse("the parameter content_type must be \"base64\" or \"str\"");
    append_elements(*data, form != nullptr && *form == "base64", max_files, result.files);
  }
  if (result.files.size() != num_files)
    refuse("the shape says ", num_files, " elements, but there are ", result.files.size());
  if (num_files == 0) refuse("there is no file in the request");
}

void read_outputs(const Json& request, InferRequest& result) {
  const bool is_binary = flag(request, "binary_data_output").value_or(false);
  const Json* outputs = find_array(request, "outputs");
  if (outputs == nullptr || outputs->empty()) {
    for (const OutputKind kind : kOutputKinds) result.outputs.push_back({kind, is_binary});
    return;
  }
  for (const Json& output : *outputs) {
    const std::string name = text_of(require_object(output, "an output"), "name", "an output");
    const auto found = std::ranges::find(kOutputNames, name);
    if (found == kOutputNames.end())
      refuse("the model has no output `", base::excerpt(name), "`; there are logits, scores, label and features");
    const OutputKind kind = kOutputKinds[static_cast<std::size_t>(found - kOutputNames.begin())];
    if (std::ranges::find(result.outputs, kind, &WantedOutput::kind) != result.outputs.end())
      refuse("the output `", name, "` is asked for twice");
    refuse_shared_memory(output);
    WantedOutput wanted{kind, flag(output, "binary_data").value_or(is_binary)};
    if (const auto num_classes = count(output, "classification"); num_classes && *num_classes > 0) {
      if (kind != OutputKind::kLogits && kind != OutputKind::kScores)
        refuse("classification is for logits and scores, not for `", name, "`");
      wanted.num_classes = static_cast<std::int64_t>(std::min<std::uint64_t>(*num_classes, INT32_MAX));
    }
    result.outputs.push_back(wanted);
  }
}

/// A tensor of an answer: numbers or texts.
struct Tensor {
  std::string_view datatype;
  std::vector<std::int64_t> shape;
  std::vector<float> numbers;
  std::vector<std::string> texts;

  std::string binary() const {
    std::string bytes;
    for (const float number : numbers) append_word(bytes, std::bit_cast<std::uint32_t>(number));
    for (const std::string& text : texts) {
      append_word(bytes, static_cast<std::uint32_t>(text.size()));
      bytes += text;
    }
    return bytes;
  }

 private:
  static void append_word(std::string& bytes, std::uint32_t word) {
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(word >> shift & 0xff);
  }
};

Tensor classes_of(const WantedOutput& wanted, const Classifier& classifier, std::span<const Output> outputs) {
  const int num_classes = static_cast<int>(std::min<std::int64_t>(wanted.num_classes, classifier.num_labels()));
  Tensor tensor{"BYTES", {static_cast<std::int64_t>(outputs.size()), num_classes}, {}, {}};
  for (const Output& output : outputs) {
    for (const Prediction& prediction : classifier.top_k(output, num_classes)) {
      const double value = wanted.kind == OutputKind::kScores
                               ? prediction.score
                               : output.logits[static_cast<std::size_t>(prediction.index)];
      std::array<char, 64> digits{};
      std::snprintf(digits.data(), digits.size(), "%f", value);
      tensor.texts.push_back(base::joined(digits.data(), ':', prediction.index, ':', prediction.label));
    }
  }
  return tensor;
}

Tensor tensor_of(const WantedOutput& wanted, const Classifier& classifier, std::span<const Output> outputs) {
  if (wanted.num_classes > 0) return classes_of(wanted, classifier, outputs);
  const auto num_files = static_cast<std::int64_t>(outputs.size());
  if (wanted.kind == OutputKind::kLabel) {
    Tensor tensor{"BYTES", {num_files}, {}, {}};
    for (const Output& output : outputs) {
      const Prediction best = classifier.top_k(output, 1).front();
      tensor.texts.push_back(best.score < classifier.unknown_below() ? "unknown" : best.label);
    }
    return tensor;
  }
  const bool is_features = wanted.kind == OutputKind::kFeatures;
  Tensor tensor{"FP32", {num_files, is_features ? classifier.hidden_size() : classifier.num_labels()}, {}, {}};
  for (const Output& output : outputs) {
    const std::vector<float> scores =
        wanted.kind == OutputKind::kScores ? classifier.scores(output) : std::vector<float>();
    const std::vector<float>& row = wanted.kind == OutputKind::kScores ? scores
                                    : is_features                      ? output.features
                                                                       : output.logits;
    tensor.numbers.insert(tensor.numbers.end(), row.begin(), row.end());
  }
  return tensor;
}

}  // namespace

std::string_view to_string(OutputKind kind) noexcept { return kOutputNames[static_cast<std::size_t>(kind)]; }

InferRequest parse_infer_request(std::span<const std::uint8_t> body, const std::string* header_length,
                                 std::size_t max_files) {
  std::size_t json_length = body.size();
  if (header_length != nullptr) {
    const auto [end, error] =
        std::from_chars(header_length->data(), header_length->data() + header_length->size(), json_length);
    if (error != std::errc{} || end != header_length->data() + header_length->size())
      refuse("Inference-Header-Content-Length must be a whole number that is not negative");
    if (json_length > body.size())
      refuse("Inference-Header-Content-Length is ", json_length, ", but the body has ", body.size(), " bytes");
  }
  InferRequest result;
  if (header_length != nullptr && json_length == 0) {
    result.files.emplace_back(body.begin(), body.end());
    result.shape = {1};
    for (const OutputKind kind : kOutputKinds) result.outputs.push_back({kind, true});
    return result;
  }
  try {
    const std::string_view text(reinterpret_cast<const char*>(body.data()), json_length);
    const Json request = format::parse_json(text, "the request", kJsonLimits);
    require_object(request, "the request");
    if (const Json* id = find(request, "id")) {
      if (!id->is_string()) refuse("id must be a string");
      result.id = id->get<std::string>();
    }
    if (const auto timeout = count(request, "timeout"); timeout && *timeout > 0)
      result.timeout_s = static_cast<double>(*timeout) * kMicrosecond;
    read_input(request, body.subspan(json_length), max_files, result);
    read_outputs(request, result);
  } catch (const Error& error) {
    refuse(error.what());
  }
  return result;
}

InferAnswer write_infer_answer(const InferRequest& request, const std::string& model_name, const std::string& version,
                               const Classifier& classifier, std::span<const Output> outputs) {
  OrderedJson answer = {{"model_name", model_name}, {"model_version", version}};
  if (!request.id.empty()) answer["id"] = request.id;
  OrderedJson& list = answer["outputs"] = OrderedJson::array();
  std::string tensors;
  bool has_binary = false;
  for (const WantedOutput& wanted : request.outputs) {
    const Tensor tensor = tensor_of(wanted, classifier, outputs);
    OrderedJson output = {{"name", to_string(wanted.kind)}, {"datatype", tensor.datatype}, {"shape", tensor.shape}};
    if (wanted.is_binary) {
      const std::string bytes = tensor.binary();
      output["parameters"] = {{"binary_data_size", bytes.size()}};
      tensors += bytes;
      has_binary = true;
    } else if (tensor.datatype == "BYTES") {
      output["data"] = tensor.texts;
    } else {
      output["data"] = tensor.numbers;
    }
    list.push_back(std::move(output));
  }
  InferAnswer result{answer.dump(), std::nullopt};
  if (has_binary) {
    result.json_length = result.body.size();
    result.body += tensors;
  }
  return result;
}

std::string error_body(std::string_view message) { return OrderedJson{{"error", base::as_utf8(message)}}.dump(); }

}  // namespace byteformer::serve
