#!/usr/bin/env bash
# Compiles every program of docs/c.md as strict C99 and runs it with the library that was built.
# Usage: page_test.sh SOURCE_DIR LIBRARY_DIR C_COMPILER [FLAGS]
set -euo pipefail
source_dir=$1 library_dir=$2 cc=$3 flags=${*:4}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $1" >&2; exit 1; }

awk -v work="$work" '/^```c$/ {file = sprintf("%s/%02d.c", work, ++count); next} /^```/ {file = ""} file {print > file}' \
  "$source_dir/docs/c.md"
passed=0
for program in "$work"/*.c; do
  # shellcheck disable=SC2086
  "$cc" -std=c99 -pedantic -Wall -Wextra -Werror $flags -I"$source_dir/include" "$program" -o "${program%.c}" \
    -L"$library_dir" -lbyteformer-c -Wl,-rpath,"$library_dir" || fail "program $((passed + 1)) of docs/c.md does not compile"
  "${program%.c}" "$source_dir/models/mnist" "$source_dir/examples/data/handwritten_3.png" >"$work/out" ||
    fail "program $((passed + 1)) of docs/c.md"
  [ -s "$work/out" ] || fail "program $((passed + 1)) of docs/c.md printed nothing"
  cat "$work/out"
  passed=$((passed + 1))
done
[ "$passed" -ge 4 ] || fail "only $passed programs were found in docs/c.md"
echo "$passed passed, 0 failed"
