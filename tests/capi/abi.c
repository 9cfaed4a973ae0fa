/* Prints what programs that were compiled against byteformer.h rely on: the value of each constant, and of each struct
 * its members with their places. Places are written as N words (of size_t and pointers) and M bytes, which are the same
 * on every machine, since no struct has holes. */
#include <byteformer.h>
#include <stdio.h>
#include <stdlib.h>

static int words, bytes; /* of the struct so far */

static void begin(const char* name) {
  printf("struct %s\n", name);
  words = bytes = 0;
}

static void member(const char* name, size_t offset, size_t size, int num_words, int num_bytes) {
  const size_t place = (size_t)words * sizeof(size_t) + (size_t)bytes;
  if (offset != place || size != (size_t)num_words * sizeof(size_t) + (size_t)num_bytes) {
    fprintf(stderr, "%s: at %lu with %lu bytes, expected at %lu: a hole, or another type\n", name,
            (unsigned long)offset, (unsigned long)size, (unsigned long)place);
    exit(1);
  }
  printf("  %s %dw+%d\n", name, words, bytes);
  words += num_words;
  bytes += num_bytes;
}

static void end(const char* name, size_t size) {
  if (size != (size_t)words * sizeof(size_t) + (size_t)bytes) {
    fprintf(stderr, "%s: %lu bytes, more than its members that are listed here\n", name, (unsigned long)size);
    exit(1);
  }
  printf("  end %dw+%d\n", words, bytes);
}

#define MEMBER(type, name, num_words, num_bytes) \
  member(#type "." #name, offsetof(type, name), sizeof(((type*)0)->name), num_words, num_bytes)
#define WORD(type, name) MEMBER(type, name, 1, 0)
#define INT(type, name) MEMBER(type, name, 0, 4)
#define BYTES8(type, name) MEMBER(type, name, 0, 8)
#define CONSTANT(name) printf("constant " #name " %d\n", (int)name)

int main(void) {
  CONSTANT(BF_OK);
  CONSTANT(BF_INVALID_ARGUMENT);
  CONSTANT(BF_NOT_FOUND);
  CONSTANT(BF_PERMISSION_DENIED);
  CONSTANT(BF_NOT_A_REGULAR_FILE);
  CONSTANT(BF_EMPTY_FILE);
  CONSTANT(BF_TOO_MANY_TOKENS);
  CONSTANT(BF_FILE_CHANGED);
  CONSTANT(BF_IO);
  CONSTANT(BF_ALREADY_EXISTS);
  CONSTANT(BF_INVALID_FORMAT);
  CONSTANT(BF_INVALID_MODEL);
  CONSTANT(BF_UNSUPPORTED);
  CONSTANT(BF_INTERNAL);
  CONSTANT(BF_NOT_PREPARED);
  CONSTANT(BF_OUT_OF_MEMORY);
  CONSTANT(BF_LOG_ODDS);
  CONSTANT(BF_LOGIT);

  begin("bf_load_options");
  WORD(bf_load_options, struct_size);
  INT(bf_load_options, num_threads);
  INT(bf_load_options, as_is);
  WORD(bf_load_options, precision);
  WORD(bf_load_options, masking);
  WORD(bf_load_options, keys);
  WORD(bf_load_options, num_keys);
  end("bf_load_options", sizeof(bf_load_options));

  begin("bf_buffer");
  WORD(bf_buffer, data);
  WORD(bf_buffer, size);
  end("bf_buffer", sizeof(bf_buffer));

  begin("bf_result");
  WORD(bf_result, struct_size);
  WORD(bf_result, logits);
  WORD(bf_result, logits_capacity);
  WORD(bf_result, features);
  WORD(bf_result, features_capacity);
  BYTES8(bf_result, num_bytes);
  BYTES8(bf_result, num_tokens);
  BYTES8(bf_result, was_prepared);
  end("bf_result", sizeof(bf_result));

  begin("bf_prediction");
  WORD(bf_prediction, struct_size);
  WORD(bf_prediction, index);
  WORD(bf_prediction, label);
  BYTES8(bf_prediction, score);
  end("bf_prediction", sizeof(bf_prediction));

  begin("bf_preparer_options");
  WORD(bf_preparer_options, struct_size);
  WORD(bf_preparer_options, keys);
  WORD(bf_preparer_options, num_keys);
  end("bf_preparer_options", sizeof(bf_preparer_options));

  begin("bf_explain_options");
  WORD(bf_explain_options, struct_size);
  BYTES8(bf_explain_options, label);
  INT(bf_explain_options, quantity);
  INT(bf_explain_options, fill);
  BYTES8(bf_explain_options, span);
  BYTES8(bf_explain_options, step);
  WORD(bf_explain_options, keep_going);
  WORD(bf_explain_options, context);
  end("bf_explain_options", sizeof(bf_explain_options));

  begin("bf_window");
  BYTES8(bf_window, begin);
  BYTES8(bf_window, end);
  BYTES8(bf_window, fall);
  end("bf_window", sizeof(bf_window));
  return 0;
}
