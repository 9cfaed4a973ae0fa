// Requests that run a model: through the queue, or as a stream while they arrive.
#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "bytes/transforms.hpp"
#include "serve/service_state.hpp"

namespace byteformer::serve {
namespace {

using base::joined;

std::optional<std::uint64_t> bytes_read(const FileResult& result) {
  const Output* output = std::get_if<Output>(&result);
  return output == nullptr ? std::nullopt : std::optional(output->num_bytes);
}

}  // namespace

void prepare(Job& job) noexcept {
  if (job.preprocess == nullptr) return;
  try {
    prepare::PreparedFile prepared = prepare::prepare_if_needed(std::move(job.file), *job.preprocess, job.source);
    job.file = std::move(prepared.bytes);
    job.was_prepared |= prepared.was_prepared;
  } catch (const Error& error) {
    job.result = error;
  } catch (const std::bad_alloc&) {
    job.result = Error(ErrorCode::kUnsupported, "needs more memory than there is");
  } catch (const std::exception& error) {
    job.result = Error(ErrorCode::kInternal, error.what());
  }
}

/// Prepares the files of a worker's batch and classifies them.
void Service::run_batch(Queue::Jobs jobs) {
  const Model& model = *jobs.front()->model;
  const Clock::time_point start = Clock::now();
  for (const std::shared_ptr<Job>& job : jobs) prepare(*job);
  const Clock::time_point prepared = Clock::now();
  std::vector<Bytes> files;
  std::vector<Job*> of_files;
  for (const std::shared_ptr<Job>& job : jobs) {
    job->times.prepare_s = in_seconds(prepared - start);
    if (job->result) continue;
    files.emplace_back(job->file);
    of_files.push_back(job.get());
  }
  std::vector<FileResult> results = model.classifier.classify_batch(files);
  const auto num_classified =
      std::ranges::count_if(results, [](const FileResult& result) { return std::holds_alternative<Output>(result); });
  for (std::size_t i = 0; i < results.size(); ++i) of_files[i]->result = std::move(results[i]);
  metrics_.count_batch({model.source.name, model.source.version}, static_cast<std::size_t>(num_classified),
                       in_seconds(prepared - start), in_seconds(Clock::now() - prepared));
}

std::shared_ptr<Job> Service::job(const Request& request, std::vector<std::uint8_t> file, std::string name) const {
  auto job = std::make_shared<Job>();
  job->model = request.model;
  if (!request.as_is) {
    // An empty file has no pieces, and is told which the model expects.
    job->preprocess = file.empty() ? &request.model->preprocess : &request.model->after_pieces;
    file = request.model->pieces_of(std::move(file));
  }
  job->file = std::move(file);
  job->source = std::move(name);
  job->client = request.client;
  job->deadline = std::min(request.deadline, Clock::now() + duration_of(options_.timeout_s));
  return job;
}

std::vector<Answer> Service::answer(Request& request, std::vector<std::shared_ptr<Job>> jobs) {
  request.num_files += jobs.size();
  queue_.submit(jobs);
  queue_.wait(jobs, [&] { return request.exchange.is_client_gone(); });
  const auto seconds = [](const std::shared_ptr<Job>& job) { return job->times.queue_s + job->times.compute_s; };
  request.times.add((*std::ranges::max_element(jobs, {}, seconds))->times);
  std::vector<Answer> answers;
  for (const std::shared_ptr<Job>& job : jobs) {
    metrics_.count_file(request.key(), bytes_read(*job->result), job->times);
    answers.push_back({std::move(job->source), std::move(*job->result), job->was_prepared});
  }
  return answers;
}

std::string Service::describe(Request& request, const Answer& answered, const AnswerForm& form) const {
  const Clock::time_point start = Clock::now();
  std::string text = options_.describe(*request.model, answered, form);
  request.times.write_s += in_seconds(Clock::now() - start);
  return text;
}

/// Appends what comes of the body until `bytes` has `limit`; whether the body has ended.
bool Service::read_up_to(Request& request, std::vector<std::uint8_t>& bytes, std::uint64_t limit) {
  // Bytes are appended from here: room at the end of `bytes` would be zeroed for each piece, of which there may be a
  // million.
  const auto piece = std::make_unique_for_overwrite<std::uint8_t[]>(kPieceBytes);
  const auto& length = request.exchange.head().content_length;
  if (length && *length < options_.stream_from_bytes) bytes.reserve(*length);
  while (bytes.size() < limit) {
    const std::size_t wanted = std::min<std::uint64_t>(kPieceBytes, limit - bytes.size());
    const std::size_t size = request.read({piece.get(), wanted});
    if (size == 0) return true;
    request.share.grow(size);
    bytes.insert(bytes.end(), piece.get(), piece.get() + size);
  }
  return false;
}

std::vector<std::uint8_t> Service::read_whole(Request& request) {
  const auto too_long = [&] {
    return Refusal{413, joined("the body is longer than ", options_.max_body_bytes, " bytes")};
  };
  const auto& length = request.exchange.head().content_length;
  if (length && *length > options_.max_body_bytes) throw too_long();
  std::vector<std::uint8_t> bytes;
  if (!read_up_to(request, bytes, options_.max_body_bytes + 1)) throw too_long();
  return bytes;
}

/// From here on read() gives what Content-Encoding has packed. \throws Refusal 415
void Service::unpack_body(Request& request) {
  if (const std::string coding = coding_of(request.exchange.head().fields); !coding.empty())
    request.unpacker.emplace(coding, [&request](std::span<std::uint8_t> out) { return request.exchange.read(out); });
}

void Service::infer(Request& request) {
  request.model =
      request.names.size() > 1 ? models_.find(request.names[0], request.names[1]) : models_.find(request.names[0]);
  InferRequest wanted;
  {
    const std::vector<std::uint8_t> body = read_whole(request);
    const std::string* header_length = request.exchange.head().find("inference-header-content-length");
    // The files are copied from the body, or from its JSON.
    const std::uint64_t size_of_copies = (header_length == nullptr ? 2 : 1) * body.size();
    request.share.grow(size_of_copies);
    wanted = parse_infer_request(body, header_length, options_.max_request_files);
    request.share.shrink(size_of_copies);
  }
  if (wanted.timeout_s) request.deadline = request.start + duration_of(std::min(*wanted.timeout_s, 1e6));
  request.as_is = request.model->reads_obfuscated_only;
  std::vector<std::shared_ptr<Job>> jobs;
  for (std::vector<std::uint8_t>& file : wanted.files)
    jobs.push_back(job(request, std::move(file), joined("element ", jobs.size())));
  std::vector<Output> outputs;
  for (Answer& answered : answer(request, std::move(jobs))) {
    if (const Error* error = std::get_if<Error>(&answered.result)) throw Error(*error);
    outputs.push_back(std::move(std::get<Output>(answered.result)));
  }
  const Model& model = *request.model;
  const Clock::time_point start = Clock::now();
  InferAnswer written = write_infer_answer(wanted, model.source.name, model.source.version, model.classifier, outputs);
  request.times.write_s = in_seconds(Clock::now() - start);
  Response response{200, std::move(written.body)};
  if (written.json_length) {
    response.content_type = "application/octet-stream";
    response.fields.emplace_back("Inference-Header-Content-Length", std::to_string(*written.json_length));
  }
  request.respond(std::move(response));
}

void Service::classify(Request& request) {
  const std::string* name = request.target.find("model");
  std::optional<std::string_view> version;
  if (const std::string* given = request.target.find("version")) version = *given;
  request.model = name == nullptr ? models_.only(version) : models_.find(*name, version);
  AnswerForm form;
  form.top_k = static_cast<int>(request.target.number("top_k", 1, 1'000'000).value_or(form.top_k));
  form.logits = request.target.flag("logits");
  form.features = request.target.flag("features");
  request.as_is = request.target.flag("as_is") || request.model->reads_obfuscated_only;
  const std::string* type = request.exchange.head().find("content-type");
  const std::string media_type = type == nullptr ? std::string() : media_type_of(*type);
  const bool has_several = media_type == "multipart/form-data" || media_type == "application/x-ndjson";
  if (has_several && request.target.flag("explain"))
    throw Refusal{400, "explain=1 is for one file, sent as the whole body: ask for each file on its own"};
  if (media_type == "multipart/form-data") {
    const auto boundary = media_type_parameter(*type, "boundary");
    if (!boundary) throw Refusal{400, "multipart/form-data needs a boundary"};
    classify_parts(request, form, *boundary);
  } else if (media_type == "application/x-ndjson") {
    classify_lines(request, form);
  } else {
    classify_one(request, form);
  }
}

void Service::classify_one(Request& request, const AnswerForm& form) {
  const std::string* given = request.target.find("name");
  const std::string name = given == nullptr ? "file" : shortened_name(*given);
  const auto& length = request.exchange.head().content_length;
  if (length && *length > options_.max_stream_bytes)
    throw Refusal{413, joined("the body is longer than ", options_.max_stream_bytes, " bytes")};
  std::vector<std::uint8_t> file;
  const bool is_explained = request.target.flag("explain");
  const Model& model = *request.model;
  const bool may_flow = !is_explained && (request.as_is || model.streams());
  const bool may_cut = !is_explained && !request.as_is && model.streams_pieces() && length && !request.unpacker &&
                       *length > model.preprocess.transforms.pieces->total();
  const Refusal too_long{
      413, joined("this model needs the whole file at once, at most ", options_.max_body_bytes, " bytes")};
  if (!may_flow && !may_cut && length && *length > options_.max_body_bytes) throw too_long;
  const bool ended = read_up_to(request, file, options_.stream_from_bytes);
  Answer answered{name, Error(ErrorCode::kInternal, "not answered")};
  if (!ended && may_flow) {
    answered.was_prepared = !request.as_is && !model.preprocess.takes_files_as_they_are();
    answered.result = stream(request, std::move(file));
  } else {
    if (!ended && may_cut)
      file = cut_pieces(request, std::move(file));
    else if (!ended && !read_up_to(request, file, options_.max_body_bytes + 1))
      throw too_long;
    const std::shared_ptr<Job> whole = job(request, std::move(file), name);
    try {
      if (is_explained) return explain_one(request, form, *whole);
      answered = answer(request, {whole}).front();
    } catch (const Error& error) {  // of an explanation; answer() returns those of files
      answered.result = error;
    }
  }
  const Error* error = std::get_if<Error>(&answered.result);
  request.respond_json(describe(request, answered, form), error == nullptr ? 200 : status_of(*error));
}

/// Feeds the model while the body arrives; nothing of it is kept.
FileResult Service::stream(Request& request, std::vector<std::uint8_t> head) {
  const Slot slot(streams_, Clock::now() + duration_of(options_.timeout_s));
  const Model& model = *request.model;
  ++request.num_files;
  const Clock::time_point start = Clock::now();
  FileResult result = Error(ErrorCode::kInternal, "not answered");
  try {
    const auto& length = request.exchange.head().content_length;
    bytes::TransformStream transform(request.as_is ? bytes::Transforms{} : model.preprocess.transforms,
                                     request.unpacker ? std::nullopt : length);
    Stream stream = model.classifier.stream();
    stream.feed(transform.push(head));
    head = std::vector<std::uint8_t>(kPieceBytes);
    while (const std::size_t size = request.read(head)) {
      if (request.bytes_in > options_.max_stream_bytes)
        throw Refusal{413, joined("the body is longer than ", options_.max_stream_bytes, " bytes")};
      stream.feed(transform.push(Bytes(head).first(size)));
    }
    stream.feed(transform.finish());
    result = stream.finish();
  } catch (const Error& error) {
    result = error;
  }
  const FileTimes times{.compute_s = in_seconds(Clock::now() - start)};
  request.times.add(times);
  metrics_.count_file(request.key(), bytes_read(result), times);
  if (bytes_read(result)) metrics_.count_batch(request.key(), 1, 0, times.compute_s);
  return result;
}

/// Keeps of a body of known length the pieces that the model reads. \returns what bytes::cut() gives of the whole file
std::vector<std::uint8_t> Service::cut_pieces(Request& request, std::vector<std::uint8_t> head) {
  const std::uint64_t length = *request.exchange.head().content_length;
  const auto wanted = bytes::ranges(*request.model->preprocess.transforms.pieces, length);
  std::vector<std::uint8_t> parts[wanted.size()];
  std::uint64_t position = 0;
  const auto take = [&](std::span<const std::uint8_t> piece) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const std::uint64_t begin = std::max(wanted[i].begin, position);
      const std::uint64_t end = std::min(wanted[i].begin + wanted[i].size, position + piece.size());
      if (begin < end)
        parts[i].insert(parts[i].end(), piece.begin() + static_cast<std::ptrdiff_t>(begin - position),
                        piece.begin() + static_cast<std::ptrdiff_t>(end - position));
    }
    position += piece.size();
  };
  take(head);
  head = std::vector<std::uint8_t>(kPieceBytes);
  while (const std::size_t size = request.read(head)) take(std::span(head).first(size));
  std::vector<std::uint8_t> file;
  for (const std::vector<std::uint8_t>& part : parts) file.insert(file.end(), part.begin(), part.end());
  return file;
}

void Service::classify_parts(Request& request, const AnswerForm& form, std::string_view boundary) {
  std::vector<std::shared_ptr<Job>> jobs;
  {
    const std::vector<std::uint8_t> body = read_whole(request);
    request.share.grow(body.size());  // the files
    for (const Part& part : parse_multipart(body, boundary, options_.max_request_files)) {
      const std::string& name = part.file_name.empty() ? part.name : part.file_name;
      jobs.push_back(job(request, {part.bytes.begin(), part.bytes.end()}, shortened_name(name)));
    }
    request.share.shrink(body.size());
  }
  if (jobs.empty()) throw Refusal{400, "there is no file in the request"};
  std::string body;
  for (const Answer& answered : answer(request, std::move(jobs)))
    body += (body.empty() ? "[" : ",\n") + describe(request, answered, form);
  request.respond_json(body + "]");
}

}  // namespace byteformer::serve
