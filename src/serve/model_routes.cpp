// What is said of models, and their loading: metadata, configuration, statistics, the repository.
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "format/json.hpp"
#include "serve/service_state.hpp"

namespace byteformer::serve {
namespace {

using format::OrderedJson;

OrderedJson input_metadata() {
  return OrderedJson::array({{{"name", kInputName}, {"datatype", "BYTES"}, {"shape", {-1}}}});
}

OrderedJson output_metadata(const Model& model) {
  const int labels = model.classifier.num_labels();
  OrderedJson outputs = OrderedJson::array();
  const auto add = [&](OutputKind kind, const char* type, std::vector<std::int64_t> shape) {
    outputs.push_back({{"name", to_string(kind)}, {"datatype", type}, {"shape", std::move(shape)}});
  };
  add(OutputKind::kLogits, "FP32", {-1, labels});
  add(OutputKind::kScores, "FP32", {-1, labels});
  add(OutputKind::kLabel, "BYTES", {-1});
  add(OutputKind::kFeatures, "FP32", {-1, model.classifier.hidden_size()});
  return outputs;
}

OrderedJson statistics(const ModelSource& source, const ModelCounts& counts) {
  const auto part = [](std::uint64_t count, double seconds) {
    return OrderedJson{{"count", count}, {"ns", static_cast<std::uint64_t>(seconds * 1e9)}};
  };
  const std::uint64_t answered = counts.requests[static_cast<std::size_t>(Outcome::kOk)];
  const RequestTimes& times = counts.answered;
  std::uint64_t failed = 0;
  for (std::size_t i = 1; i < counts.requests.size(); ++i) failed += counts.requests[i];
  OrderedJson batches = OrderedJson::array();
  for (const auto& [num_files, spent] : counts.by_batch)
    batches.push_back({{"batch_size", num_files},
                       {"compute_input", part(spent.first.count, spent.first.seconds)},
                       {"compute_infer", part(spent.second.count, spent.second.seconds)},
                       {"compute_output", part(0, 0)}});  // answers are written one by one
  return {{"name", source.name},
          {"version", source.version},
          {"last_inference", counts.last_ms},
          {"inference_count", counts.files},
          {"execution_count", counts.batches},
          {"inference_stats",
           {{"success", part(answered, counts.request_s)},
            {"fail", part(failed, counts.failed_s)},
            {"queue", part(answered, times.queue_s)},
            {"compute_input", part(answered, times.prepare_s)},
            {"compute_infer", part(answered, times.compute_s - times.prepare_s)},
            {"compute_output", part(answered, times.write_s)}}},
          {"batch_stats", batches}};
}

std::shared_ptr<const Model> find_model(const Models& models, const std::vector<std::string>& names) {
  return names.size() > 1 ? models.find(names[0], names[1]) : models.find(names[0]);
}

}  // namespace

void Service::get_model(Request& request) {
  const auto model = find_model(models_, request.names);
  std::vector<std::string> versions;
  for (const Models::State& state : models_.states())
    if (state.model && state.source.name == model->source.name) versions.push_back(state.source.version);
  OrderedJson body = {{"name", model->source.name},
                      {"versions", versions},
                      {"platform", "byteformer"},
                      {"inputs", input_metadata()},
                      {"outputs", output_metadata(*model)}};
  const bytes::BytePermutation* key = nullptr;
  const prepare::Preprocess as_written = prepare::parse_preprocess(model->config.preprocess, "config.json");
  if (model->reads_obfuscated_only) key = bytes::find_without_key(as_written.transforms);
  OrderedJson& more =
      body["parameters"] = {{"reads", prepare::describe(as_written)}, {"labels", model->classifier.labels()}};
  if (key != nullptr) more["key_fingerprint"] = key->fingerprint();
  request.respond_json(body.dump());
}

void Service::get_model_ready(Request& request) {
  const auto model = find_model(models_, request.names);
  request.respond_json(OrderedJson{{"name", model->source.name}, {"ready", true}}.dump());
}

void Service::get_model_config(Request& request) {
  const auto model = find_model(models_, request.names);
  const auto tensors = [](const OrderedJson& metadata) {
    OrderedJson list = OrderedJson::array();
    for (const OrderedJson& tensor : metadata) {
      OrderedJson dims = tensor["shape"];
      list.push_back({{"name", tensor["name"]},
                      {"data_type", tensor["datatype"] == "BYTES" ? "TYPE_STRING" : "TYPE_FP32"},
                      {"dims", dims}});
    }
    return list;
  };
  OrderedJson body = {
      {"name", model->source.name}, {"platform", "byteformer"},           {"backend", "byteformer"},
      {"max_batch_size", 0},        {"input", tensors(input_metadata())}, {"output", tensors(output_metadata(*model))}};
  if (!model->config.preprocess.empty())
    body["parameters"] = {{"preprocess", OrderedJson::parse(model->config.preprocess)}};
  request.respond_json(body.dump());
}

void Service::get_model_stats(Request& request) {
  find_model(models_, request.names);  // or there is none
  respond_stats(request, [&](const ModelSource& source) {
    return source.name == request.names[0] && (request.names.size() == 1 || source.version == request.names[1]);
  });
}

void Service::get_all_stats(Request& request) {
  respond_stats(request, [](const ModelSource&) { return true; });
}

void Service::respond_stats(Request& request, const std::function<bool(const ModelSource&)>& is_wanted) {
  OrderedJson list = OrderedJson::array();
  for (const auto& [source, model, reason] : models_.states())
    if (is_wanted(source)) list.push_back(statistics(source, metrics_.of({source.name, source.version})));
  request.respond_json(OrderedJson{{"model_stats", list}}.dump());
}

void Service::get_index(Request& request) {
  bool only_ready = false;
  if (const std::vector<std::uint8_t> body = read_whole(request); !body.empty()) {
    const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
    const format::Json wanted = format::parse_json(text, "the request");
    if (!wanted.is_object()) throw Refusal{400, "the request must be an object"};
    const auto ready = wanted.find("ready");
    if (ready != wanted.end() && !ready->is_boolean()) throw Refusal{400, "ready must be true or false"};
    only_ready = ready != wanted.end() && ready->get<bool>();
  }
  OrderedJson list = OrderedJson::array();
  for (const Models::State& state : models_.states()) {
    if (only_ready && !state.model) continue;
    list.push_back({{"name", state.source.name},
                    {"version", state.source.version},
                    {"state", state.model ? "READY" : "UNAVAILABLE"},
                    {"reason", state.reason}});
  }
  request.respond_json(list.dump());
}

void Service::load_model(Request& request) {
  if (!options_.has_model_control) throw Refusal{403, "models cannot be loaded here: no --model-control"};
  read_whole(request);  // parameters of other servers, which mean nothing here
  if (std::string error = models_.load(request.names[0]); !error.empty())
    throw Refusal{400, keep_for_log(request, base::joined("the model `", request.names[0], "` cannot be loaded"),
                                    std::move(error))};
  request.respond_json("{}");
}

void Service::unload_model(Request& request) {
  if (!options_.has_model_control) throw Refusal{403, "models cannot be unloaded here: no --model-control"};
  read_whole(request);
  models_.unload(request.names[0]);
  request.respond_json("{}");
}

}  // namespace byteformer::serve
