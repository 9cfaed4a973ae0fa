// Classifies files from Go, through cgo and nothing else: `classify MODEL_DIR FILE...`.
//
// Build it where pkg-config finds byteformer-c: go build -o classify classify.go
package main

/*
#cgo pkg-config: byteformer-c
#include <byteformer.h>
#include <stdlib.h>

static bf_error* classify(const bf_classifier* classifier, const void* data, size_t size, float* logits, size_t count) {
  bf_result result = BF_RESULT_INIT;
  result.logits = logits;
  result.logits_capacity = count;
  return bf_classify(classifier, data, size, &result);
}

static bf_error* best(const bf_classifier* classifier, const float* logits, size_t count, bf_prediction* out) {
  const bf_prediction blank = BF_PREDICTION_INIT;
  size_t num_out;
  *out = blank;
  return bf_top_k(classifier, logits, count, 1, out, &num_out);
}
*/
import "C"

import (
	"fmt"
	"os"
	"unsafe"
)

// asError takes a bf_error.
func asError(err *C.bf_error) error {
	if err == nil {
		return nil
	}
	defer C.bf_error_free(err)
	return fmt.Errorf("error (%s): %s", C.GoString(C.bf_error_name(err)), C.GoString(C.bf_error_message(err)))
}

func classify(classifier *C.bf_classifier, path string) (string, float64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", 0, err
	}
	count := C.bf_classifier_num_labels(classifier)
	logits := make([]C.float, count)
	var best C.bf_prediction
	var start unsafe.Pointer
	if len(data) > 0 {
		start = unsafe.Pointer(&data[0])
	}
	if err := asError(C.classify(classifier, start, C.size_t(len(data)), &logits[0], count)); err != nil {
		return "", 0, fmt.Errorf("%s: %w", path, err)
	}
	if err := asError(C.best(classifier, &logits[0], count, &best)); err != nil {
		return "", 0, err
	}
	return C.GoString(best.label), float64(best.score), nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: classify MODEL_DIR FILE...")
		os.Exit(2)
	}
	dir := C.CString(os.Args[1])
	defer C.free(unsafe.Pointer(dir))
	var classifier *C.bf_classifier
	if err := asError(C.bf_classifier_load(dir, nil, &classifier)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer C.bf_classifier_free(classifier)
	status := 0
	for _, path := range os.Args[2:] {
		label, score, err := classify(classifier, path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
			continue
		}
		fmt.Printf("%s: %s (%.1f %%)\n", path, label, 100*score)
	}
	os.Exit(status)
}
