#!/usr/bin/env bash
# Installs the build into an empty prefix and uses it as a stranger would: the examples are built there with CMake and with
# pkg-config, shared and static, from a tree that was moved after the installation, and classify a file with each.
# Usage: install_test.sh SOURCE_DIR BUILD_DIR CMAKE_GENERATOR C_COMPILER CXX_COMPILER
set -euo pipefail
source_dir=$1 build_dir=$2 generator=$3 cc=$4 cxx=$5
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
prefix=$work/moved
passed=0

fail() { echo "FAILED: $1" >&2; exit 1; }
pass() { echo "ok: $1"; passed=$((passed + 1)); }

cmake --install "$build_dir" --prefix "$work/installed" >/dev/null
mv "$work/installed" "$prefix"
cp -r "$source_dir/examples" "$work/examples"  # away from the repository, so that nothing of it can be picked up
libdir=$(dirname "$(find "$prefix" -name libbyteformer.a)")

models=$source_dir/tests/data/models/k8_w16
"$prefix/bin/byteformer" import "$models/weights.pt" --config "$models/config.json" -o "$work/model" >/dev/null
pass "the installed program imports a model"

for file in share/man/man1/byteformer.1 share/bash-completion/completions/byteformer share/zsh/site-functions/_byteformer \
  share/fish/vendor_completions.d/byteformer.fish share/doc/byteformer/LICENSE; do
  [ -s "$prefix/$file" ] || fail "$file is not installed"
done
pass "man page, completions and licence are installed"

(cd "$work" && "$prefix/bin/byteformer" experiments list >"$work/experiments") || fail "the recipes are not found"
grep -q '^image_tiff ' "$work/experiments" || fail "the recipes are not installed"
pass "the installed program finds its recipes"

picture=$source_dir/tests/data/pictures/rgba.png
"$prefix/bin/byteformer" encode "$picture" -o "$work/encoded" --to fhwc >/dev/null || fail "no picture can be encoded"
module=$libdir/byteformer/byteformer-codecs.so
mv "$module" "$work/"
if "$prefix/bin/byteformer" encode "$picture" -o "$work/again" --to fhwc >/dev/null 2>"$work/error"; then
  fail "a picture was encoded by a module from elsewhere"
fi
grep -q 'byteformer-codecs.so.*install byteformer anew' "$work/error" || fail "without its module: $(cat "$work/error")"
"$prefix/bin/byteformer" classify --model "$work/model" "$models/input_0.bin" >/dev/null || fail "classify needs the module"
mv "$work/byteformer-codecs.so" "$module"
pass "the installed program finds its module of codecs, says so where it is missing, and classifies without it"

# The example's answer must be three classes, the best first.
runs() {  # runs NAME PROGRAM [VARIABLE=VALUE...]
  local name=$1 program=$2 output
  shift 2
  output=$(env "$@" "$program" "$work/model" "$models/input_0.bin") || fail "$name: exit status $?"
  [ "$(wc -l <<<"$output")" = 3 ] || fail "$name printed: $output"
  [ "$(sort -gr <<<"$output")" = "$output" ] || fail "$name printed scores out of order: $output"
  if [ -z "${first_answer:-}" ]; then first_answer=$output; fi
  [ "$output" = "$first_answer" ] || fail "$name printed $output, but before it was $first_answer"
  pass "$name"
}

# What the examples in other languages print of a picture of a 3, which has to be prepared.
prepares() {  # prepares NAME PROGRAM [VARIABLE=VALUE...]
  local name=$1 program=$2 output
  shift 2
  output=$(env "$@" "$program" "$source_dir/models/mnist" "$source_dir/examples/data/handwritten_3.png" "$work/none" 2>"$work/error") &&
    fail "$name found no fault with a file that is not there"
  [[ $output == *"handwritten_3.png: 3 ("* ]] || fail "$name printed $output, $(cat "$work/error")"
  grep -q "$work/none" "$work/error" || fail "$name said $(cat "$work/error")"
  pass "$name"
}

for library in byteformer::prepare byteformer::prepare_static; do
  build=$work/build-${library#*::}
  {
    cmake -G "$generator" -S "$work/examples" -B "$build" -DCMAKE_PREFIX_PATH="$prefix" -DBYTEFORMER_TARGET="$library" \
      -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx"
    cmake --build "$build"
  } >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "building with find_package, $library"; }
  runs "find_package, $library" "$build/classify_file"
done
prepares "find_package, byteformer::c" "$build/classify_files"
mv "$module" "$work/"
"$build/classify_files" "$source_dir/models/mnist" "$source_dir/examples/data/handwritten_3.png" 2>"$work/error" &&
  fail "a picture was decoded by a module from elsewhere"
grep -q "(unsupported).*$libdir/byteformer/byteformer-codecs.so" "$work/error" || fail "without its module: $(cat "$work/error")"
mv "$work/byteformer-codecs.so" "$module"
pass "the C library looks for the module beside itself"

export PKG_CONFIG_PATH=$libdir/pkgconfig
[ "$(pkg-config --modversion byteformer)" = "$("$prefix/bin/byteformer" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)" ] ||
  fail "pkg-config and the program name different versions"
# shellcheck disable=SC2046  # the flags are words
"$cxx" -std=c++20 $(pkg-config --cflags byteformer-prepare) "$work/examples/classify_file.cpp" -o "$work/shared" \
  $(pkg-config --libs byteformer-prepare)
runs "pkg-config, shared" "$work/shared" LD_LIBRARY_PATH="$libdir"
# shellcheck disable=SC2046
"$cxx" -std=c++20 $(pkg-config --cflags byteformer-prepare) "$work/examples/classify_file.cpp" -o "$work/static" \
  $(pkg-config --static --libs byteformer-prepare | sed -E 's/-l(byteformer[a-z-]*)/-l:lib\1.a/g')
runs "pkg-config, static" "$work/static"
# shellcheck disable=SC2046
"$cc" -std=c99 -pedantic -Wall -Wextra -Werror $(pkg-config --cflags byteformer-c) "$work/examples/classify_files.c" \
  -o "$work/c" $(pkg-config --libs byteformer-c)
prepares "pkg-config, C" "$work/c" LD_LIBRARY_PATH="$libdir"

if ! command -v go >/dev/null; then
  echo "skipped: the example in Go: there is no go here (Debian's golang-go)"
else
  (cd "$work/examples/go" && CC=$cc GO111MODULE=off GOCACHE=$work/go CGO_LDFLAGS_ALLOW='.*' CGO_LDFLAGS="-Wl,-rpath,$libdir" \
    go build -o "$work/from_go" classify.go) || fail "building the example in Go"
  prepares "pkg-config, Go" "$work/from_go"
fi

# Public headers stand alone, one by one.
for header in "$prefix"/include/byteformer/*.hpp; do
  "$cxx" -std=c++20 -Wall -Wextra -Wpedantic -Werror -I"$prefix/include" -fsyntax-only -x c++ - \
    <<<"#include <byteformer/$(basename "$header")>" || fail "$header does not compile alone"
done
"$cc" -std=c99 -pedantic -Wall -Wextra -Wpadded -Werror -I"$prefix/include" -fsyntax-only -x c - <<<"#include <byteformer.h>" ||
  fail "byteformer.h does not compile alone"
pass "every public header compiles alone"

for library in libbyteformer libbyteformer-prepare libbyteformer-c; do
  soname=$(objdump -p "$libdir/$library.so" | awk '$1 == "SONAME" {print $2}')
  [[ $soname == "$library".so.* ]] || fail "the soname of $library is '$soname'"
  [ -e "$libdir/$soname" ] || fail "no $soname beside the library"
  foreign=$(objdump -p "$libdir/$library.so" | awk '$1 == "NEEDED" {print $2}' |
    grep -vE '^(libbyteformer|libstdc\+\+|libm|libgcc_s|libc|libpthread|ld-linux[^ ]*)\.so' || true)
  [ -z "$foreign" ] || fail "$library needs more than the standard library: $foreign"
  inner=$(nm -DC --defined-only "$libdir/$library.so" |
    grep -E '^[^(]*\bbyteformer::(base|kernels|format|media|bytes|nn|model|prepare|api|capi)::' || true)
  [ -z "$inner" ] || fail "$library shows what is inside it: $inner"
  pass "$soname needs only the standard library, and shows only the public interface"
done
! nm -D --undefined-only "$libdir/libbyteformer.so" | grep -E ' (dlopen|dlsym)' || fail "libbyteformer loads modules"
pass "libbyteformer loads no module: it judges files, and decodes none"

echo "$passed passed, 0 failed"
