// Models and files as C sees them.
#include "byteformer/classifier.hpp"

#include <algorithm>
#include <utility>

#include "capi/model.hpp"
#include "format/config.hpp"

using namespace byteformer;
using capi::guarded;
using capi::needed;

namespace {

const Classifier* find(const bf_classifier* classifier) noexcept {
  return capi::checked(classifier) == nullptr ? nullptr : &classifier->model->classifier();
}

const capi::Model& model_of(const bf_classifier* classifier) { return *needed(classifier, "classifier").model; }

/// Outputs and errors of many files go to their places. \param errors  all NULL
void hand_out(std::vector<api::FileAnswer>& answers, const capi::StructArray<bf_result>& results, bf_error** errors) {
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (const auto* error = std::get_if<Error>(&answers[i].result)) {
      capi::clear(results[i]);
      errors[i] = capi::make_error(*error);
    } else {
      capi::write(std::get<Output>(answers[i].result), answers[i].was_prepared, results[i]);
    }
  }
}

/// \param make_files  makes what the model classifies of what the caller gave
template <typename MakeFiles>
bf_error* classify_many(const bf_classifier* classifier, std::size_t count, bf_result* results, bf_error** errors,
                        const MakeFiles& make_files) noexcept {
  return guarded([&] {
    const capi::Model& model = model_of(classifier);
    const capi::StructArray<bf_result> places(results, count, capi::kLeastResult, "bf_result");
    for (std::size_t i = 0; i < count; ++i) capi::check_room(places[i], model.classifier());
    if (count > 0) needed(errors, "errors");
    const auto files = make_files();
    std::vector<api::FileAnswer> answers = model.classify(std::span(files));
    std::fill_n(errors, count, nullptr);
    hand_out(answers, places, errors);
  });
}

template <typename File>
void classify_one(const capi::Model& model, const File& file, bf_result* result) {
  bf_result& place = capi::needed_result(result, model.classifier());
  std::vector<api::FileAnswer> answers = model.classify(std::span(&file, 1));
  if (const auto* error = std::get_if<Error>(&answers[0].result)) throw *error;
  capi::write(std::get<Output>(answers[0].result), answers[0].was_prepared, place);
}

/// \throws Error kInvalidArgument where they are not those of a file, before any of them is read.
Output output_of(const Classifier& classifier, const float* logits, std::size_t count) {
  const float* first = count == 0 ? nullptr : &needed(logits, "logits");
  const auto expected = static_cast<std::size_t>(classifier.num_labels());
  if (count != expected)
    base::fail(ErrorCode::kInvalidArgument, "there are ", count, " logits, but the model has ", expected,
               " classes: they are those of another model");
  return {.num_bytes = 0, .num_tokens = 0, .logits = {first, first + count}, .features = {}};
}

}  // namespace

bf_error* bf_classifier_load(const char* model_dir, const bf_load_options* options, bf_classifier** out) {
  return capi::guarded_new(out, [&] {
    constexpr std::size_t kLeast = offsetof(bf_load_options, num_keys) + sizeof(bf_load_options::num_keys);
    const bf_load_options how =
        capi::read_options<bf_load_options>(options, BF_LOAD_OPTIONS_INIT, kLeast, "bf_load_options");
    return new bf_classifier{.model = std::make_shared<const capi::Model>(&needed(model_dir, "model_dir"), how)};
  });
}

bf_classifier* bf_classifier_retain(bf_classifier* classifier) {
  if (capi::checked(classifier) != nullptr) classifier->num_owners.fetch_add(1, std::memory_order_relaxed);
  return classifier;
}

void bf_classifier_free(bf_classifier* classifier) {
  if (capi::checked(classifier) != nullptr && classifier->num_owners.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete classifier;
}

size_t bf_classifier_num_labels(const bf_classifier* classifier) {
  const Classifier* known = find(classifier);
  return known == nullptr ? 0 : static_cast<std::size_t>(known->num_labels());
}

size_t bf_classifier_hidden_size(const bf_classifier* classifier) {
  const Classifier* known = find(classifier);
  return known == nullptr ? 0 : static_cast<std::size_t>(known->hidden_size());
}

size_t bf_classifier_kernel_size(const bf_classifier* classifier) {
  const Classifier* known = find(classifier);
  return known == nullptr ? 0 : static_cast<std::size_t>(known->kernel_size());
}

const char* bf_classifier_label(const bf_classifier* classifier, size_t index) {
  const Classifier* known = find(classifier);
  return known == nullptr || index >= known->labels().size() ? nullptr : known->labels()[index].c_str();
}

const char* bf_classifier_precision(const bf_classifier* classifier) {
  const Classifier* known = find(classifier);
  return known == nullptr ? nullptr : to_string(known->precision()).data();
}

const char* bf_classifier_masking(const bf_classifier* classifier) {
  const Classifier* known = find(classifier);
  return known == nullptr ? nullptr : format::to_string(known->masking()).data();
}

double bf_classifier_unknown_below(const bf_classifier* classifier) {
  const Classifier* found = find(classifier);
  return found == nullptr ? 0 : found->unknown_below();
}

const char* bf_classifier_kernels(const bf_classifier* classifier) {
  const Classifier* known = find(classifier);
  return known == nullptr ? nullptr : known->kernels_name();
}

int bf_classifier_num_threads(const bf_classifier* classifier) {
  const Classifier* known = find(classifier);
  return known == nullptr ? 0 : known->num_threads();
}

size_t bf_classifier_workspace_bytes(const bf_classifier* classifier) {
  const Classifier* known = find(classifier);
  return known == nullptr ? 0 : known->workspace_bytes();
}

int bf_classifier_prepares(const bf_classifier* classifier) {
  return capi::checked(classifier) != nullptr && classifier->model->prepares() ? 1 : 0;
}

const char* bf_classifier_form(const bf_classifier* classifier) {
  return capi::checked(classifier) == nullptr ? nullptr : classifier->model->form().c_str();
}

bf_error* bf_classify(const bf_classifier* classifier, const void* data, size_t size, bf_result* result) {
  return guarded([&] { classify_one<Bytes>(model_of(classifier), capi::bytes_of(data, size), result); });
}

bf_error* bf_classify_path(const bf_classifier* classifier, const char* path, bf_result* result) {
  return guarded([&] { classify_one<std::filesystem::path>(model_of(classifier), &needed(path, "path"), result); });
}

bf_error* bf_classify_many(const bf_classifier* classifier, const bf_buffer* files, size_t count, bf_result* results,
                           bf_error** errors) {
  return classify_many(classifier, count, results, errors, [&] {
    std::vector<Bytes> all;
    all.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const bf_buffer& file = (&needed(files, "files"))[i];
      if (file.data == nullptr && file.size > 0)
        base::fail(ErrorCode::kInvalidArgument, "files[", i, "].data is NULL, but its size is ", file.size);
      all.push_back(capi::bytes_of(file.data, file.size));
    }
    return all;
  });
}

bf_error* bf_classify_paths(const bf_classifier* classifier, const char* const* paths, size_t count, bf_result* results,
                            bf_error** errors) {
  return classify_many(classifier, count, results, errors, [&] { return capi::paths_of(paths, count, "paths"); });
}

bf_error* bf_scores(const bf_classifier* classifier, const float* logits, size_t count, float* scores) {
  return guarded([&] {
    const Classifier& known = model_of(classifier).classifier();
    const std::vector<float> all = known.scores(output_of(known, logits, count));
    std::ranges::copy(all, &needed(scores, "scores"));
  });
}

bf_error* bf_top_k(const bf_classifier* classifier, const float* logits, size_t count, size_t k,
                   bf_prediction* predictions, size_t* num_out) {
  return guarded([&] {
    constexpr std::size_t kLeast = offsetof(bf_prediction, score) + sizeof(bf_prediction::score);
    const Classifier& known = model_of(classifier).classifier();
    needed(num_out, "num_out");
    const Output output = output_of(known, logits, count);
    const std::vector<Prediction> best = known.top_k(output, static_cast<int>(std::min(k, count)));
    const capi::StructArray<bf_prediction> places(predictions, best.size(), kLeast, "bf_prediction");
    for (std::size_t i = 0; i < best.size(); ++i) {
      places[i].index = static_cast<std::size_t>(best[i].index);
      places[i].label = known.labels()[places[i].index].c_str();
      places[i].score = static_cast<double>(best[i].score);
    }
    *num_out = best.size();
  });
}
