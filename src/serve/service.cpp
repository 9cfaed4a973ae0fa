// Routes, keys, the log, and everything that is answered without running a model.
#include "serve/service.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/processors.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "byteformer/version.hpp"
#include "format/json.hpp"
#include "serve/assets.hpp"
#include "serve/service_state.hpp"

namespace byteformer::serve {
namespace {

using base::joined;
using format::OrderedJson;

constexpr std::string_view kServerName = "byteformer";
constexpr int kClientGoneStatus = 499;  // in the log only
constexpr const char* kRequestFields =
    "Authorization, Content-Encoding, Content-Type, Inference-Header-Content-Length, X-API-Key, X-Request-Id, "
    "traceparent";
constexpr const char* kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::vector<std::string_view> parts_of(std::string_view pattern) {
  std::vector<std::string_view> parts;
  for (pattern.remove_prefix(1);;) {
    const std::size_t slash = pattern.find('/');
    parts.push_back(pattern.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    pattern.remove_prefix(slash + 1);
  }
}

/// Whether `path` is of the form `pattern`; `names` are then its parts in braces.
bool matches(std::string_view pattern, const std::vector<std::string>& path, std::vector<std::string>& names) {
  const std::vector<std::string_view> parts = parts_of(pattern);
  if (parts.size() != path.size()) return false;
  names.clear();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].starts_with('{'))
      names.push_back(path[i]);
    else if (parts[i] != path[i])
      return false;
  }
  return true;
}

/// The client's own id where it is a plain word, else a new one.
std::string request_id(const RequestHead& head, std::uint64_t number) {
  const std::string* given = head.find("x-request-id");
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  if (given != nullptr && !given->empty() && given->size() <= 128 && std::ranges::all_of(*given, is_plain))
    return *given;
  static const std::string start = [] {
    std::array<std::uint8_t, 6> bytes{};
    base::fill_from_system_random(bytes);
    return base::hex(bytes);
  }();
  return joined(start, '-', number);
}

/// Takes as long wherever they differ.
bool equals_in_constant_time(const base::Sha256& a, const base::Sha256& b) noexcept {
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]);
  return difference == 0;
}

Outcome outcome_of(int status) noexcept {
  if (status == kClientGoneStatus) return Outcome::kClientGone;
  if (status < 400) return Outcome::kOk;
  if (status < 500) return Outcome::kClientError;
  return status == 503 ? Outcome::kOverloaded : Outcome::kServerError;
}

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string fraction = std::to_string(1000 + millis);
  fraction[0] = '.';
  return std::string(text.data(), length) + fraction + "Z";
}

}  // namespace

int status_of(const Error& error) noexcept {
  switch (error.code()) {
    case ErrorCode::kEmptyFile:
    case ErrorCode::kTooManyTokens:
    case ErrorCode::kInvalidFormat:
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotPrepared:
    case ErrorCode::kUnsupported: return 400;
    default: return 500;
  }
}

const std::vector<Service::Route>& Service::table() {
  static const std::vector<Route> kRoutes = {
      {"GET", "/", &Service::get_page, true},
      {"GET", "/page.css", &Service::get_page, true},
      {"GET", "/page.js", &Service::get_page, true},
      {"GET", "/openapi.json", &Service::get_openapi, true},
      {"GET", "/metrics", &Service::get_metrics},
      {"GET", "/v2", &Service::get_server, true},
      {"GET", "/v2/health/live", &Service::get_live, true},
      {"GET", "/v2/health/ready", &Service::get_ready, true},
      {"GET", "/v2/models/stats", &Service::get_all_stats},
      {"GET", "/v2/models/{model}", &Service::get_model},
      {"GET", "/v2/models/{model}/ready", &Service::get_model_ready},
      {"GET", "/v2/models/{model}/config", &Service::get_model_config},
      {"GET", "/v2/models/{model}/stats", &Service::get_model_stats},
      {"POST", "/v2/models/{model}/infer", &Service::infer},
      {"GET", "/v2/models/{model}/versions/{version}", &Service::get_model},
      {"GET", "/v2/models/{model}/versions/{version}/ready", &Service::get_model_ready},
      {"GET", "/v2/models/{model}/versions/{version}/config", &Service::get_model_config},
      {"GET", "/v2/models/{model}/versions/{version}/stats", &Service::get_model_stats},
      {"POST", "/v2/models/{model}/versions/{version}/infer", &Service::infer},
      {"POST", "/v2/repository/index", &Service::get_index},
      {"POST", "/v2/repository/models/{model}/load", &Service::load_model},
      {"POST", "/v2/repository/models/{model}/unload", &Service::unload_model},
      {"POST", "/classify", &Service::classify},
  };
  return kRoutes;
}

std::vector<std::string> Service::routes() {
  std::vector<std::string> routes;
  for (const Route& route : table()) routes.push_back(joined(route.method, ' ', route.pattern));
  return routes;
}

Service::Service(Models& models, ServiceOptions options)
    : models_(models),
      options_(std::move(options)),
      per_client_(options_.max_requests_per_client),
      api_keys_(std::make_shared<const std::vector<base::Sha256>>(options_.api_keys)),
      budget_(options_.max_held_bytes),
      streams_(options_.max_streams),
      queue_(options_.max_waiting_files, options_.max_batch_files,
             static_cast<std::size_t>(base::or_processors(options_.num_threads)),
             [this](Queue::Jobs jobs) { run_batch(jobs); },
             options_.may_roam ? std::vector<int>{} : base::allowed_processors()) {}

Service::~Service() = default;

void Service::use_api_keys(std::vector<base::Sha256> digests) {
  const std::lock_guard lock(keys_mutex_);
  api_keys_ = std::make_shared<const std::vector<base::Sha256>>(std::move(digests));
}

const Service::Route& Service::find_route(Request& request) const {
  // HEAD is GET whose answer's body is not sent.
  const std::string& method = request.exchange.head().method;
  const std::string_view wanted = method == "HEAD" ? std::string_view("GET") : std::string_view(method);
  const Route* other_method = nullptr;
  for (const Route& route : table()) {
    if (!matches(route.pattern, request.target.path, request.names)) continue;
    if (route.method == wanted) return route;
    other_method = &route;
  }
  static const Route kOptions{"OPTIONS", "", &Service::get_options, true};
  if (method == kOptions.method && request.target.path.empty()) {
    request.names = {"GET, HEAD, POST, OPTIONS"};
    return kOptions;
  }
  if (other_method == nullptr) throw Refusal{404, "there is nothing at this address"};
  const std::string allowed = joined(other_method->method, other_method->method == "GET" ? ", HEAD" : "", ", OPTIONS");
  request.names = {allowed};
  if (method == kOptions.method) return kOptions;
  throw Refusal{405, joined("this address takes ", other_method->method, " requests only"), {{"Allow", allowed}}};
}

/// Who asks: the peer, or whom the trusted proxy names.
std::string Service::address_of(const Exchange& exchange) const {
  const std::string* named = nullptr;
  for (const auto& [field, value] : exchange.head().fields)
    if (field == options_.proxy_field) named = &value;  // the proxy's own line is the last
  return (named == nullptr ? std::nullopt : forwarded_address(options_.proxy_field, *named))
      .value_or(exchange.client());
}

/// Lets pages of other origins read the answer, where that is allowed.
bool Service::allow_origin(Request& request) const {
  const auto allows = [this](std::string_view origin) {
    return std::ranges::find(options_.allowed_origins, origin) != options_.allowed_origins.end();
  };
  if (options_.allowed_origins.empty()) return false;
  const bool allows_any = allows("*");
  if (!allows_any) request.fields.emplace_back("Vary", "Origin");
  const std::string* origin = request.exchange.head().find("origin");
  if (origin == nullptr || !(allows_any || allows(*origin))) return false;
  request.fields.emplace_back("Access-Control-Allow-Origin", allows_any ? "*" : *origin);
  request.fields.emplace_back("Access-Control-Expose-Headers",
                              "Inference-Header-Content-Length, Retry-After, X-Request-Id");
  return true;
}

void Service::authorize(Request& request, bool is_open) const {
  request.client = request.address;
  std::unique_lock lock(keys_mutex_);
  const auto api_keys = api_keys_;
  lock.unlock();
  if (api_keys->empty()) return;
  const RequestHead& head = request.exchange.head();
  std::string_view key;
  if (const std::string* field = head.find("authorization")) key = bearer_key(*field);
  if (const std::string* own = head.find("x-api-key"); own != nullptr && key.empty()) key = *own;
  const base::Sha256 digest = base::sha256({reinterpret_cast<const std::uint8_t*>(key.data()), key.size()});
  bool is_known = false;
  for (const base::Sha256& known : *api_keys) is_known |= equals_in_constant_time(known, digest);
  if (is_known)
    request.client = "key " + base::hex(std::span(digest).first(8));
  else if (!is_open)
    throw Refusal{401, "an API key is needed: Authorization: Bearer KEY", {{"WWW-Authenticate", "Bearer"}}};
}

void Service::handle(Exchange& exchange) {
  Request request(exchange, budget_);
  request.id = request_id(exchange.head(), ++last_id_);
  request.address = address_of(exchange);
  request.fields = {{"X-Request-Id", request.id}};
  const auto refuse = [&](const Refusal& refusal) {
    if (request.has_begun) throw ClientGone{};  // half an answer cannot become a refusal
    request.respond({refusal.status, error_body(refusal.message), "application/json", refusal.fields});
  };
  try {
    try {
      request.is_of_allowed_origin = allow_origin(request);
      const ClientLimit::Share share(per_client_, request.address);
      request.target = parse_target(exchange.head().target);
      const Route& route = find_route(request);
      authorize(request, route.is_open);
      if (route.method == "POST") unpack_body(request);
      (this->*route.handler)(request);
    } catch (const Refusal& refusal) {
      refuse(refusal);
    } catch (const Error& error) {
      const int status = status_of(error);
      refuse({status, status == 500 ? keep_for_log(request, "an internal error", error.what()) : error.what()});
    } catch (const std::bad_alloc&) {
      refuse({503, "there is not enough memory now; try again"});
    } catch (const std::exception& error) {
      refuse({500, keep_for_log(request, "an internal error", error.what())});
    }
  } catch (const ClientGone&) {
    finish(request, kClientGoneStatus);
    throw;
  }
  finish(request, request.status);
}

/// What a client is told of an error whose words are not for it: they may name paths.
std::string Service::keep_for_log(Request& request, std::string message, std::string error) const {
  request.error = std::move(error);
  return options_.log ? message + "; the server's log says why" : message;
}

void Service::finish(Request& request, int status) {
  const double seconds = in_seconds(Clock::now() - request.start);
  const Outcome outcome = outcome_of(status);
  metrics_.count_request(request.key(), outcome, seconds, request.times);
  if (!options_.log) return;
  const RequestHead& head = request.exchange.head();
  OrderedJson line = {{"time", utc_now()},
                      {"id", request.id},
                      {"client", request.address},
                      {"method", base::excerpt(head.method)},
                      {"path", base::as_utf8(std::string_view(head.target).substr(0, 200))},
                      {"status", status},
                      {"outcome", to_string(outcome)},
                      {"bytes_in", request.bytes_in},
                      {"duration_ms", static_cast<double>(static_cast<std::int64_t>(seconds * 1e6)) / 1e3}};
  if (request.model) {
    line["model"] = request.model->source.name;
    line["version"] = request.model->source.version;
    line["files"] = request.num_files;
  }
  if (!request.error.empty()) line["error"] = base::as_utf8(request.error);
  if (const std::string* trace = head.find("traceparent"))
    line["traceparent"] = base::as_utf8(std::string_view(*trace).substr(0, 55));
  if (!options_.log(line.dump())) metrics_.count_lost_log_line();
}

std::string Service::note_malformed(const Exchange& exchange, int status) {
  metrics_.count_request({}, outcome_of(status), 0);
  std::string id = request_id(exchange.head(), ++last_id_);
  const OrderedJson line = {{"time", utc_now()},
                            {"id", id},
                            {"client", exchange.client()},
                            {"status", status},
                            {"outcome", to_string(outcome_of(status))}};
  if (options_.log && !options_.log(line.dump())) metrics_.count_lost_log_line();
  return id;
}

void Service::get_page(Request& request) {
  const std::string& name = request.target.path.front();
  const bool is_page = name.empty();
  Response response;
  response.body = asset(is_page ? "page.html" : name);
  response.content_type = is_page                  ? "text/html; charset=utf-8"
                          : name.ends_with(".css") ? "text/css; charset=utf-8"
                                                   : "text/javascript; charset=utf-8";
  response.fields = {{"Content-Security-Policy", kContentPolicy},
                     {"X-Content-Type-Options", "nosniff"},
                     {"Referrer-Policy", "no-referrer"},
                     {"Cache-Control", "no-cache"}};
  request.respond(std::move(response));
}

/// What may be asked here, and by pages of other origins: browsers ask before they send anything unusual.
void Service::get_options(Request& request) {
  const std::string& allowed = request.names.front();
  Response response{200, "", "", {{"Allow", allowed}}};
  if (request.is_of_allowed_origin) {
    response.fields.emplace_back("Access-Control-Allow-Methods", allowed);
    response.fields.emplace_back("Access-Control-Allow-Headers", kRequestFields);
    response.fields.emplace_back("Access-Control-Max-Age", "86400");
  }
  request.respond(std::move(response));
}

void Service::get_openapi(Request& request) { request.respond_json(std::string(asset(kOpenApiAsset))); }

void Service::get_metrics(Request& request) {
  std::vector<Metrics::Key> loaded;
  for (const Models::State& state : models_.states())
    if (state.model) loaded.emplace_back(state.source.name, state.source.version);
  const Gauges gauges{num_connections_, queue_.num_waiting(), budget_.used()};
  request.respond({200, metrics_.text(loaded, gauges), "text/plain; version=0.0.4; charset=utf-8"});
}

void Service::get_server(Request& request) {
  std::vector<std::string> extensions = {"binary_tensor_data", "classification", "model_configuration",
                                         "model_repository", "statistics"};
  if (options_.has_model_control) extensions.emplace_back("model_repository(unload_dependents)");
  request.respond_json(OrderedJson{{"name", kServerName}, {"version", version()}, {"extensions", extensions}}.dump());
}

void Service::get_live(Request& request) { request.respond_json(R"({"live":true})"); }

void Service::get_ready(Request& request) {
  const bool is_ready = !is_draining_ && models_.all_ready();
  request.respond_json(is_ready ? R"({"ready":true})" : R"({"ready":false})", is_ready ? 200 : 503);
}

}  // namespace byteformer::serve
