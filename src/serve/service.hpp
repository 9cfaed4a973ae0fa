// What the server answers: routes, the work behind each, and what is noted of every request. Without sockets.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sha256.hpp"
#include "serve/exchange.hpp"
#include "serve/forms.hpp"
#include "serve/metrics.hpp"
#include "serve/models.hpp"
#include "serve/protocol.hpp"
#include "serve/queue.hpp"

namespace byteformer::serve {

/// One file's answer as POST /classify gives it.
struct Answer {
  std::string name;  ///< that the client gave the file
  FileResult result;
  bool was_prepared = false;
};

struct AnswerForm {
  int top_k = 5;
  bool logits = false, features = false;
};

/// Writes an answer as one JSON object: that of `byteformer classify --jsonl`.
using Describe = std::function<std::string(const Model&, const Answer&, const AnswerForm&)>;

struct ServiceOptions {
  std::size_t max_waiting_files = 1024, max_batch_files = 64, max_request_files = 256;
  std::uint64_t max_held_bytes = std::uint64_t{256} << 20;   ///< of all requests
  std::uint64_t max_body_bytes = std::uint64_t{64} << 20;    ///< of one that has to be held whole, unpacked
  std::uint64_t stream_from_bytes = 1 << 20;                 ///< smaller files wait in the queue, and run in batches
  std::uint64_t max_stream_bytes = std::uint64_t{16} << 30;  ///< of one that flows through the model
  std::ptrdiff_t max_streams = 4;                            ///< large files and explanations at once
  double timeout_s = 60;                                     ///< from the last byte of a request to its answer
  int num_threads = 1;                                       ///< that take files from the queue; 0: one per processor
  bool may_roam = false;  ///< where threads are as many as processors: they need not stay on one each
  bool has_model_control = false;
  std::vector<std::string> allowed_origins = {};  ///< whose pages may read answers; "*": all
  std::string proxy_field = {};                   ///< "x-forwarded-for" or "forwarded", whose word on the client counts
  std::size_t max_requests_per_client = SIZE_MAX;  ///< at once
  std::vector<base::Sha256> api_keys = {};         ///< digests; none: everybody may ask
  Describe describe;
  std::function<bool(std::string_view line)> log;  ///< takes a line of JSON; whether it could be written. May be null
};

class Service {
 public:
  /// `models` must outlive this.
  Service(Models& models, ServiceOptions options);
  ~Service();

  /// Answers one request, whatever becomes of it. Thread-safe. \throws ClientGone where the connection is of no use any
  /// more
  void handle(Exchange& exchange);

  /// Says in the log that a request did not even have a head that handle() takes. \param status as it was answered
  /// \returns its id
  std::string note_malformed(const Exchange& exchange, int status);

  /// From now on /v2/health/ready says no.
  void begin_drain() noexcept { is_draining_ = true; }
  void count_connections(std::uint64_t number) noexcept { num_connections_ = number; }

  /// Who may ask from now on. Thread-safe.
  void use_api_keys(std::vector<base::Sha256> digests);

  /// "GET /v2/health/live" for each that is answered.
  static std::vector<std::string> routes();

 private:
  struct Request;
  struct Route;
  static const std::vector<Route>& table();

  const Route& find_route(Request& request) const;
  std::string address_of(const Exchange& exchange) const;
  bool allow_origin(Request& request) const;
  void authorize(Request& request, bool is_open) const;
  std::string keep_for_log(Request& request, std::string message, std::string error) const;
  void finish(Request& request, int status);
  void run_batch(Queue::Jobs jobs);

  // Handlers.
  void get_options(Request& request);
  void get_page(Request& request);
  void get_openapi(Request& request);
  void get_metrics(Request& request);
  void get_server(Request& request);
  void get_live(Request& request);
  void get_ready(Request& request);
  void get_model(Request& request);
  void get_model_ready(Request& request);
  void get_model_config(Request& request);
  void get_model_stats(Request& request);
  void get_all_stats(Request& request);
  void respond_stats(Request& request, const std::function<bool(const ModelSource&)>& is_wanted);
  void get_index(Request& request);
  void load_model(Request& request);
  void unload_model(Request& request);
  void infer(Request& request);
  void classify(Request& request);

  void unpack_body(Request& request);
  void classify_one(Request& request, const AnswerForm& form);
  void classify_parts(Request& request, const AnswerForm& form, std::string_view boundary);
  void classify_lines(Request& request, const AnswerForm& form);
  void explain_one(Request& request, const AnswerForm& form, Job& job);
  FileResult stream(Request& request, std::vector<std::uint8_t> head);
  std::vector<std::uint8_t> cut_pieces(Request& request, std::vector<std::uint8_t> head);
  std::vector<Answer> answer(Request& request, std::vector<std::shared_ptr<Job>> jobs);
  std::string describe(Request& request, const Answer& answered, const AnswerForm& form) const;
  std::shared_ptr<Job> job(const Request& request, std::vector<std::uint8_t> file, std::string name) const;
  bool read_up_to(Request& request, std::vector<std::uint8_t>& bytes, std::uint64_t limit);
  std::vector<std::uint8_t> read_whole(Request& request);

  Models& models_;
  const ServiceOptions options_;
  Metrics metrics_;
  ClientLimit per_client_;
  mutable std::mutex keys_mutex_;
  std::shared_ptr<const std::vector<base::Sha256>> api_keys_;
  ByteBudget budget_;
  std::counting_semaphore<> streams_;
  std::atomic<bool> is_draining_{false};
  std::atomic<std::uint64_t> num_connections_{0};
  std::atomic<std::uint64_t> last_id_{0};
  Queue queue_;  // last: its threads use the others
};

}  // namespace byteformer::serve
