/* Bad arguments and bad times at the C border: everything is an error with a name, nothing crashes, nothing leaks.
 * Usage: bad_times MODEL_DIR PICTURE_MODEL_DIR PICTURE FOLDER LIBRARY
 * MODEL_DIR: of files as they are, and without learned positions; PICTURE_MODEL_DIR reads pictures in another form than
 * PICTURE has; FOLDER: empty, to write into. */
#define _POSIX_C_SOURCE 200809L
#include <byteformer.h>
#include <dirent.h>
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILE_BYTES = 40000, MAX_CLASSES = 512, MAX_HIDDEN = 512 };

static int num_checks = 0;

#define CHECK(condition)                                                  \
  do {                                                                    \
    ++num_checks;                                                         \
    if (!(condition)) {                                                   \
      fprintf(stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                            \
    }                                                                     \
  } while (0)

/* Frees the error. \param words  that the message says; or NULL */
static void expect(int line, bf_error* error, int code, const char* words) {
  const int got = bf_error_code(error);
  ++num_checks;
  if (got != code || (words != NULL && strstr(bf_error_message(error), words) == NULL)) {
    fprintf(stderr, "%s:%d: expected %d with \"%s\", got %s: %s\n", __FILE__, line, code, words == NULL ? "" : words,
            bf_error_name(error), bf_error_message(error));
    exit(1);
  }
  bf_error_free(error);
}
#define EXPECT(error, code, words) expect(__LINE__, error, code, words)
#define EXPECT_OK(error) expect(__LINE__, error, BF_OK, NULL)

/* The same of a path that leads nowhere, and of the whole message. */
static void expect_words(bf_error* error, const char* message) {
  CHECK(strcmp(bf_error_message(error), message) == 0);
  EXPECT(error, BF_NOT_FOUND, NULL);
}

static unsigned char file_bytes[FILE_BYTES];
static float logits[MAX_CLASSES], features[MAX_HIDDEN];

static bf_result result_with_places(void) {
  bf_result result = BF_RESULT_INIT;
  result.logits = logits;
  result.logits_capacity = MAX_CLASSES;
  result.features = features;
  result.features_capacity = MAX_HIDDEN;
  return result;
}

static bf_classifier* load(const char* dir, int num_threads) {
  bf_load_options options = BF_LOAD_OPTIONS_INIT;
  bf_classifier* model = NULL;
  options.num_threads = num_threads;
  EXPECT_OK(bf_classifier_load(dir, &options, &model));
  CHECK(model != NULL);
  return model;
}

static void join_path(char* out, size_t size, const char* folder, const char* name) {
  CHECK(snprintf(out, size, "%s/%s", folder, name) < (int)size);
}

static void copy_file(const char* from, const char* to) {
  static char buffer[1 << 16];
  FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
  size_t size;
  CHECK(in != NULL && out != NULL);
  while ((size = fread(buffer, 1, sizeof buffer, in)) > 0) CHECK(fwrite(buffer, 1, size, out) == size);
  fclose(in);
  CHECK(fclose(out) == 0);
}

static void nothing_is_an_argument(const bf_classifier* model) {
  bf_result result = BF_RESULT_INIT;
  bf_error* error = NULL;
  bf_classifier* none = (bf_classifier*)&result;
  bf_stream* stream = NULL;
  bf_preparer* preparer = NULL;
  bf_blob* blob = NULL;
  bf_explanation* explanation = NULL;
  bf_buffer buffer = {NULL, 1};
  const char* path = NULL;
  size_t size = 7;
  float score = 0;
  EXPECT(bf_classifier_load(NULL, NULL, &none), BF_INVALID_ARGUMENT, "model_dir is NULL");
  CHECK(none == NULL);
  EXPECT(bf_classifier_load(".", NULL, NULL), BF_INVALID_ARGUMENT, "out is NULL");
  EXPECT(bf_classify(NULL, "x", 1, &result), BF_INVALID_ARGUMENT, "classifier is NULL");
  EXPECT(bf_classify(model, NULL, 1, &result), BF_INVALID_ARGUMENT, "data is NULL");
  EXPECT(bf_classify(model, "x", 1, NULL), BF_INVALID_ARGUMENT, "result is NULL");
  EXPECT(bf_classify(model, NULL, 0, &result), BF_EMPTY_FILE, "empty");
  EXPECT(bf_classify_path(model, NULL, &result), BF_INVALID_ARGUMENT, "path is NULL");
  EXPECT(bf_classify_many(model, NULL, 1, &result, &error), BF_INVALID_ARGUMENT, "files is NULL");
  EXPECT(bf_classify_many(model, &buffer, 1, &result, &error), BF_INVALID_ARGUMENT, "files[0].data is NULL");
  EXPECT(bf_classify_many(model, &buffer, 1, NULL, &error), BF_INVALID_ARGUMENT, "bf_result is NULL");
  EXPECT(bf_classify_many(model, &buffer, 1, &result, NULL), BF_INVALID_ARGUMENT, "errors is NULL");
  EXPECT_OK(bf_classify_many(model, NULL, 0, NULL, NULL));
  EXPECT(bf_classify_paths(model, &path, 1, &result, &error), BF_INVALID_ARGUMENT, "paths[0] is NULL");
  CHECK(error == NULL);
  EXPECT(bf_scores(model, NULL, 0, &score), BF_INVALID_ARGUMENT, "0 logits");
  EXPECT(bf_scores(model, NULL, 3, &score), BF_INVALID_ARGUMENT, "logits is NULL");
  EXPECT(bf_top_k(model, logits, bf_classifier_num_labels(model), 1, NULL, &size), BF_INVALID_ARGUMENT, "NULL");
  EXPECT(bf_stream_new(NULL, &stream), BF_INVALID_ARGUMENT, "classifier is NULL");
  EXPECT(bf_stream_new(model, NULL), BF_INVALID_ARGUMENT, "out is NULL");
  EXPECT(bf_stream_feed(NULL, "x", 1), BF_INVALID_ARGUMENT, "stream is NULL");
  EXPECT(bf_stream_finish(NULL, &result), BF_INVALID_ARGUMENT, "stream is NULL");
  EXPECT(bf_preparer_load(NULL, NULL, &preparer), BF_INVALID_ARGUMENT, "model_dir is NULL");
  EXPECT(bf_preparer_prepare(NULL, "x", 1, &blob), BF_INVALID_ARGUMENT, "preparer is NULL");
  EXPECT(bf_preparer_prepare_path(NULL, "x", &blob), BF_INVALID_ARGUMENT, "preparer is NULL");
  EXPECT(bf_explain(NULL, "x", 1, NULL, &explanation), BF_INVALID_ARGUMENT, "classifier is NULL");
  EXPECT(bf_explain_path(model, NULL, NULL, &explanation), BF_INVALID_ARGUMENT, "path is NULL");
  CHECK(bf_error_code(NULL) == BF_OK && strcmp(bf_error_name(NULL), "ok") == 0 && *bf_error_message(NULL) == 0);
  CHECK(*bf_error_subject(NULL, &size) == 0 && size == 0);
  CHECK(bf_classifier_num_labels(NULL) == 0 && bf_classifier_hidden_size(NULL) == 0);
  CHECK(bf_classifier_kernel_size(NULL) == 0 && bf_classifier_num_threads(NULL) == 0);
  CHECK(bf_classifier_workspace_bytes(NULL) == 0 && bf_classifier_prepares(NULL) == 0);
  CHECK(bf_classifier_label(NULL, 0) == NULL && bf_classifier_label(model, (size_t)-1) == NULL);
  CHECK(bf_classifier_precision(NULL) == NULL && bf_classifier_masking(NULL) == NULL);
  CHECK(bf_classifier_kernels(NULL) == NULL && bf_classifier_form(NULL) == NULL);
  CHECK(bf_classifier_unknown_below(NULL) == 0);
  CHECK(bf_classifier_retain(NULL) == NULL && bf_preparer_form(NULL) == NULL);
  CHECK(bf_blob_data(NULL) == NULL && bf_blob_size(NULL) == 0 && bf_blob_was_prepared(NULL) == 0);
  CHECK(bf_explanation_heat(NULL, &size) == NULL && size == 0 && bf_explanation_windows(NULL, NULL) == NULL);
  bf_error_free(NULL);
  bf_classifier_free(NULL);
  bf_stream_free(NULL);
  bf_preparer_free(NULL);
  bf_blob_free(NULL);
  bf_explanation_free(NULL);
}

static void structs_say_their_size(const char* dir, const bf_classifier* model) {
  struct {
    bf_load_options known;
    uint64_t later;
  } longer = {BF_LOAD_OPTIONS_INIT, 0};
  struct {
    bf_result known;
    uint64_t later;
  } long_results[2] = {{BF_RESULT_INIT, 11}, {BF_RESULT_INIT, 12}};
  bf_load_options options = BF_LOAD_OPTIONS_INIT;
  bf_result result = BF_RESULT_INIT;
  bf_buffer files[2];
  bf_error* errors[2];
  bf_classifier* loaded;
  options.struct_size = 0;
  EXPECT(bf_classifier_load(dir, &options, &loaded), BF_INVALID_ARGUMENT, "sizeof(bf_load_options)");
  options.struct_size = sizeof options - 1;
  EXPECT(bf_classifier_load(dir, &options, &loaded), BF_INVALID_ARGUMENT, "sizeof(bf_load_options)");
  options.struct_size = (size_t)-1;
  EXPECT(bf_classifier_load(dir, &options, &loaded), BF_INVALID_ARGUMENT, "sizeof(bf_load_options)");
  longer.known.struct_size = sizeof longer;
  longer.known.num_threads = 1;
  EXPECT_OK(bf_classifier_load(dir, &longer.known, &loaded));
  bf_classifier_free(loaded);
  longer.later = 1;
  EXPECT(bf_classifier_load(dir, &longer.known, &loaded), BF_UNSUPPORTED, "does not know");
  result.struct_size = 8;
  EXPECT(bf_classify(model, file_bytes, 100, &result), BF_INVALID_ARGUMENT, "sizeof(bf_result)");
  files[0].data = files[1].data = file_bytes;
  files[0].size = 100;
  files[1].size = 200;
  long_results[0].known.struct_size = sizeof long_results[0];
  EXPECT(bf_classify_many(model, files, 2, &long_results[0].known, errors), BF_INVALID_ARGUMENT, "that of the first");
  long_results[1].known.struct_size = sizeof long_results[0];
  EXPECT_OK(bf_classify_many(model, files, 2, &long_results[0].known, errors));
  CHECK(errors[0] == NULL && errors[1] == NULL);
  CHECK(long_results[0].known.num_bytes == 100 && long_results[1].known.num_bytes == 200);
  CHECK(long_results[0].later == 11 && long_results[1].later == 12);
}

static void options_make_sense(const char* dir) {
  bf_load_options options = BF_LOAD_OPTIONS_INIT;
  bf_classifier* loaded;
  const char* keys[1] = {NULL};
  options.precision = "float16";
  EXPECT(bf_classifier_load(dir, &options, &loaded), BF_INVALID_ARGUMENT, "expected float32, bfloat16 or int8");
  options.precision = NULL;
  options.masking = "unmasked";
  EXPECT(bf_classifier_load(dir, &options, &loaded), BF_INVALID_ARGUMENT, "masked");
  options.masking = NULL;
  options.num_threads = -1;
  EXPECT(bf_classifier_load(dir, &options, &loaded), BF_INVALID_ARGUMENT, "num_threads is -1");
  options.num_threads = 1;
  options.num_keys = 1;
  EXPECT(bf_classifier_load(dir, &options, &loaded), BF_INVALID_ARGUMENT, "keys is NULL");
  options.keys = keys;
  EXPECT(bf_classifier_load(dir, &options, &loaded), BF_INVALID_ARGUMENT, "keys[0] is NULL");
  keys[0] = "/nonexistent/key";
  EXPECT(bf_classifier_load(dir, &options, &loaded), BF_NOT_FOUND, "/nonexistent/key");
  options.as_is = 1;
  EXPECT(bf_classifier_load(dir, &options, &loaded), BF_INVALID_ARGUMENT, "as_is");
  CHECK(loaded == NULL);
}

/* Numbers that an array cannot have are told before any of it is read. */
static void numbers_are_those_of_arrays(const char* dir, const bf_classifier* model) {
  bf_load_options options = BF_LOAD_OPTIONS_INIT;
  bf_preparer_options of_preparer = BF_PREPARER_OPTIONS_INIT;
  bf_classifier* loaded;
  bf_preparer* preparer;
  bf_explanation* explanation;
  bf_stream* stream;
  bf_result result = BF_RESULT_INIT;
  bf_prediction best = BF_PREDICTION_INIT;
  bf_error* error = NULL;
  const char* keys[1] = {"key"};
  const size_t numbers[2] = {SIZE_MAX, SIZE_MAX / sizeof(char*)};
  size_t num_out, i;
  float score;
  options.keys = of_preparer.keys = keys;
  EXPECT_OK(bf_stream_new(model, &stream));
  for (i = 0; i < 2; ++i) {
    options.num_keys = of_preparer.num_keys = numbers[i];
    EXPECT(bf_classifier_load(dir, &options, &loaded), BF_INVALID_ARGUMENT, "number of keys");
    EXPECT(bf_preparer_load(dir, &of_preparer, &preparer), BF_INVALID_ARGUMENT, "number of keys");
    EXPECT(bf_classify_paths(model, keys, numbers[i], &result, &error), BF_INVALID_ARGUMENT, "number of");
    EXPECT(bf_scores(model, logits, numbers[i], &score), BF_INVALID_ARGUMENT, "another model");
    EXPECT(bf_top_k(model, logits, numbers[i], 1, &best, &num_out), BF_INVALID_ARGUMENT, "another model");
  }
  EXPECT(bf_classify(model, file_bytes, SIZE_MAX, &result), BF_INVALID_ARGUMENT, "number of bytes");
  EXPECT(bf_explain(model, file_bytes, SIZE_MAX, NULL, &explanation), BF_INVALID_ARGUMENT, "number of bytes");
  EXPECT(bf_stream_feed(stream, file_bytes, SIZE_MAX), BF_INVALID_ARGUMENT, "number of bytes");
  bf_stream_free(stream);
}

static void empty_paths_are_named(const char* dir, const bf_classifier* model) {
  bf_result result = BF_RESULT_INIT;
  bf_classifier* loaded;
  bf_preparer* preparer;
  bf_blob* blob;
  bf_explanation* explanation;
  bf_error* error = NULL;
  const char* path = "";
  EXPECT_OK(bf_preparer_load(dir, NULL, &preparer));
  EXPECT_OK(bf_classify_paths(model, &path, 1, &result, &error));
  expect_words(error, "the path is empty");
  expect_words(bf_classify_path(model, path, &result), "the path is empty");
  expect_words(bf_explain_path(model, path, NULL, &explanation), "the path is empty");
  expect_words(bf_preparer_prepare_path(preparer, path, &blob), "the path is empty");
  expect_words(bf_classifier_load(path, NULL, &loaded), "the path of the model is empty: it is a folder");
  bf_preparer_free(preparer);
  expect_words(bf_preparer_load(path, NULL, &preparer), "the path is empty");
}

static void places_are_large_enough(const bf_classifier* model) {
  bf_result result = result_with_places();
  const size_t num_labels = bf_classifier_num_labels(model);
  result.logits_capacity = num_labels - 1;
  EXPECT(bf_classify(model, file_bytes, 100, &result), BF_INVALID_ARGUMENT, "logits has room for");
  result.logits_capacity = 0;
  EXPECT(bf_classify(model, file_bytes, 100, &result), BF_INVALID_ARGUMENT, "logits has room for 0");
  result.logits = NULL;
  result.features_capacity = 1;
  EXPECT(bf_classify(model, file_bytes, 100, &result), BF_INVALID_ARGUMENT, "features has room for 1");
  result.features = NULL;
  EXPECT(bf_classify(model, file_bytes, 100, &result), BF_INVALID_ARGUMENT, "features has room for 0");
  result.features_capacity = 0;
  EXPECT_OK(bf_classify(model, file_bytes, 100, &result));
  CHECK(result.num_bytes == 100 && result.num_tokens > 0 && result.was_prepared == 0);
  result = result_with_places();
  logits[num_labels] = 42;
  EXPECT_OK(bf_classify(model, file_bytes, 100, &result));
  CHECK(logits[num_labels] == 42);
}

static void a_bad_file_costs_one_entry(const bf_classifier* model, const char* folder) {
  static const char* const paths[] = {"/nonexistent/file", "/", "/dev/null", NULL};
  char bad_name[4096];
  const char* all[4];
  bf_result results[4] = {BF_RESULT_INIT, BF_RESULT_INIT, BF_RESULT_INIT, BF_RESULT_INIT};
  bf_error* errors[4];
  size_t size, i;
  FILE* file;
  join_path(bad_name, sizeof bad_name, folder, "caf\xe9.bin"); /* no UTF-8 */
  file = fopen(bad_name, "wb");
  CHECK(file != NULL && fwrite(file_bytes, 1, 500, file) == 500 && fclose(file) == 0);
  for (i = 0; i < 3; ++i) all[i] = paths[i];
  all[3] = bad_name;
  EXPECT_OK(bf_classify_paths(model, all, 4, results, errors));
  CHECK(bf_error_code(errors[0]) == BF_NOT_FOUND && strcmp(bf_error_name(errors[0]), "not_found") == 0);
  CHECK(strcmp(bf_error_subject(errors[0], &size), "/nonexistent/file") == 0 && size == strlen(paths[0]));
  CHECK(bf_error_code(errors[1]) == BF_NOT_A_REGULAR_FILE && bf_error_code(errors[2]) == BF_NOT_A_REGULAR_FILE);
  CHECK(errors[3] == NULL && results[3].num_bytes == 500 && results[0].num_bytes == 0);
  for (i = 0; i < 4; ++i) bf_error_free(errors[i]);
  CHECK(remove(bad_name) == 0);
  errors[0] = bf_classify_path(model, bad_name, &results[0]);
  CHECK(strcmp(bf_error_subject(errors[0], NULL), bad_name) == 0);    /* as it was given */
  CHECK(strstr(bf_error_message(errors[0]), "caf\\xe9.bin") != NULL); /* as text */
  bf_error_free(errors[0]);
}

static void empty_files_are_named(const char* dir, const bf_classifier* model, const char* folder) {
  char path[4096];
  bf_explanation* explanation = NULL;
  bf_preparer* preparer;
  bf_blob* blob = NULL;
  bf_error* errors[2];
  size_t i;
  FILE* file;
  join_path(path, sizeof path, folder, "empty");
  file = fopen(path, "wb");
  CHECK(file != NULL && fclose(file) == 0);
  EXPECT_OK(bf_preparer_load(dir, NULL, &preparer));
  errors[0] = bf_explain_path(model, path, NULL, &explanation);
  errors[1] = bf_preparer_prepare_path(preparer, path, &blob);
  for (i = 0; i < 2; ++i) {
    CHECK(bf_error_code(errors[i]) == BF_EMPTY_FILE && strcmp(bf_error_subject(errors[i], NULL), path) == 0);
    bf_error_free(errors[i]);
  }
  EXPECT(bf_preparer_prepare(preparer, NULL, 0, &blob), BF_EMPTY_FILE, NULL);
  CHECK(explanation == NULL && blob == NULL && remove(path) == 0);
  bf_preparer_free(preparer);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER /* which needs descriptors itself, to look at an exception */
#endif
#endif

/* It passes, so it is no fault of what is installed. Decoders must not have been needed before. */
static void no_descriptor_is_left_for_the_decoders(const char* dir, const char* picture) {
  static unsigned char content[1 << 16];
  struct rlimit before, none;
  bf_classifier* model = load(dir, 1);
  bf_result result = result_with_places();
  FILE* file = fopen(picture, "rb");
  size_t size;
  CHECK(file != NULL && (size = fread(content, 1, sizeof content, file)) > 0 && size < sizeof content);
  fclose(file);
  CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
  none = before;
  none.rlim_cur = 0;
#ifndef HAS_SANITIZER
  CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
  EXPECT(bf_classify(model, content, size, &result), BF_IO, "open files");
#endif
  CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
  EXPECT_OK(bf_classify(model, content, size, &result));
  CHECK(result.was_prepared == 1);
  bf_classifier_free(model);
}

static void streams_go_on_and_end(const bf_classifier* model) {
  bf_result result = result_with_places();
  bf_stream* stream;
  EXPECT_OK(bf_stream_new(model, &stream));
  EXPECT(bf_stream_finish(stream, &result), BF_EMPTY_FILE, NULL);
  EXPECT(bf_stream_feed(stream, NULL, 1), BF_INVALID_ARGUMENT, NULL);
  EXPECT_OK(bf_stream_feed(stream, NULL, 0));
  EXPECT_OK(bf_stream_feed(stream, file_bytes, 10));
  result.struct_size = 1;
  EXPECT(bf_stream_finish(stream, &result), BF_INVALID_ARGUMENT, "struct_size");
  result.struct_size = sizeof result;
  EXPECT_OK(bf_stream_feed(stream, file_bytes + 10, 90)); /* nothing was ended */
  EXPECT_OK(bf_stream_finish(stream, &result));
  CHECK(result.num_bytes == 100);
  EXPECT_OK(bf_stream_feed(stream, file_bytes, 50));
  EXPECT_OK(bf_stream_finish(stream, &result));
  CHECK(result.num_bytes == 50);
  EXPECT_OK(bf_stream_feed(stream, file_bytes, 50)); /* freed in the middle of a file */
  bf_stream_free(stream);
}

static void answers_are_ranked(const bf_classifier* model) {
  const size_t num_labels = bf_classifier_num_labels(model);
  bf_result result = result_with_places();
  bf_prediction best[3] = {BF_PREDICTION_INIT, BF_PREDICTION_INIT, BF_PREDICTION_INIT};
  float scores[MAX_CLASSES];
  double sum = 0;
  size_t num_out = 0, i;
  EXPECT_OK(bf_classify(model, file_bytes, FILE_BYTES, &result));
  EXPECT(bf_scores(model, logits, num_labels - 1, scores), BF_INVALID_ARGUMENT, "another model");
  EXPECT_OK(bf_scores(model, logits, num_labels, scores));
  for (i = 0; i < num_labels; ++i) sum += (double)scores[i];
  CHECK(sum > 0.999 && sum < 1.001);
  EXPECT_OK(bf_top_k(model, logits, num_labels, 3, best, &num_out));
  CHECK(num_out == 3 && best[0].score >= best[1].score && best[1].score >= best[2].score);
  CHECK(best[0].label == bf_classifier_label(model, best[0].index));
  CHECK(best[0].score == (double)scores[best[0].index]);
  EXPECT_OK(bf_top_k(model, logits, num_labels, 0, NULL, &num_out));
  CHECK(num_out == 0);
  for (i = 0; i < num_labels; ++i) logits[i] = NAN;
  EXPECT_OK(bf_top_k(model, logits, num_labels, 3, best, &num_out));
  CHECK(num_out == 3 && best[0].index == 0 && best[1].index == 1 && best[2].index == 2 && isnan(best[0].score));
}

static int stop(void* context, size_t num_done, size_t total) {
  ++*(int*)context;
  return num_done > total;
}

static void explanations_have_every_byte(const bf_classifier* model) {
  bf_explain_options options = BF_EXPLAIN_OPTIONS_INIT;
  bf_explanation* explanation = NULL;
  const bf_window* windows;
  const float* explained;
  size_t num_bytes, num_windows, num_logits;
  int num_calls = 0;
  bf_result result = result_with_places();
  options.label = -2;
  EXPECT(bf_explain(model, file_bytes, 300, &options, &explanation), BF_INVALID_ARGUMENT, "no class -2");
  options.label = 100000;
  EXPECT(bf_explain(model, file_bytes, 300, &options, &explanation), BF_INVALID_ARGUMENT, "no class 100000");
  options.label = -1;
  options.quantity = 2;
  EXPECT(bf_explain(model, file_bytes, 300, &options, &explanation), BF_INVALID_ARGUMENT, "quantity is 2");
  options.quantity = BF_LOGIT;
  options.fill = 256;
  EXPECT(bf_explain(model, file_bytes, 300, &options, &explanation), BF_INVALID_ARGUMENT, "fill is 256");
  options.fill = 0;
  options.span = 301;
  EXPECT(bf_explain(model, file_bytes, 300, &options, &explanation), BF_INVALID_ARGUMENT, "span");
  options.span = 30;
  options.keep_going = stop;
  options.context = &num_calls;
  EXPECT_OK(bf_explain(model, file_bytes, 300, &options, &explanation));
  CHECK(explanation == NULL && num_calls == 1);
  EXPECT(bf_explain(model, NULL, 0, NULL, &explanation), BF_EMPTY_FILE, NULL);
  EXPECT_OK(bf_explain(model, file_bytes, 300, NULL, &explanation));
  CHECK(bf_explanation_heat(explanation, &num_bytes) != NULL && num_bytes == 300);
  CHECK(memcmp(bf_explanation_bytes(explanation, &num_bytes), file_bytes, 300) == 0 && num_bytes == 300);
  windows = bf_explanation_windows(explanation, &num_windows);
  CHECK(num_windows > 0 && windows[0].begin == 0 && windows[num_windows - 1].end == 300);
  CHECK(windows[0].end - windows[0].begin == bf_explanation_span(explanation) && bf_explanation_step(explanation) > 0);
  EXPECT_OK(bf_classify(model, file_bytes, 300, &result));
  explained = bf_explanation_logits(explanation, &num_logits);
  CHECK(num_logits == bf_classifier_num_labels(model) && bf_explanation_label(explanation) < num_logits);
  CHECK(memcmp(explained, logits, num_logits * sizeof(float)) == 0);
  CHECK(bf_explanation_was_prepared(explanation) == 0 && bf_explanation_value(explanation) < 1e9);
  bf_explanation_free(explanation);
}

/* What is not in the model's form is prepared, or has a name for why not; never another answer. */
static void files_are_prepared(const char* dir, const char* picture, const char* folder) {
  bf_classifier* model = load(dir, 2);
  bf_preparer* preparer;
  bf_blob* blob;
  bf_result result = result_with_places(), again;
  float prepared[MAX_CLASSES];
  char damaged[4096];
  bf_stream* stream;
  FILE* file;
  CHECK(bf_classifier_prepares(model) == 1 && strstr(bf_classifier_form(model), "pixels") != NULL);
  EXPECT_OK(bf_classify_path(model, picture, &result));
  CHECK(result.was_prepared == 1);
  memcpy(prepared, logits, sizeof prepared);
  EXPECT_OK(bf_preparer_load(dir, NULL, &preparer));
  CHECK(strcmp(bf_preparer_form(preparer), bf_classifier_form(model)) == 0);
  EXPECT_OK(bf_preparer_prepare_path(preparer, picture, &blob));
  CHECK(bf_blob_was_prepared(blob) == 1 && bf_blob_size(blob) == result.num_bytes);
  again = result_with_places();
  EXPECT_OK(bf_classify(model, bf_blob_data(blob), bf_blob_size(blob), &again));
  CHECK(again.was_prepared == 0 && memcmp(prepared, logits, bf_classifier_num_labels(model) * sizeof(float)) == 0);
  bf_blob_free(blob);
  EXPECT(bf_classify(model, file_bytes, 1000, &result), BF_UNSUPPORTED, "is no picture and no sound that we know");
  EXPECT(bf_classify(model, "", 0, &result), BF_EMPTY_FILE, NULL);
  EXPECT(bf_preparer_prepare(preparer, file_bytes, 1000, &blob), BF_UNSUPPORTED, "no picture");
  CHECK(blob == NULL);
  EXPECT(bf_preparer_prepare(preparer, NULL, 0, &blob), BF_EMPTY_FILE, NULL);
  join_path(damaged, sizeof damaged, folder, "damaged.png");
  file = fopen(damaged, "wb");
  CHECK(file != NULL && fwrite("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 1, 16, file) == 16 && fclose(file) == 0);
  EXPECT(bf_classify_path(model, damaged, &result), BF_INVALID_FORMAT, "damaged PNG"); /* thrown in the module */
  EXPECT_OK(bf_stream_new(model, &stream));
  EXPECT_OK(bf_stream_feed(stream, file_bytes, 1000));
  EXPECT(bf_stream_finish(stream, &result), BF_UNSUPPORTED, "no picture");
  EXPECT(bf_stream_feed(stream, file_bytes, 1), BF_UNSUPPORTED, "no picture"); /* again and again */
  bf_stream_free(stream);
  CHECK(remove(damaged) == 0);
  bf_preparer_free(preparer);
  bf_classifier_free(model);
}

static void a_folder_may_go(const char* dir, const char* folder, const float* expected) {
  char config[4096], weights[4096], from[4096];
  bf_classifier* model;
  bf_result result = result_with_places();
  join_path(config, sizeof config, folder, "config.json");
  join_path(weights, sizeof weights, folder, "model.safetensors");
  join_path(from, sizeof from, dir, "config.json");
  copy_file(from, config);
  join_path(from, sizeof from, dir, "model.safetensors");
  copy_file(from, weights);
  model = load(folder, 2);
  CHECK(remove(config) == 0 && remove(weights) == 0);
  EXPECT_OK(bf_classify(model, file_bytes, FILE_BYTES, &result));
  CHECK(memcmp(logits, expected, bf_classifier_num_labels(model) * sizeof(float)) == 0);
  bf_classifier_free(model);
  EXPECT(bf_classifier_load(folder, NULL, &model), BF_NOT_FOUND, "config.json");
}

static int num_own_threads(void) {
  DIR* tasks = opendir("/proc/self/task");
  int count = -2; /* . and .. */
  CHECK(tasks != NULL);
  while (readdir(tasks) != NULL) ++count;
  closedir(tasks);
  return count;
}

/* The child of a fork has threads of its own, and the same answers; and it can fork again. */
static void a_child_classifies(bf_classifier* model, const float* expected, int depth) {
  const pid_t child = fork();
  int status = 0;
  CHECK(child >= 0);
  if (child == 0) {
    bf_result result = result_with_places();
    memset(logits, 0, sizeof logits);
    EXPECT_OK(bf_classify(model, file_bytes, FILE_BYTES, &result));
    CHECK(memcmp(logits, expected, bf_classifier_num_labels(model) * sizeof(float)) == 0);
    CHECK(num_own_threads() >= 2);
    if (depth > 1) a_child_classifies(model, expected, depth - 1);
    bf_classifier_free(model);
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

struct work {
  bf_classifier* model;
  const float* expected;
  int is_right;
};

static void* classify_again_and_again(void* argument) {
  struct work* work = argument;
  static const int kTimes = 5;
  const size_t num_labels = bf_classifier_num_labels(work->model);
  int i;
  work->is_right = 1;
  for (i = 0; i < kTimes; ++i) {
    float own[MAX_CLASSES];
    bf_result result = BF_RESULT_INIT;
    bf_error* error;
    result.logits = own;
    result.logits_capacity = MAX_CLASSES;
    error = bf_classify(work->model, file_bytes, FILE_BYTES, &result);
    work->is_right &= error == NULL && memcmp(own, work->expected, num_labels * sizeof(float)) == 0;
    bf_error_free(error);
  }
  bf_classifier_free(work->model);
  return NULL;
}

static void threads_share_a_classifier(bf_classifier* model, const float* expected) {
  struct work work[4];
  pthread_t threads[4];
  int i;
  for (i = 0; i < 4; ++i) {
    work[i].model = bf_classifier_retain(model);
    work[i].expected = expected;
    CHECK(work[i].model == model);
    CHECK(pthread_create(&threads[i], NULL, classify_again_and_again, &work[i]) == 0);
  }
  a_child_classifies(model, expected, 1); /* while they work */
  for (i = 0; i < 4; ++i) {
    CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(work[i].is_right);
  }
}

/* A second one in the process, as a plugin brings it, and unloaded again. */
static void two_libraries_get_along(const char* dir, const char* library, const char* folder, size_t num_labels,
                                    const float* expected) {
  bf_error* (*other_load)(const char*, const bf_load_options*, bf_classifier**);
  bf_error* (*other_classify)(const bf_classifier*, const void*, size_t, bf_result*);
  void (*other_free)(bf_classifier*);
  bf_load_options options = BF_LOAD_OPTIONS_INIT;
  bf_result result = result_with_places();
  bf_classifier* model = NULL;
  char copy[4096];
  void* other;
  join_path(copy, sizeof copy, folder, "other.so");
  copy_file(library, copy);
  other = dlopen(copy, RTLD_NOW | RTLD_LOCAL);
  CHECK(other != NULL);
  *(void**)&other_load = dlsym(other, "bf_classifier_load");
  *(void**)&other_classify = dlsym(other, "bf_classify");
  *(void**)&other_free = dlsym(other, "bf_classifier_free");
  CHECK(other_load != NULL && other_load != bf_classifier_load && other_classify != NULL && other_free != NULL);
  options.num_threads = 2;
  CHECK(other_load(dir, &options, &model) == NULL);
  memset(logits, 0, sizeof logits);
  CHECK(other_classify(model, file_bytes, FILE_BYTES, &result) == NULL);
  CHECK(memcmp(logits, expected, num_labels * sizeof(float)) == 0);
  other_free(model);
  CHECK(dlclose(other) == 0);
  CHECK(remove(copy) == 0);
}

int main(int argc, char** argv) {
  static float expected[MAX_CLASSES];
  bf_classifier* model;
  bf_result result = result_with_places();
  size_t i;
  if (argc != 6) {
    fprintf(stderr, "usage: bad_times MODEL_DIR PICTURE_MODEL_DIR PICTURE FOLDER LIBRARY\n");
    return 2;
  }
  CHECK(bf_abi_version() == BF_ABI_VERSION && strlen(bf_version()) > 0);
  for (i = 0; i < FILE_BYTES; ++i) file_bytes[i] = (unsigned char)(i * 2654435761u >> 7);
  model = load(argv[1], 2);
  CHECK(bf_classifier_num_labels(model) <= MAX_CLASSES - 1 && bf_classifier_hidden_size(model) <= MAX_HIDDEN);
  CHECK(bf_classifier_num_threads(model) == 2 && bf_classifier_prepares(model) == 0);
  EXPECT_OK(bf_classify(model, file_bytes, FILE_BYTES, &result));
  memcpy(expected, logits, sizeof expected);
  a_child_classifies(model, expected, 2);
  no_descriptor_is_left_for_the_decoders(argv[2], argv[3]);
  nothing_is_an_argument(model);
  structs_say_their_size(argv[1], model);
  options_make_sense(argv[1]);
  numbers_are_those_of_arrays(argv[1], model);
  empty_paths_are_named(argv[1], model);
  places_are_large_enough(model);
  a_bad_file_costs_one_entry(model, argv[4]);
  empty_files_are_named(argv[1], model, argv[4]);
  streams_go_on_and_end(model);
  answers_are_ranked(model);
  explanations_have_every_byte(model);
  files_are_prepared(argv[2], argv[3], argv[4]);
  a_folder_may_go(argv[1], argv[4], expected);
  threads_share_a_classifier(model, expected);
  two_libraries_get_along(argv[1], argv[5], argv[4], bf_classifier_num_labels(model), expected);
  a_child_classifies(model, expected, 1); /* though the other library asked to be told of forks, and is gone */
  bf_classifier_free(model);
  printf("%d checks passed\n", num_checks);
  return 0;
}
