#!/usr/bin/env bash
# Runs the C interface's programs, as release builds them, under valgrind: bad arguments and bad times, and every way to ask
# every shipped model about files. Usage: test_valgrind.sh; needs valgrind, and half an hour. Says at its end what was clean.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v valgrind >/dev/null || { echo "$0 needs valgrind (Debian's package of that name)" >&2; exit 2; }
cmake --preset release -DBYTEFORMER_BUILD_TESTS=ON >/dev/null
cmake --build --preset release --target capi_abi capi_answers capi_bad_times
bin=$PWD/build/release/bin work=build/valgrind
rm -rf $work; mkdir -p $work
# Errors count in children of a fork, too; leaks only in their parent: what its other threads held is lost in a child.
check() {
  local status=0
  valgrind --quiet --fair-sched=yes --error-exitcode=99 --errors-for-leak-kinds=none --leak-check=full --show-leak-kinds=definite,indirect \
    --log-file=$work/log.%p "$@" >$work/output 2>&1 &
  wait $! || status=$?
  [ $status = 0 ] && [ ! -s $work/log.$! ] && return
  cat $work/output $work/log.*
  echo "FAILED with $status under valgrind: $*" >&2
  exit 1
}
check "$bin/capi_abi"
check "$bin/capi_bad_times" tests/data/untrained-nano models/mnist tests/data/pictures/rgba.png $work build/release/lib/libbyteformer-c.so
for model in models/*/; do
  for mode in paths path buffers buffer stream prepared; do
    case $mode in buffers | buffer | stream) words=--as-is ;; *) words= ;; esac
    check "$bin/capi_answers" $mode "$model" $words --threads=2 examples/data/{frog.jpg,handwritten_3.png,spoken_3.wav}
  done
done
echo "clean under valgrind: abi, bad_times, answers of $(ls -d models/*/ | wc -l) models in 6 ways"
