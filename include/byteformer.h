/* The C interface of byteformer (C99): load a model, classify files, explain answers. Link libbyteformer-c.
 *
 * Errors. A function that can fail returns a bf_error*: NULL is success; anything else belongs to the caller, who frees
 * it by bf_error_free(). No C++ exception leaves the library, lack of memory included. Where a function fails, what it
 * would have written through its pointers is NULL (handles) or unchanged (numbers), unless it says otherwise.
 *
 * Handles. bf_classifier, bf_stream, bf_preparer, bf_blob, bf_explanation and bf_error are opaque. Every bf_..._free()
 * takes NULL and does nothing then. A NULL handle elsewhere is an error (BF_INVALID_ARGUMENT) where a function can
 * return one, and answered with 0 or NULL where it cannot. A handle that was freed must not be used again: builds with
 * checks (the preset `dev`) stop the process then, others do not notice.
 *
 * Threads. Each function says which calls may run at the same time. There is no global state: two classifiers are
 * independent. A child of fork() may use what its parent loaded: the child starts threads of its own at its first call.
 * A stream in which a thread of the parent was working at that moment is of no use to the child.
 *
 * Structs. A struct that may grow begins with `struct_size`, which the caller sets to sizeof of it; the BF_..._INIT
 * macros do so, and set the defaults. The library takes any size from that of the first version on: it reads and writes
 * no more than the caller's struct has, missing members count as their defaults, and of a longer one (made for a later
 * library) the bytes that it does not know must be zero in options; of results it leaves them alone. Structs without
 * `struct_size` (bf_buffer, bf_window) never change.
 *
 * Text. Strings end in 0. Paths are bytes as the system has them; messages and labels are UTF-8.
 */
#ifndef BYTEFORMER_H
#define BYTEFORMER_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define BF_API __attribute__((visibility("default")))
#else
#define BF_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Versions. */

/* Grows when something that is declared here changes or goes; it is the number in the library's SONAME. What is only
 * added leaves it alone. */
#define BF_ABI_VERSION 1

/* BF_ABI_VERSION of the library in use. Any thread. */
BF_API uint32_t bf_abi_version(void);

/* The version of byteformer, for example "0.1.0"; lives as long as the library is loaded. Any thread. */
BF_API const char* bf_version(void);

/* Errors. */

typedef struct bf_error bf_error;

/* Why a call failed. Neither numbers nor names ever change; later versions may add some. */
enum {
  BF_OK = 0,
  BF_INVALID_ARGUMENT = 1,   /* the caller asked for something that makes no sense */
  BF_NOT_FOUND = 2,          /* a path does not exist */
  BF_PERMISSION_DENIED = 3,  /* a path exists but may not be read */
  BF_NOT_A_REGULAR_FILE = 4, /* a directory, FIFO, socket or device where a file was expected */
  BF_EMPTY_FILE = 5,         /* 0 bytes: there is nothing to classify */
  BF_TOO_MANY_TOKENS = 6,    /* the file needs more positions than the model has */
  BF_FILE_CHANGED = 7,       /* the file grew or shrank while it was read */
  BF_IO = 8,                 /* the operating system failed to read */
  BF_ALREADY_EXISTS = 9,     /* an output exists and would have been overwritten */
  BF_INVALID_FORMAT = 10,    /* a configuration or a file to prepare is malformed */
  BF_INVALID_MODEL = 11,     /* configuration and weights contradict each other, or weights are not finite */
  BF_UNSUPPORTED = 12,       /* well-formed, but a feature that this library or processor does not have */
  BF_INTERNAL = 13,          /* a bug in byteformer */
  BF_NOT_PREPARED = 14,      /* the bytes are not in the form that the model reads; none of the functions here returns
                                it today: they prepare, or were told `as_is` */
  BF_OUT_OF_MEMORY = 15      /* there was not enough memory */
};

/* One of the above; BF_OK of NULL. Any thread. */
BF_API int bf_error_code(const bf_error* error);

/* The code's name, for example "too_many_tokens"; "ok" of NULL. Lives as long as the library is loaded. Any thread. */
BF_API const char* bf_error_name(const bf_error* error);

/* A sentence for people: what it is about, what was expected, what was found and what to do; "" of NULL. Lives as long
 * as the error. Any thread. */
BF_API const char* bf_error_message(const bf_error* error);

/* What the error is about, as it was given: a path, byte for byte, or a tensor; "" where it is about nothing in
 * particular. `size`, unless NULL, receives its length in bytes, without the 0 that follows. Lives as long as the
 * error. Any thread. */
BF_API const char* bf_error_subject(const bf_error* error, size_t* size);

BF_API void bf_error_free(bf_error* error);

/* Models. */

typedef struct bf_classifier bf_classifier;

typedef struct bf_load_options {
  size_t struct_size;
  int num_threads;         /* that share the work of one call; 0: one per processor */
  int as_is;               /* not 0: files are in the model's form already: they are read as they are and never refused
                              for their form. 0: as `byteformer classify` does, a file in another form is prepared:
                              decoded, resized or resampled, encoded, and its bytes transformed as the model expects */
  const char* precision;   /* of the linear layers: "float32", "bfloat16" or "int8"; NULL: float32 */
  const char* masking;     /* "released" or "masked"; NULL: the model's */
  const char* const* keys; /* paths of the secret keys (byteformer obfuscate keygen) of a model that reads obfuscated
                              files, with which plain files are obfuscated first; NULL: none */
  size_t num_keys;
} bf_load_options;
#define BF_LOAD_OPTIONS_INIT \
  { sizeof(bf_load_options), 0, 0, NULL, NULL, NULL, 0 }

/* Loads config.json and model.safetensors of the folder `model_dir`, which may go once this has returned. `options` may
 * be NULL. The weights take their memory once, however many threads use the handle. Learned positions of more than
 * 4 MiB stay in the file: put a new model in the place of such a one by rename, never write into it.
 * Errors: BF_NOT_FOUND, BF_PERMISSION_DENIED, BF_IO, BF_OUT_OF_MEMORY, BF_INVALID_FORMAT (of a key, too),
 * BF_INVALID_MODEL; BF_UNSUPPORTED where this processor computes no faster in that precision than in float32, where
 * the system gives no threads, and where options have members that this library does not know; BF_INVALID_ARGUMENT for
 * options that make no sense, and where a model has a secret key that is not given, unless `as_is`. Any thread. */
BF_API bf_error* bf_classifier_load(const char* model_dir, const bf_load_options* options, bf_classifier** out);

/* The same classifier for one more owner, who frees it, too. Any thread. */
BF_API bf_classifier* bf_classifier_retain(bf_classifier* classifier);

/* Gives up one ownership; the last one frees the model. Streams and explanations keep what they need of it, so their
 * order does not matter. Not while another thread uses this ownership. */
BF_API void bf_classifier_free(bf_classifier* classifier);

/* What a loaded model is. Strings live as long as the classifier. Any thread. */

BF_API size_t bf_classifier_num_labels(const bf_classifier* classifier);  /* classes */
BF_API size_t bf_classifier_hidden_size(const bf_classifier* classifier); /* numbers in the features of a file */
BF_API size_t bf_classifier_kernel_size(const bf_classifier* classifier); /* bytes that a token reads */
BF_API const char* bf_classifier_label(const bf_classifier* classifier, size_t index); /* NULL: no such class */
BF_API const char* bf_classifier_precision(const bf_classifier* classifier); /* "float32", "bfloat16" or "int8" */
BF_API const char* bf_classifier_masking(const bf_classifier* classifier);   /* "released" or "masked" */
BF_API const char* bf_classifier_kernels(const bf_classifier* classifier);   /* instruction set: "avx2", "neon", ... */

/* In [0, 1]: where the best score of a file is below this, `byteformer classify` says "unknown", because the file may be
 * of no class of the model; bf_top_k() leaves that to its caller. 0 where the model says nothing of it. */
BF_API double bf_classifier_unknown_below(const bf_classifier* classifier);

BF_API int bf_classifier_num_threads(const bf_classifier* classifier);

/* The most working memory of one call in bytes, a constant of model and threads; preparing files takes more. */
BF_API size_t bf_classifier_workspace_bytes(const bf_classifier* classifier);

/* 1 if files may be prepared before the model reads them; 0 if their bytes are read as they are. */
BF_API int bf_classifier_prepares(const bf_classifier* classifier);

/* For people: what files are prepared as, for example "TIFF of 32x32 pixels"; "files as they are". */
BF_API const char* bf_classifier_form(const bf_classifier* classifier);

/* Files. */

/* A file in memory. `data` may be NULL where `size` is 0. */
typedef struct bf_buffer {
  const void* data;
  size_t size; /* bytes */
} bf_buffer;

/* Where the answer for one file goes: places that the caller owns. An answer needs num_labels floats for logits and
 * hidden_size floats for features: where there is a pointer or a capacity, the other has to be there and large enough,
 * or it is BF_INVALID_ARGUMENT. A larger place is left alone behind that. */
typedef struct bf_result {
  size_t struct_size;
  float* logits;            /* out: [num_labels], before temperature and softmax; NULL and 0: not wanted */
  size_t logits_capacity;   /* floats */
  float* features;          /* out: [hidden_size], the mean vector before the head; NULL and 0: not wanted */
  size_t features_capacity; /* floats */
  uint64_t num_bytes;       /* out: that the model read */
  uint64_t num_tokens;      /* out: after the stem */
  uint64_t was_prepared;    /* out: 1 if it was decoded, re-encoded or transformed; 0 for bytes of the file, be it
                               pieces of it alone */
} bf_result;
#define BF_RESULT_INIT \
  { sizeof(bf_result), NULL, 0, NULL, 0, 0, 0, 0 }

/* A file's logits are the same bits alone, in any batch, in any order, with any number of threads and in any pieces, as
 * long as the instruction set is the same; and those of `byteformer classify`. All functions here may run at the same
 * time on one classifier, as often as you like. */

/* Classifies one file of `size` bytes, which are not needed afterwards. Uses all threads of the classifier.
 * Errors: BF_EMPTY_FILE, BF_TOO_MANY_TOKENS; where the file is prepared also BF_UNSUPPORTED (it is no picture or sound
 * that can be, or the module of decoders is missing) and BF_INVALID_FORMAT (it is damaged). */
BF_API bf_error* bf_classify(const bf_classifier* classifier, const void* data, size_t size, bf_result* result);

/* Reads and classifies one regular file. Errors: also BF_NOT_FOUND, BF_PERMISSION_DENIED, BF_NOT_A_REGULAR_FILE,
 * BF_FILE_CHANGED, BF_IO; their subject is the path. */
BF_API bf_error* bf_classify_path(const bf_classifier* classifier, const char* path, bf_result* result);

/* Classifies `count` files, which share the threads: this is the quick way for many small ones. results[i] and
 * errors[i] are those of files[i]: errors[i] is NULL, or why it has no answer, and belongs to the caller; results[i]
 * then has num_bytes 0. All results have the same struct_size, and lie that far apart. The call as a whole fails, and
 * leaves results and errors alone, only for arguments that make no sense and for lack of memory: a bad file costs one
 * entry. */
BF_API bf_error* bf_classify_many(const bf_classifier* classifier, const bf_buffer* files, size_t count,
                                  bf_result* results, bf_error** errors);

/* The same for files to read. */
BF_API bf_error* bf_classify_paths(const bf_classifier* classifier, const char* const* paths, size_t count,
                                   bf_result* results, bf_error** errors);

/* scores[num_labels] = softmax of logits[count] / temperature of the model; all NaN where there is none, since a logit
 * is NaN or +infinity, or all are -infinity. BF_INVALID_ARGUMENT unless `count` is num_labels. The two may be the same
 * array. Any thread. */
BF_API bf_error* bf_scores(const bf_classifier* classifier, const float* logits, size_t count, float* scores);

typedef struct bf_prediction {
  size_t struct_size;
  size_t index;      /* out: of the class */
  const char* label; /* out: its name; lives as long as the classifier */
  double score;      /* out: in [0, 1], or NaN; a float32, as in bf_scores() */
} bf_prediction;
#define BF_PREDICTION_INIT \
  { sizeof(bf_prediction), 0, NULL, 0 }

/* The `k` most likely classes, by their logits: best first and NaN last, equal ones in the order of their index.
 * min(k, num_labels) of them go into predictions[k], and how many into `num_out`. All predictions have the same
 * struct_size, and lie that far apart. BF_INVALID_ARGUMENT unless `count` is num_labels. Any thread. */
BF_API bf_error* bf_top_k(const bf_classifier* classifier, const float* logits, size_t count, size_t k,
                          bf_prediction* predictions, size_t* num_out);

/* Files that arrive in pieces. */

/* One thread at a time may use a stream; different streams are independent. */
typedef struct bf_stream bf_stream;

/* Memory does not grow with the file where the model reads bytes as they are, or in transforms that can flow. Otherwise
 * the stream keeps the whole file, 1 GiB at most, and prepares it at its end. */
BF_API bf_error* bf_stream_new(const bf_classifier* classifier, bf_stream** out);

/* Appends bytes, which are not needed afterwards. After an error, but for BF_INVALID_ARGUMENT, the stream only repeats
 * it and is to be freed. Errors: BF_TOO_MANY_TOKENS, BF_UNSUPPORTED for a file that would have to be kept and is too
 * long. */
BF_API bf_error* bf_stream_feed(bf_stream* stream, const void* data, size_t size);

/* Ends the file, and is then ready for the next one. Errors: as bf_classify(). After BF_EMPTY_FILE and
 * BF_INVALID_ARGUMENT the stream goes on with the file; after any other it only repeats the error and is to be freed.
 */
BF_API bf_error* bf_stream_finish(bf_stream* stream, bf_result* result);

BF_API void bf_stream_free(bf_stream* stream);

/* Preparing files without classifying them. */

typedef struct bf_preparer bf_preparer;

/* Bytes that the library owns. */
typedef struct bf_blob bf_blob;

typedef struct bf_preparer_options {
  size_t struct_size;
  const char* const* keys; /* as in bf_load_options */
  size_t num_keys;
} bf_preparer_options;
#define BF_PREPARER_OPTIONS_INIT \
  { sizeof(bf_preparer_options), NULL, 0 }

/* Reads what the model in `model_dir` expects of its files; loads no weights. `options` may be NULL.
 * Errors: as bf_classifier_load(). Any thread. */
BF_API bf_error* bf_preparer_load(const char* model_dir, const bf_preparer_options* options, bf_preparer** out);

/* The bytes that the model reads of a file: those that a classifier of that model answers with the same logits when it
 * was loaded `as_is`. Any number of threads at the same time. Errors: as bf_classify(), but for BF_TOO_MANY_TOKENS. */
BF_API bf_error* bf_preparer_prepare(const bf_preparer* preparer, const void* data, size_t size, bf_blob** out);

/* The same of a file to read, 1 GiB at most. Errors: also as bf_classify_path(). */
BF_API bf_error* bf_preparer_prepare_path(const bf_preparer* preparer, const char* path, bf_blob** out);

/* For people: what files are prepared as. Lives as long as the preparer. Any thread. */
BF_API const char* bf_preparer_form(const bf_preparer* preparer);

BF_API void bf_preparer_free(bf_preparer* preparer);

/* Live as long as the blob. Any thread. */
BF_API const uint8_t* bf_blob_data(const bf_blob* blob);
BF_API size_t bf_blob_size(const bf_blob* blob);
BF_API int bf_blob_was_prepared(const bf_blob* blob); /* as in bf_result */
BF_API void bf_blob_free(bf_blob* blob);

/* Explaining: which bytes decided. */

/* Occlusion by a sliding window. The fall of a window is the quantity of the whole file less that of the file without
 * the window's bytes: positive where they speak for the class, negative where they speak against it. */
typedef struct bf_explanation bf_explanation;

enum {
  BF_LOG_ODDS = 0, /* ln(score / (1 - score)) of the class: never saturates */
  BF_LOGIT = 1     /* the class's logit, whatever happens to the others */
};

typedef struct bf_explain_options {
  size_t struct_size;
  int64_t label; /* class to explain; -1: the one with the highest score */
  int quantity;  /* BF_LOG_ODDS or BF_LOGIT */
  int fill;      /* what stands in the place of a removed byte, 0 to 255; -1: "no byte here" */
  uint64_t span; /* bytes that are removed together; 0: chosen for model and file */
  uint64_t step; /* bytes from one window to the next; 0: chosen */
  /* Called now and then from the calling thread; 0 ends the work. NULL: none. */
  int (*keep_going)(void* context, size_t num_done, size_t total);
  void* context; /* for keep_going */
} bf_explain_options;
#define BF_EXPLAIN_OPTIONS_INIT \
  { sizeof(bf_explain_options), -1, BF_LOG_ODDS, -1, 0, 0, NULL, NULL }

/* A run of bytes that was removed, and what that did. */
typedef struct bf_window {
  uint64_t begin; /* first byte */
  uint64_t end;   /* behind the last */
  double fall;
} bf_window;

/* Explains the answer for one file, prepared as bf_classify() would. `options` may be NULL. Where keep_going ended the
 * work, there is no error and *out is NULL. Errors: as bf_classify(); BF_INVALID_ARGUMENT if there is no such class,
 * `span` exceeds the file or `step` exceeds `span`; BF_UNSUPPORTED where it would take more than 4 GiB, and for the
 * log-odds of a model's only class. Any number of threads at the same time. */
BF_API bf_error* bf_explain(const bf_classifier* classifier, const void* data, size_t size,
                            const bf_explain_options* options, bf_explanation** out);

/* The same of a file to read. Errors: also as bf_classify_path(). */
BF_API bf_error* bf_explain_path(const bf_classifier* classifier, const char* path, const bf_explain_options* options,
                                 bf_explanation** out);

/* Pointers live as long as the explanation. Any thread. */
BF_API size_t bf_explanation_label(const bf_explanation* explanation);
BF_API double bf_explanation_value(const bf_explanation* explanation); /* of the whole file */
BF_API uint64_t bf_explanation_span(const bf_explanation* explanation);
BF_API uint64_t bf_explanation_step(const bf_explanation* explanation);

/* Each window with its fall, `num_windows` of them, in the order of the file. */
BF_API const bf_window* bf_explanation_windows(const bf_explanation* explanation, size_t* num_windows);

/* For each of the `num_bytes` that the model read the mean fall of the windows that hold it. */
BF_API const float* bf_explanation_heat(const bf_explanation* explanation, size_t* num_bytes);

/* The bytes that the model read, in which windows are counted: those of the file, pieces of it one after another, or
 * what it was prepared as. */
BF_API const uint8_t* bf_explanation_bytes(const bf_explanation* explanation, size_t* num_bytes);
BF_API int bf_explanation_was_prepared(const bf_explanation* explanation);

/* The logits of the whole file: [num_labels]. */
BF_API const float* bf_explanation_logits(const bf_explanation* explanation, size_t* num_labels);

BF_API void bf_explanation_free(bf_explanation* explanation);

#ifdef __cplusplus
}
#endif

#endif /* BYTEFORMER_H */
