#!/usr/bin/env bash
# The full gate: the tests that start threads under the thread sanitizer; those of the trainer, of what is installed and of
# what optimized code computes in the build that ships; all but the trainer's, with every assumption checked, under the address
# and undefined-behaviour sanitizers; and a short run of each fuzz target. Usage: test.sh [--quick] [--all]
#   --quick   every test, in the development build only
#   --all     also what passed before with the same programs and the same files
# JOBS=N sets the parallelism (default: the number of processors), FUZZ_SECONDS=N the time of a fuzz target (default: 5).
# A first run builds two trees beside the release; a second one builds and runs what changed.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=no all=no
for option; do
  case $option in
    --quick) quick=yes ;;
    --all) all=yes ;;
    *) echo "usage: $0 [--quick] [--all]" >&2; exit 2 ;;
  esac
done
jobs=${JOBS:-$(nproc)}
seconds_a_target=${FUZZ_SECONDS:-5}
summary=()

step() { printf '\n==> %s\n' "$1"; }

build() {  # build PRESET [TARGET]
  stop_building_ahead
  step "Building build/$1"
  configure "$1"
  cmake --build --preset "$1" -j "$jobs" ${2:+--target "$2"}
}

configure() {  # configure PRESET
  local options=()
  [ "$1" != release ] || options=(-DBYTEFORMER_BUILD_TESTS=ON)
  cmake --preset "$1" ${options[@]+"${options[@]}"} >/dev/null
}

build_ahead() {  # build_ahead PRESET: as far as it gets with what the tests that run meanwhile leave of the processors
  configure "$1"
  nice -n 19 ninja -C "build/$1" -j "$jobs" >/dev/null 2>&1 &
  ahead=$!
}

stop_building_ahead() {
  [ -n "$ahead" ] || return 0
  kill "$ahead" 2>/dev/null || true
  wait "$ahead" || true  # build() does again what failed, and says it
  ahead=
}

note() {  # note WHAT STATUS START
  summary+=("$1: $([ "$2" = 0 ] && echo passed || echo FAILED) in $((SECONDS - $3)) s")
  [ "$2" = 0 ] || failed=1
}

run_tests() {  # run_tests PRESET [LABEL [WRAPPER...]]: those that did not pass yet with these programs and files; one more at once
               # than there are processors, because some wait more than they compute
  local preset=$1 label=${2:-} skipped= status=0
  shift; shift || true
  step "Testing build/$preset"
  if [ $all = no ]; then
    skipped=$(scripts/remembered_tests.py skip "build/$preset" $label) || status=$?
    case $status in 0) ;; 10) return 0 ;; *) skipped= status=0 ;; esac
  fi
  "$@" ctest --preset "$preset" --no-tests=error -j $((jobs + 1)) ${label:+-L "$label"} ${skipped:+-E "$skipped"} \
    --output-junit "$scratch/$preset.xml" || status=$?
  scripts/remembered_tests.py remember "build/$preset" "$scratch/$preset.xml"
  return $status
}

check() {  # check PRESET [NEXT]: builds it and runs its tests; NEXT is the preset to build after it
  local start=$SECONDS status=0
  build "$1"
  [ -z "${2:-}" ] || build_ahead "$2"
  run_tests "$1" || status=$?
  note "$1" $status $start
}

check_threads() {  # the tests that start threads, under the thread sanitizer
  local start=$SECONDS status=0 wrapper=()
  build tsan threaded_tests
  wait $installing || { cat "$scratch/installing" >&2; exit 1; }
  build_ahead release
  # The thread sanitizer of GCC 12 cannot map its shadow when addresses are fully randomized, as on some kernels.
  if setarch "$(uname -m)" -R true 2>/dev/null; then wrapper=(setarch "$(uname -m)" -R); fi
  run_tests tsan threads ${wrapper[@]+"${wrapper[@]}"} || status=$?
  note tsan $status $start
}

fuzz_one() {  # fuzz_one TARGET: from its corpus; what it finds new is thrown away
  local name corpus passed
  name=$(basename "$1") corpus=fuzz/corpus/${name#fuzz_} passed=build/asan-ubsan/passed-$name
  sha256sum "$1" "$corpus"/* >"$scratch/$name.sum"
  if [ "$all" = no ] && cmp -s "$scratch/$name.sum" "$passed"; then echo "$name: passed before"; return; fi
  mkdir "$scratch/$name"
  "$1" -max_total_time="$seconds_a_target" -timeout=10 -rss_limit_mb=1024 -max_len=65536 -verbosity=0 \
    -artifact_prefix="build/asan-ubsan/crash-$name-" "$scratch/$name" "$corpus" >"$scratch/$name.log" 2>&1 ||
    { cat "$scratch/$name.log" >&2; echo "$name: FAILED" >&2; return 1; }
  mv "$scratch/$name.sum" "$passed"
  echo "$name: passed"
}

fuzz() {  # every target for a few seconds
  local start=$SECONDS status=0
  step "Fuzzing every target for $seconds_a_target s"
  export -f fuzz_one
  export scratch seconds_a_target all
  printf '%s\n' build/asan-ubsan/bin/fuzz_* | xargs -P "$jobs" -I TARGET bash -c 'fuzz_one TARGET' || status=1
  note fuzz $status $start
}

failed=0
ahead=
scratch=$(mktemp -d); trap 'stop_building_ahead; wait; rm -rf "$scratch"' EXIT
step "Dependencies (apt-get, only what is missing)"
if [ $quick = yes ]; then
  ./scripts/install_dependencies.sh test
  check dev
else  # the thread sanitizer needs the fewest packages: apt-get brings the others meanwhile
  ./scripts/install_dependencies.sh threads
  ./scripts/install_dependencies.sh test >"$scratch/installing" 2>&1 &
  installing=$!
  check_threads
  check release asan-ubsan
  check asan-ubsan
  fuzz
fi

step "Summary"
printf '%s\n' "${summary[@]}"
exit $failed
