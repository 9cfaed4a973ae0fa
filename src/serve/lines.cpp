// POST /classify with a file per line, each answered by a line while more come.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "format/json.hpp"
#include "serve/service_state.hpp"

namespace byteformer::serve {
namespace {

using base::joined;

constexpr std::size_t kMostLines = 64;         // that are answered together
constexpr std::size_t kMostEmptyLines = 1024;  // in a row: packed, a thousand cost the client a byte
constexpr std::size_t kCopiesOfLine = 2;       // that are made of one: its JSON, and the file
constexpr format::JsonLimits kLineLimits{.max_depth = 32, .max_values = 1000};

/// A line of a request in lines: {"name", and "text" or "base64"}.
std::pair<std::string, std::vector<std::uint8_t>> parse_line(std::string_view line, std::size_t number) {
  const std::string where = joined("line ", number);
  const format::Json value = format::parse_json(line, where, kLineLimits);
  if (!value.is_object()) throw Refusal{400, where + " must be an object"};
  const auto text_of = [&](const char* key) -> const std::string* {
    const auto found = value.find(key);
    if (found == value.end()) return nullptr;
    if (!found->is_string()) throw Refusal{400, joined(where, ": ", key, " must be a string")};
    return &found->get_ref<const std::string&>();
  };
  const std::string* name = text_of("name");
  const std::string* text = text_of("text");
  const std::string* base64 = text_of("base64");
  if ((text == nullptr) == (base64 == nullptr)) throw Refusal{400, where + " needs either text or base64"};
  std::vector<std::uint8_t> bytes;
  if (text != nullptr) bytes.assign(text->begin(), text->end());
  try {
    if (base64 != nullptr) bytes = decode_base64(*base64);
  } catch (const Refusal& refusal) {
    throw Refusal{refusal.status, joined(where, ": ", refusal.message)};
  }
  return {name == nullptr ? where : shortened_name(*name), std::move(bytes)};
}

}  // namespace

void Service::classify_lines(Request& request, const AnswerForm& form) {
  std::vector<std::uint8_t> buffer(kPieceBytes);
  std::string pending;  // what has come and is not answered
  std::size_t number = 0;
  std::size_t num_empty = 0;  // lines in a row
  std::vector<std::shared_ptr<Job>> jobs;
  const std::size_t most_jobs = std::min(kMostLines, options_.max_waiting_files);
  std::uint64_t held_by_jobs = 0;
  const auto answer_jobs = [&] {
    if (jobs.empty()) return;
    std::string lines;
    for (const Answer& answered : answer(request, std::exchange(jobs, {})))
      lines += describe(request, answered, form) + "\n";
    if (!request.has_begun) request.begin({200, "", "application/x-ndjson"});
    request.exchange.append(lines);
    request.share.shrink(std::exchange(held_by_jobs, 0));
  };
  // What came before a bad line is answered; the last line then says why there are no more.
  const auto end_with_error = [&](const std::string& message, int status) {
    answer_jobs();
    if (!request.has_begun) throw Refusal{status, message};
    request.exchange.append(error_body(message) + "\n");
  };
  const auto take_line = [&](std::string_view line) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) {
      if (++num_empty > kMostEmptyLines)
        throw Refusal{400, joined("line ", number, " is empty, as are the ", kMostEmptyLines, " before it")};
      return;
    }
    num_empty = 0;
    request.share.grow(kCopiesOfLine * line.size());
    held_by_jobs += kCopiesOfLine * line.size();
    auto [name, file] = parse_line(line, number);
    jobs.push_back(job(request, std::move(file), std::move(name)));
    if (jobs.size() == most_jobs) answer_jobs();
  };
  try {
    while (const std::size_t size = request.read(buffer)) {
      if (request.bytes_in > options_.max_stream_bytes)
        throw Refusal{413, joined("the body is longer than ", options_.max_stream_bytes, " bytes")};
      request.share.grow(size);
      std::size_t begin = 0, look_from = pending.size();
      pending.append(reinterpret_cast<const char*>(buffer.data()), size);
      for (std::size_t end; (end = pending.find('\n', look_from)) != std::string::npos; begin = look_from = end + 1)
        take_line(std::string_view(pending).substr(begin, end - begin));
      answer_jobs();
      pending.erase(0, begin);
      if (begin > kPieceBytes) pending.shrink_to_fit();
      request.share.shrink(begin);
      if (pending.size() > options_.max_body_bytes)
        throw Refusal{413, joined("a line is longer than ", options_.max_body_bytes, " bytes")};
    }
    if (!pending.empty()) take_line(pending);
    answer_jobs();
  } catch (const Refusal& refusal) {
    end_with_error(refusal.message, refusal.status);
  } catch (const Error& error) {
    end_with_error(error.what(), status_of(error));
  }
  if (!request.has_begun) request.begin({200, "", "application/x-ndjson"});
  request.exchange.end();
}

}  // namespace byteformer::serve
