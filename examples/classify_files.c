/* Classifies files and prints the most likely class of each: `classify_files MODEL_DIR FILE...`. */
#include <byteformer.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char** argv) {
  const size_t count = argc > 2 ? (size_t)argc - 2 : 0;
  bf_classifier* classifier;
  bf_result* results = calloc(count + 1, sizeof *results);
  bf_error** errors = calloc(count + 1, sizeof *errors);
  bf_error* error;
  size_t num_labels, i;
  int status = 0;
  if (count == 0) {
    fprintf(stderr, "usage: classify_files MODEL_DIR FILE...\n");
    return 2;
  }
  if ((error = bf_classifier_load(argv[1], NULL, &classifier)) != NULL) {
    fprintf(stderr, "error (%s): %s\n", bf_error_name(error), bf_error_message(error));
    bf_error_free(error);
    return 1;
  }
  num_labels = bf_classifier_num_labels(classifier);
  for (i = 0; i < count; ++i) {
    const bf_result blank = BF_RESULT_INIT;
    results[i] = blank;
    results[i].logits = malloc(num_labels * sizeof(float));
    results[i].logits_capacity = num_labels;
  }
  error = bf_classify_paths(classifier, (const char* const*)argv + 2, count, results, errors);
  for (i = 0; i < count && error == NULL; ++i) {
    bf_prediction best = BF_PREDICTION_INIT;
    size_t num_out;
    if (errors[i] == NULL) errors[i] = bf_top_k(classifier, results[i].logits, num_labels, 1, &best, &num_out);
    if (errors[i] == NULL) {
      printf("%s: %s (%.1f %%)\n", argv[i + 2], best.label, 100 * best.score);
    } else {
      fprintf(stderr, "error (%s): %s\n", bf_error_name(errors[i]), bf_error_message(errors[i]));
      bf_error_free(errors[i]);
      status = 1;
    }
    free(results[i].logits);
  }
  if (error != NULL) { /* the call as a whole */
    fprintf(stderr, "error (%s): %s\n", bf_error_name(error), bf_error_message(error));
    bf_error_free(error);
    status = 1;
  }
  free(results);
  free(errors);
  bf_classifier_free(classifier);
  return status;
}
