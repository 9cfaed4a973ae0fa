#!/usr/bin/env bash
# Fails where the C interface is not the committed one: constants, structs with the places of their members, symbols with
# their version. What is there must stay as long as BF_ABI_VERSION does; what is added is added to the list.
# Usage: abi_test.sh LIBRARY ABI_PROGRAM HEADER LIST_FOLDER
set -euo pipefail
library=$1 program=$2 header=$3 lists=$4
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $1" >&2; exit 1; }

version=$(sed -n 's/^#define BF_ABI_VERSION \([0-9]*\)$/\1/p' "$header")
list=$lists/abi_$version.txt
[ -s "$list" ] || fail "no $list: a new version needs its list"
{
  "$program"
  nm -D --defined-only "$library" | awk '$2 != "A" {print "symbol", $3}' | LC_ALL=C sort
  objdump -p "$library" | awk '$1 == "SONAME" {print "soname", $2}'
} >"$work/found"

# Declared is what is shown.
sed -n 's/.*\(bf_[a-z0-9_]*\)(.*/\1/p' <(grep '^BF_API' "$header") | LC_ALL=C sort >"$work/declared"
sed -n 's/^symbol \(bf_[a-z0-9_]*\)@@.*/\1/p' "$work/found" | LC_ALL=C sort >"$work/shown"
diff "$work/declared" "$work/shown" >"$work/diff" || fail "declared (<) and shown (>) functions differ: $(cat "$work/diff")"

diff "$list" "$work/found" >"$work/diff" && { echo "ok: the C interface is that of version $version"; exit 0; }
if grep '^<' "$work/diff"; then
  fail "this was there and is gone or changed: take it back, or raise BF_ABI_VERSION (and write abi_N.txt)"
fi
grep '^>' "$work/diff"
fail "this is new: add it to $(basename "$list")"
