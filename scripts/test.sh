#!/usr/bin/env bash
# The full gate: every test in the development build, again under the address, undefined-behaviour and thread sanitizers,
# and a short run of each fuzz target. Usage: test.sh [--quick]
#   --quick   the development build's tests only
# JOBS=N sets the parallelism (default: the number of processors). A first run builds three trees; ccache makes a second one quick.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=no
case ${1:-} in
  "") ;;
  --quick) quick=yes ;;
  *) echo "usage: $0 [--quick]" >&2; exit 2 ;;
esac
jobs=${JOBS:-$(nproc)}
seconds_a_target=10
summary=()

step() { printf '\n==> %s\n' "$1"; }

build() {  # build PRESET
  step "Building build/$1"
  cmake --preset "$1" >/dev/null
  cmake --build --preset "$1" -j "$jobs"
}

check() {  # check PRESET [WRAPPER...]: builds it and runs its tests
  local start=$SECONDS preset=$1 status=0
  shift
  build "$preset"
  step "Testing build/$preset"
  "$@" ctest --preset "$preset" --output-on-failure --no-tests=error -j "$jobs" || status=$?
  summary+=("$preset: $([ $status = 0 ] && echo passed || echo FAILED) in $((SECONDS - start)) s")
  [ $status = 0 ] || failed=1
}

fuzz() {  # every target for a few seconds, from its corpus; what it finds new is thrown away
  local start=$SECONDS target name status=0
  for target in build/asan-ubsan/bin/fuzz_*; do
    [ -x "$target" ] || { echo "no fuzz targets were built" >&2; status=1; break; }
    name=$(basename "$target")
    step "Fuzzing $name for $seconds_a_target s"
    mkdir "$scratch/$name"
    "$target" -max_total_time="$seconds_a_target" -timeout=10 -rss_limit_mb=1024 -max_len=65536 \
      -artifact_prefix="build/asan-ubsan/crash-$name-" "$scratch/$name" "fuzz/corpus/${name#fuzz_}" || { status=1; echo "$name: FAILED" >&2; }
  done
  summary+=("fuzz: $([ $status = 0 ] && echo passed || echo FAILED) in $((SECONDS - start)) s")
  [ $status = 0 ] || failed=1
}

failed=0
scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT
step "Dependencies (apt-get, only what is missing)"
./scripts/install_dependencies.sh test
check dev
if [ $quick = no ]; then
  check asan-ubsan
  fuzz
  # The thread sanitizer of GCC 12 cannot map its shadow when addresses are fully randomized, as on some kernels.
  if setarch "$(uname -m)" -R true 2>/dev/null; then check tsan setarch "$(uname -m)" -R; else check tsan; fi
fi

step "Summary"
printf '%s\n' "${summary[@]}"
exit $failed
