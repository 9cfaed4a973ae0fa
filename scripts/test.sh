#!/usr/bin/env bash
# The full gate: every test in the development build, and again under the address and undefined-behaviour sanitizers; those
# that start threads under the thread sanitizer; and a short run of each fuzz target. Usage: test.sh [--quick]
#   --quick   the development build's tests only
# JOBS=N sets the parallelism (default: the number of processors), FUZZ_SECONDS=N the time of a fuzz target (default: 5). A first run builds three trees; ccache makes a second one quick.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=no
case ${1:-} in
  "") ;;
  --quick) quick=yes ;;
  *) echo "usage: $0 [--quick]" >&2; exit 2 ;;
esac
jobs=${JOBS:-$(nproc)}
seconds_a_target=${FUZZ_SECONDS:-5}
summary=()

step() { printf '\n==> %s\n' "$1"; }

build() {  # build PRESET [TARGET]
  step "Building build/$1"
  cmake --preset "$1" >/dev/null
  cmake --build --preset "$1" -j "$jobs" ${2:+--target "$2"}
}

note() {  # note WHAT STATUS START
  summary+=("$1: $([ "$2" = 0 ] && echo passed || echo FAILED) in $((SECONDS - $3)) s")
  [ "$2" = 0 ] || failed=1
}

check() {  # check PRESET: builds it and runs its tests
  local start=$SECONDS status=0
  build "$1"
  step "Testing build/$1"
  ctest --preset "$1" --no-tests=error -j "$jobs" || status=$?
  note "$1" $status $start
}

check_threads() {  # the tests that start threads, under the thread sanitizer
  local start=$SECONDS status=0 wrapper=()
  build tsan threaded_tests
  step "Testing build/tsan"
  # The thread sanitizer of GCC 12 cannot map its shadow when addresses are fully randomized, as on some kernels.
  if setarch "$(uname -m)" -R true 2>/dev/null; then wrapper=(setarch "$(uname -m)" -R); fi
  ${wrapper[@]+"${wrapper[@]}"} ctest --preset tsan -L threads --no-tests=error -j "$jobs" || status=$?
  note tsan $status $start
}

fuzz_one() {  # fuzz_one TARGET: from its corpus; what it finds new is thrown away
  local name
  name=$(basename "$1")
  mkdir "$scratch/$name"
  "$1" -max_total_time="$seconds_a_target" -timeout=10 -rss_limit_mb=1024 -max_len=65536 -verbosity=0 \
    -artifact_prefix="build/asan-ubsan/crash-$name-" "$scratch/$name" "fuzz/corpus/${name#fuzz_}" >"$scratch/$name.log" 2>&1 ||
    { cat "$scratch/$name.log" >&2; echo "$name: FAILED" >&2; return 1; }
  echo "$name: passed"
}

fuzz() {  # every target for a few seconds
  local start=$SECONDS status=0
  step "Fuzzing every target for $seconds_a_target s"
  export -f fuzz_one
  export scratch seconds_a_target
  printf '%s\n' build/asan-ubsan/bin/fuzz_* | xargs -P "$jobs" -I TARGET bash -c 'fuzz_one TARGET' || status=1
  note fuzz $status $start
}

failed=0
scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT
step "Dependencies (apt-get, only what is missing)"
./scripts/install_dependencies.sh test
check dev
if [ $quick = no ]; then
  check asan-ubsan
  fuzz
  check_threads
fi

step "Summary"
printf '%s\n' "${summary[@]}"
exit $failed
