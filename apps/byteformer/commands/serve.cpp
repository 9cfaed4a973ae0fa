// `byteformer serve`: models behind a port.
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/file_io.hpp"
#include "base/sha256.hpp"
#include "bytes/byte_permutation.hpp"
#include "classify/report.hpp"
#include "commands/commands.hpp"
#include "system/option_sources.hpp"
#ifdef BYTEFORMER_HAS_SERVER
#include "serve/self_test.hpp"
#include "serve/server.hpp"
#include "serve/service.hpp"
#endif

namespace byteformer::cli {
namespace {

constexpr const char* kDetails =
    R"(Speaks the Open Inference Protocol, version 2, over REST, takes files by POST /classify, and has a page at /.
Answers are bit for bit those of `byteformer classify`.

Several models, and several versions of one, have names: --model NAME=DIR, --model NAME@2=DIR. SIGHUP loads them
anew while requests run, and with them keys and certificate; SIGTERM (and Ctrl-C) answers what has come and ends.

Every option can also stand in the environment, as BYTEFORMER_SERVE_MAX_BODY for --max-body, and in a YAML
file, as `max-body: 64`. The command line wins over the environment, and that over the file.

Examples:
  byteformer serve --model models/cifar10
  byteformer serve -m pictures=models/cifar10 -m sounds=models/speech-commands
  curl -s --data-binary @photo.jpg localhost:8080/classify
  curl -s -F a=@one.jpg -F b=@two.jpg 'localhost:8080/classify?top_k=1'
  byteformer serve --config serve.yaml --print-config

docs/serve.md has all endpoints, limits, metrics, and how to run it.)";

struct Options {
  std::vector<std::string> models;
  ModelOptions engine;
  std::vector<std::string> origins;
  std::optional<std::string> host, socket, config, api_key_file, log, certificate, tls_key, proxy;
  std::optional<std::int64_t> port, queue, batch_size, memory, max_body, max_stream, max_files, streams, connections,
      per_client;
  std::optional<double> timeout, idle, header, io, drain;
  bool model_control = false, watch = false, no_log = false, print_config = false, self_test = false, roam = false;
};

/// What a browser sends as Origin, which is compared byte by byte.
void require_origin(const std::string& text) {
  const std::size_t host = text.starts_with("http://") ? 7 : text.starts_with("https://") ? 8 : text.size();
  const bool is_origin = host < text.size() && text.find_first_of("/?#@ \t", host) == std::string::npos &&
                         text == base::lower_case(text);
  if (!is_origin && text != "*" && text != "null")
    throw UsageError("--allow-origin must be as browsers send it, such as https://example.org, or `*`, not `" +
                     base::printable(text) + "`");
}

#ifdef BYTEFORMER_HAS_SERVER

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr double kDefaultDrain = 30;
constexpr int kStopSignals[] = {SIGTERM, SIGINT};

/// Signals wait until they are asked for, in this thread and those that it starts.
class WaitingSignals {
 public:
  WaitingSignals() {
    ::sigemptyset(&set_);
    for (const int signal : kStopSignals) ::sigaddset(&set_, signal);
    ::sigaddset(&set_, SIGHUP);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~WaitingSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  WaitingSignals(const WaitingSignals&) = delete;
  WaitingSignals& operator=(const WaitingSignals&) = delete;

  /// The next signal; 0 if none comes within a second.
  int wait() const {
    const timespec second{1, 0};
    const int signal = ::sigtimedwait(&set_, nullptr, &second);
    return signal < 0 ? 0 : signal;
  }

 private:
  sigset_t set_{}, before_{};
};

/// Whether PIPE_BUF bytes can be written without a wait: the reader of a pipe may have stalled. O_NONBLOCK would bind
/// others who share the descriptor, too.
bool is_ready(int descriptor) {
  pollfd waiting{descriptor, POLLOUT, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

/// Complains, unless that would wait for who reads standard error.
void note(Console& console, const std::string& message) {
  if (is_ready(STDERR_FILENO)) complain(console, message);
}

/// A log that is written a line at a time, from many threads.
class Log {
 public:
  explicit Log(const std::optional<std::string>& path) {
    if (!path) return;
    // A FIFO that is opened only to write waits for a reader, deaf to signals.
    struct stat status {};
    const bool is_fifo = ::stat(path->c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
    const int access = is_fifo && ::access(path->c_str(), R_OK) == 0 ? O_RDWR : O_WRONLY;
    descriptor_ = ::open(path->c_str(), access | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (descriptor_ < 0) base::fail(ErrorCode::kIo, base::About{*path}, "cannot be written");
  }
  ~Log() {
    if (descriptor_ != STDERR_FILENO) ::close(descriptor_);
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Whether all of it was written. A full disk or a stalled reader costs lines, not requests; one that was cut is ended
  /// by the next.
  bool write(std::string_view line) {
    std::string text(line);
    text += '\n';
    const std::lock_guard lock(mutex_);
    if (is_cut_) text.insert(text.begin(), '\n');
    std::string_view left = text;
    while (!left.empty() && is_ready(descriptor_)) {
      const ssize_t size = ::write(descriptor_, left.data(), std::min<std::size_t>(left.size(), PIPE_BUF));
      if (size <= 0) break;
      left.remove_prefix(static_cast<std::size_t>(size));
    }
    if (left.size() < text.size()) is_cut_ = !left.empty();
    return left.empty();
  }

 private:
  int descriptor_ = STDERR_FILENO;
  std::mutex mutex_;
  bool is_cut_ = false;
};

/// Digests of the keys in a file of one key per line; those that begin with # are comments.
std::vector<base::Sha256> read_api_keys(const std::string& path) {
  std::vector<base::Sha256> digests;
  std::string text = base::read_text_file(path, kMiB);
  if (text.starts_with(base::kByteOrderMark)) text.erase(0, base::kByteOrderMark.size());
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    constexpr const char* kSpace = " \t\r";  // no key in a header field begins or ends so
    line.erase(line.find_last_not_of(kSpace) + 1);
    line.erase(0, line.find_first_not_of(kSpace));
    if (line.empty() || line.starts_with('#')) continue;
    digests.push_back(base::sha256({reinterpret_cast<const std::uint8_t*>(line.data()), line.size()}));
  }
  if (digests.empty()) base::fail_format(path, "holds no key; one per line is expected");
  return digests;
}

/// \throws UsageError for a key that no model knows: the server would take plain files for obfuscated ones.
void require_known_keys(const std::vector<std::string>& paths, const std::vector<bytes::BytePermutation>& keys,
                        const serve::Models& models) {
  const std::vector<serve::Models::State> states = models.states();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto knows = [&](const serve::Models::State& state) { return state.model->knows(keys[i]); };
    if (std::ranges::none_of(states, knows))
      throw UsageError(base::joined(kKeyOption, " ", base::printable(paths[i]), " is no key of any model here"));
  }
}

std::string describe(const serve::Model& model, const serve::Answer& answer, const serve::AnswerForm& form) {
  const ReportForm what{form.top_k, {}, form.logits, form.features};
  return to_json(make_report(answer.name, answer.result, answer.was_prepared, model.classifier, model.config, what));
}

serve::ServiceOptions service_options(const Options& options, const LoadOptions& load, Log& log) {
  serve::ServiceOptions service;
  const auto set = [](auto& target, const std::optional<std::int64_t>& value, std::int64_t unit) {
    if (value) target = static_cast<std::remove_reference_t<decltype(target)>>(*value * unit);
  };
  set(service.max_waiting_files, options.queue, 1);
  set(service.max_batch_files, options.batch_size, 1);
  set(service.max_request_files, options.max_files, 1);
  set(service.max_held_bytes, options.memory, kMiB);
  set(service.max_body_bytes, options.max_body, kMiB);
  set(service.max_stream_bytes, options.max_stream, kMiB);
  set(service.max_streams, options.streams, 1);
  service.timeout_s = options.timeout.value_or(service.timeout_s);
  service.num_threads = load.num_threads;
  service.may_roam = options.roam;
  service.has_model_control = options.model_control;
  if (options.api_key_file) service.api_keys = read_api_keys(*options.api_key_file);
  service.allowed_origins = options.origins;
  if (options.proxy) {
    service.proxy_field = *options.proxy;
    set(service.max_requests_per_client, options.per_client, 1);
  }
  service.describe = describe;
  if (!options.no_log) service.log = [&log](std::string_view line) { return log.write(line); };
  return service;
}

serve::ServerOptions server_options(const Options& options) {
  serve::ServerOptions server;
  server.host = options.host.value_or(server.host);
  server.port = static_cast<std::uint16_t>(options.port.value_or(options.self_test ? 0 : server.port));
  server.socket_path = options.socket;
  server.max_connections = static_cast<std::size_t>(options.connections.value_or(1024));
  // A proxy has as many connections as it likes; what it says of clients counts per request.
  server.max_connections_per_client =
      options.proxy ? server.max_connections : static_cast<std::size_t>(options.per_client.value_or(1024));
  const auto set = [](std::chrono::milliseconds& target, const std::optional<double>& seconds) {
    if (seconds) target = std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1000));
  };
  set(server.http.idle, options.idle);
  set(server.http.header, options.header);
  set(server.http.io, options.io);
  return server;
}

void reload(serve::Models& models, Console& console) {
  const std::vector<std::string> failures = models.reload();
  for (const std::string& failure : failures) note(console, "not reloaded, the old model goes on: " + failure);
  if (failures.empty()) note(console, "models reloaded");
}

std::shared_ptr<const serve::Tls> load_tls(const Options& options) {
  return options.certificate ? serve::load_tls(*options.certificate, *options.tls_key) : nullptr;
}

/// Reads keys and certificate anew; those that cannot be read leave the old ones in their place.
void reload_secrets(const Options& options, serve::Service& service, serve::Server& server, Console& console) {
  const auto try_to = [&](const auto& action) {
    try {
      action();
    } catch (const Error& error) {
      note(console, std::string("not read anew, the old one goes on: ") + error.what());
    }
  };
  if (options.api_key_file) try_to([&] { service.use_api_keys(read_api_keys(*options.api_key_file)); });
  if (options.certificate) try_to([&] { server.use_tls(load_tls(options)); });
}

int serve_models(const Options& options, Console& console) {
  // Memory stays flat: threads of connections share arenas, and what is large goes back to the system.
  ::mallopt(M_ARENA_MAX, 4);
  ::mallopt(M_MMAP_THRESHOLD, 256 << 10);
  const WaitingSignals signals;
  Log log(options.log);
  LoadOptions load = options.engine.load_options();
  load.many_callers = true;  // the service's threads
  std::vector<bytes::BytePermutation> keys;
  for (const std::string& path : options.engine.keys) keys.push_back(bytes::read_key(path));
  std::vector<serve::ModelSource> sources;
  for (const std::string& text : options.models) sources.push_back(serve::parse_model_source(text));
  serve::Models models(sources,
                       [&](const serve::ModelSource& source) { return serve::load_model(source, load, keys); });
  require_known_keys(options.engine.keys, keys, models);
  serve::Service service(models, service_options(options, load, log));
  serve::Server server(service, server_options(options));
  if (std::shared_ptr<const serve::Tls> tls = load_tls(options); !options.self_test) server.use_tls(std::move(tls));
  server.start();
  if (options.self_test) {
    serve::self_test(service, server, models, describe);
    complain(console, "self-test passed: every model answers over HTTP as it does directly");
    return kExitOk;
  }
  note(console, base::joined("serving ", sources.size() == 1 ? "a model" : "models", " on ", server.address()));
  for (;;) {
    const int signal = signals.wait();
    if (std::ranges::find(kStopSignals, signal) != std::end(kStopSignals)) break;
    if (signal == SIGHUP) reload_secrets(options, service, server, console);
    if (signal == SIGHUP || (options.watch && models.have_changed())) reload(models, console);
  }
  note(console, "answering what has come, then ending");
  if (server.drain(options.drain.value_or(kDefaultDrain))) return kExitOk;
  note(console, "some requests took too long and were cut");
  return kExitInputFailed;
}

#else

int serve_models(const Options&, Console&) {
  base::fail(ErrorCode::kUnsupported,
             "this build has no server: install libboost1.81-dev (or ./scripts/install_dependencies.sh serve) and "
             "build again");
}

#endif

int serve(Options& options, OptionSources& sources, Console& console) {
  sources.read_environment();
  if (options.config) sources.read_file(*options.config);
  if (options.print_config) {
    console.out << sources.yaml();
    return kExitOk;
  }
  if (options.certificate.has_value() != options.tls_key.has_value())
    throw UsageError("--tls-certificate and --tls-key go together");
  if (options.models.empty()) throw UsageError(base::joined(kModelOption, " is required: DIR or NAME=DIR"));
  std::ranges::for_each(options.origins, require_origin);
  return serve_models(options, console);
}

}  // namespace

Action add_serve(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_texts(line, base::joined("-m,", kModelOption), options->models, "NAME=DIR",
            "A model: DIR, NAME=DIR or NAME@VERSION=DIR; more than once for several");
  const Option& host = add_text(line, "--host", options->host, "HOST", "Address to listen on (default: 127.0.0.1)");
  const Option& port = add_number(line, "--port", options->port, {0, 65'535},
                                  "Port to listen on; 0: any that is free (default: 8080)");
  add_text(line, "--socket", options->socket, "PATH", "Listen on a Unix socket instead").excludes(host).excludes(port);
  add_engine_options(line, options->engine);
  add_keys_option(line, options->engine.keys);
  add_setting(line, &plan::Request::batch_size, options->batch_size, "Files that run together at most (default: 64)");
  add_flag(line, "--roam", options->roam,
           "Let the system move the threads that run models, even where each could have a processor of its own");
  add_number(line, "--queue", options->queue, {1, 1'000'000}, "Files that wait at most (default: 1024)");
  add_number(line, "--memory", options->memory, {1, 1 << 20},
             "MiB that all requests hold at most; models come on top (default: 256)");
  add_number(line, "--max-body", options->max_body, {1, 1 << 20},
             "MiB of a request that has to be held whole (default: 64)");
  add_number(line, "--max-stream", options->max_stream, {1, 1 << 30},
             "MiB of a file that flows through the model (default: 16384)");
  add_number(line, "--max-files", options->max_files, {1, 1'000'000},
             "Files in a request that is no stream of lines (default: 256)");
  add_number(line, "--streams", options->streams, {1, 1024}, "Large files and explanations at once (default: 4)");
  add_number(line, "--max-connections", options->connections, {1, 100'000}, "Connections (default: 1024)");
  add_number(line, "--max-per-client", options->per_client, {1, 100'000},
             "Connections from one address (default: 1024)");
  constexpr double kDay = 86'400;
  add_duration(line, "--timeout", options->timeout, 0.001, kDay, "From a request's end to its answer (default: 60s)");
  add_duration(line, "--idle-timeout", options->idle, 0.001, kDay, "Between requests (default: 60s)");
  add_duration(line, "--header-timeout", options->header, 0.001, kDay, "For the head of a request (default: 10s)");
  add_duration(line, "--io-timeout", options->io, 0.001, kDay, "Without a byte coming or going (default: 30s)");
  add_duration(line, "--drain-timeout", options->drain, 0, kDay, "For what has come when it ends (default: 30s)");
  add_text(line, "--api-key-file", options->api_key_file, "FILE",
           "Keys that may ask, one per line; # begins a comment");
  add_text(line, "--tls-certificate", options->certificate, "FILE",
           "Encrypt connections: the certificate, and those between it and the root, in PEM");
  add_text(line, "--tls-key", options->tls_key, "FILE", "The key of the certificate, in PEM");
  add_texts(line, "--allow-origin", options->origins, "ORIGIN",
            "Pages of this origin (https://example.org) may read answers; `*`: those of all");
  add_choice(line, "--trust-proxy", options->proxy, {"x-forwarded-for", "forwarded"},
             "Clients are whom this field names last: only behind a proxy that sets it");
  add_flag(line, "--model-control", options->model_control, "Let clients load and unload models");
  add_flag(line, "--watch", options->watch, "Load a model anew when its files change");
  const Option& log = add_text(line, "--log", options->log, "FILE",
                               "A line of JSON per request goes there (default: standard error)");
  add_flag(line, "--no-log", options->no_log, "No such lines").excludes(log);
  add_setting(line, &plan::Request::config, options->config, "Read what is not given from a YAML file");
  add_flag(line, "--print-config", options->print_config, "Show what is set, and by what, as such a file");
  add_flag(line, "--self-test", options->self_test, "Ask each model something over HTTP, and end");
  line.details = kDetails;
  auto sources = std::make_shared<OptionSources>(line, "BYTEFORMER_SERVE_");
  return [options, sources](Console& console) { return serve(*options, *sources, console); };
}

}  // namespace byteformer::cli
