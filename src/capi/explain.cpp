// Explanations as C sees them.
#include "byteformer/explain.hpp"

#include <limits>
#include <utility>

#include "base/file_io.hpp"
#include "capi/model.hpp"

struct bf_explanation {
  byteformer::capi::Alive<0x45585031> alive = {};
  byteformer::prepare::PreparedFile file;
  byteformer::Explanation result;
  std::vector<float> logits;
  std::vector<bf_window> windows;
};

namespace byteformer::capi {
namespace {

ExplainOptions explain_options(const bf_explain_options* given) {
  constexpr std::size_t kLeast = offsetof(bf_explain_options, context) + sizeof(bf_explain_options::context);
  const bf_explain_options options =
      read_options<bf_explain_options>(given, BF_EXPLAIN_OPTIONS_INIT, kLeast, "bf_explain_options");
  ExplainOptions how;
  if (options.label < -1 || options.label > std::numeric_limits<int>::max())
    base::fail(ErrorCode::kInvalidArgument, "there is no class ", options.label);
  if (options.label >= 0) how.label = static_cast<int>(options.label);
  if (options.quantity != BF_LOG_ODDS && options.quantity != BF_LOGIT)
    base::fail(ErrorCode::kInvalidArgument, "quantity is ", options.quantity, ", expected BF_LOG_ODDS or BF_LOGIT");
  how.quantity = options.quantity == BF_LOGIT ? Quantity::kLogit : Quantity::kLogOdds;
  if (options.fill < -1 || options.fill > 255)
    base::fail(ErrorCode::kInvalidArgument, "fill is ", options.fill, ", expected a byte, or -1 for none");
  if (options.fill >= 0) how.removal.fill = static_cast<std::uint8_t>(options.fill);
  how.span = options.span;
  how.step = options.step;
  if (options.keep_going != nullptr)
    how.removal.keep_going = [keep_going = options.keep_going, context = options.context](std::size_t num_done,
                                                                                          std::size_t total) {
      return keep_going(context, num_done, total) != 0;
    };
  return how;
}

/// \returns null where the caller ended the work.
bf_explanation* explain(const Model& model, prepare::PreparedFile file, const ExplainOptions& options) {
  const Occluder occluder(model.classifier(), file.bytes);
  std::optional<Explanation> result = byteformer::explain(occluder, options);
  if (!result) return nullptr;
  std::vector<bf_window> windows;
  for (std::size_t i = 0; i < result->windows.size(); ++i)
    windows.push_back({result->windows[i].begin, result->windows[i].end, result->falls[i]});
  return new bf_explanation{.file = std::move(file),
                            .result = *std::move(result),
                            .logits = occluder.output().logits,
                            .windows = std::move(windows)};
}

/// The address of an array that `find` finds in an explanation, and its size.
template <typename Find>
auto array(const bf_explanation* explanation, std::size_t* size, const Find& find) noexcept
    -> decltype(find(*explanation).data()) {
  const bool is_there = checked(explanation) != nullptr;
  if (size != nullptr) *size = is_there ? find(*explanation).size() : 0;
  return is_there ? find(*explanation).data() : nullptr;
}

}  // namespace
}  // namespace byteformer::capi

using namespace byteformer;
using capi::array;
using capi::checked;
using capi::needed;

bf_error* bf_explain(const bf_classifier* classifier, const void* data, size_t size, const bf_explain_options* options,
                     bf_explanation** out) {
  return capi::guarded_new(out, [&] {
    const capi::Model& model = *needed(classifier, "classifier").model;
    const ExplainOptions how = capi::explain_options(options);
    return capi::explain(model, model.prepared(capi::bytes_of(data, size)), how);
  });
}

bf_error* bf_explain_path(const bf_classifier* classifier, const char* path, const bf_explain_options* options,
                          bf_explanation** out) {
  return capi::guarded_new(out, [&] {
    const capi::Model& model = *needed(classifier, "classifier").model;
    const ExplainOptions how = capi::explain_options(options);
    const std::filesystem::path file = &needed(path, "path");
    try {
      return capi::explain(model, model.prepared(file), how);
    } catch (const Error& error) {
      throw base::about(file, error);
    }
  });
}

size_t bf_explanation_label(const bf_explanation* explanation) {
  return checked(explanation) == nullptr ? 0 : static_cast<std::size_t>(explanation->result.label);
}

double bf_explanation_value(const bf_explanation* explanation) {
  return checked(explanation) == nullptr ? 0 : explanation->result.value;
}

uint64_t bf_explanation_span(const bf_explanation* explanation) {
  return checked(explanation) == nullptr ? 0 : explanation->result.span;
}

uint64_t bf_explanation_step(const bf_explanation* explanation) {
  return checked(explanation) == nullptr ? 0 : explanation->result.step;
}

const bf_window* bf_explanation_windows(const bf_explanation* explanation, size_t* num_windows) {
  return array(
      explanation, num_windows, [](const bf_explanation& e) -> const auto& { return e.windows; });
}

const float* bf_explanation_heat(const bf_explanation* explanation, size_t* num_bytes) {
  return array(
      explanation, num_bytes, [](const bf_explanation& e) -> const auto& { return e.result.heat; });
}

const uint8_t* bf_explanation_bytes(const bf_explanation* explanation, size_t* num_bytes) {
  return array(
      explanation, num_bytes, [](const bf_explanation& e) -> const auto& { return e.file.bytes; });
}

int bf_explanation_was_prepared(const bf_explanation* explanation) {
  return checked(explanation) != nullptr && explanation->file.was_prepared ? 1 : 0;
}

const float* bf_explanation_logits(const bf_explanation* explanation, size_t* num_labels) {
  return array(
      explanation, num_labels, [](const bf_explanation& e) -> const auto& { return e.logits; });
}

void bf_explanation_free(bf_explanation* explanation) { delete checked(explanation); }
