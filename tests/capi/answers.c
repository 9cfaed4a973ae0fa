/* Prints what a model says of files, through the C interface, as numbers that lose nothing: compared with the
 * command's. Usage: answers MODE MODEL_DIR [--as-is] [--threads=N] [--precision=NAME] [--masking=NAME] [--key=PATH]
 * FILE... MODE: paths, path (one by one), buffers, buffer (one by one), stream (in growing pieces), prepared (by a
 * preparer) One line per file: `ok BYTES TOKENS WAS_PREPARED LOGITS... FEATURES...`, or `error NAME`. */
#include <byteformer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILES = 512, MAX_KEYS = 8 };

static void die(const char* what) {
  fprintf(stderr, "answers: %s\n", what);
  exit(2);
}

static void require(bf_error* error) {
  if (error != NULL) die(bf_error_message(error));
}

static bf_buffer read_file(const char* path) {
  bf_buffer buffer = {NULL, 0};
  FILE* file = fopen(path, "rb");
  long size = 0;
  char* data;
  if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) die(path);
  data = malloc((size_t)size + 1);
  rewind(file);
  if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size) die(path);
  fclose(file);
  buffer.data = data;
  buffer.size = (size_t)size;
  return buffer;
}

/* Takes the error. */
static void print(const bf_classifier* model, const bf_result* result, bf_error* error) {
  size_t i;
  if (error != NULL) {
    printf("error %s\n", bf_error_name(error));
    fprintf(stderr, "%s\n", bf_error_message(error));
    bf_error_free(error);
    return;
  }
  printf("ok %llu %llu %llu", (unsigned long long)result->num_bytes, (unsigned long long)result->num_tokens,
         (unsigned long long)result->was_prepared);
  for (i = 0; i < bf_classifier_num_labels(model); ++i) printf(" %a", (double)result->logits[i]);
  for (i = 0; i < bf_classifier_hidden_size(model); ++i) printf(" %a", (double)result->features[i]);
  printf("\n");
}

/* Pieces of 1 byte, 2, 4, ... bytes. */
static bf_error* classify_in_pieces(bf_stream* stream, bf_buffer file, bf_result* result) {
  const char* data = file.data;
  size_t at, size = 1;
  for (at = 0; at < file.size; at += size, size *= 2) {
    bf_error* error;
    if (size > file.size - at) size = file.size - at;
    error = bf_stream_feed(stream, data + at, size);
    if (error != NULL) return error;
  }
  return bf_stream_finish(stream, result);
}

static bf_error* classify_prepared(const bf_classifier* model, const bf_preparer* preparer, const char* path,
                                   bf_result* result) {
  bf_blob* blob;
  bf_error* error = bf_preparer_prepare_path(preparer, path, &blob);
  if (error != NULL) return error;
  error = bf_classify(model, bf_blob_data(blob), bf_blob_size(blob), result);
  if (error == NULL) result->was_prepared = (uint64_t)bf_blob_was_prepared(blob);
  bf_blob_free(blob);
  return error;
}

int main(int argc, char** argv) {
  static bf_buffer buffers[MAX_FILES];
  static bf_result results[MAX_FILES];
  static bf_error* errors[MAX_FILES];
  static const char* keys[MAX_KEYS];
  const bf_result blank = BF_RESULT_INIT;
  bf_load_options options = BF_LOAD_OPTIONS_INIT;
  bf_preparer_options preparer_options = BF_PREPARER_OPTIONS_INIT;
  bf_preparer* preparer = NULL;
  bf_stream* stream = NULL;
  bf_classifier* model;
  const char *mode, *dir;
  size_t count, i;
  if (argc < 4) die("usage: answers MODE MODEL_DIR [OPTION...] FILE...");
  mode = argv[1];
  dir = argv[2];
  options.keys = preparer_options.keys = keys;
  for (argv += 3, argc -= 3; argc > 0 && strncmp(*argv, "--", 2) == 0; ++argv, --argc) {
    if (strcmp(*argv, "--as-is") == 0) options.as_is = 1;
    if (strncmp(*argv, "--threads=", 10) == 0) options.num_threads = atoi(*argv + 10);
    if (strncmp(*argv, "--precision=", 12) == 0) options.precision = *argv + 12;
    if (strncmp(*argv, "--masking=", 10) == 0) options.masking = *argv + 10;
    if (strncmp(*argv, "--key=", 6) == 0 && options.num_keys < MAX_KEYS) keys[options.num_keys++] = *argv + 6;
  }
  preparer_options.num_keys = options.num_keys;
  count = (size_t)argc;
  if (count > MAX_FILES) die("too many files");
  if (strcmp(mode, "prepared") == 0) {
    require(bf_preparer_load(dir, &preparer_options, &preparer));
    options.as_is = 1;
    options.num_keys = 0;
  }
  require(bf_classifier_load(dir, &options, &model));
  for (i = 0; i < count; ++i) {
    results[i] = blank;
    results[i].logits_capacity = bf_classifier_num_labels(model);
    results[i].logits = malloc(sizeof(float) * results[i].logits_capacity);
    results[i].features_capacity = bf_classifier_hidden_size(model);
    results[i].features = malloc(sizeof(float) * results[i].features_capacity);
    if (strcmp(mode, "paths") != 0 && strcmp(mode, "path") != 0) buffers[i] = read_file(argv[i]);
  }
  require(bf_stream_new(model, &stream));
  if (strcmp(mode, "paths") == 0) {
    require(bf_classify_paths(model, (const char* const*)argv, count, results, errors));
  } else if (strcmp(mode, "buffers") == 0) {
    require(bf_classify_many(model, buffers, count, results, errors));
  } else {
    for (i = 0; i < count; ++i) {
      if (strcmp(mode, "path") == 0) {
        errors[i] = bf_classify_path(model, argv[i], &results[i]);
      } else if (strcmp(mode, "buffer") == 0) {
        errors[i] = bf_classify(model, buffers[i].data, buffers[i].size, &results[i]);
      } else if (strcmp(mode, "stream") == 0) {
        errors[i] = classify_in_pieces(stream, buffers[i], &results[i]);
        if (errors[i] != NULL) { /* it only repeats the error from now on */
          bf_stream_free(stream);
          require(bf_stream_new(model, &stream));
        }
      } else if (strcmp(mode, "prepared") == 0) {
        errors[i] = classify_prepared(model, preparer, argv[i], &results[i]);
      } else {
        die("no such mode");
      }
    }
  }
  for (i = 0; i < count; ++i) {
    print(model, &results[i], errors[i]);
    free(results[i].logits);
    free(results[i].features);
    free((void*)buffers[i].data);
  }
  bf_stream_free(stream);
  bf_preparer_free(preparer);
  bf_classifier_free(model);
  return 0;
}
