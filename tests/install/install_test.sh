#!/usr/bin/env bash
# Installs the build into an empty prefix and uses it as a stranger would: the example is built there with CMake and with
# pkg-config, shared and static, from a tree that was moved after the installation, and classifies a file with each.
# Usage: install_test.sh SOURCE_DIR BUILD_DIR CMAKE_GENERATOR CXX_COMPILER [CXX_FLAGS]
set -euo pipefail
source_dir=$1 build_dir=$2 generator=$3 cxx=$4 flags=${5:-}
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

for library in byteformer::byteformer byteformer::static; do
  build=$work/build-${library#*::}
  {
    cmake -G "$generator" -S "$work/examples" -B "$build" -DCMAKE_PREFIX_PATH="$prefix" -DBYTEFORMER_LIBRARY="$library" \
      -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_BUILD_TYPE=Release
    cmake --build "$build"
  } >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "building with find_package, $library"; }
  runs "find_package, $library" "$build/classify_file"
done

export PKG_CONFIG_PATH=$libdir/pkgconfig
[ "$(pkg-config --modversion byteformer)" = "$("$prefix/bin/byteformer" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)" ] ||
  fail "pkg-config and the program name different versions"
# shellcheck disable=SC2046,SC2086  # the flags are words
"$cxx" -std=c++20 $flags $(pkg-config --cflags byteformer) "$work/examples/classify_file.cpp" -o "$work/shared" \
  $(pkg-config --libs byteformer)
runs "pkg-config, shared" "$work/shared" LD_LIBRARY_PATH="$libdir"
# shellcheck disable=SC2046,SC2086
"$cxx" -std=c++20 $flags $(pkg-config --cflags byteformer) "$work/examples/classify_file.cpp" -o "$work/static" \
  $(pkg-config --static --libs byteformer | sed 's/-lbyteformer/-l:libbyteformer.a/')
runs "pkg-config, static" "$work/static"

# Public headers stand alone, one by one.
for header in "$prefix"/include/byteformer/*.hpp; do
  # shellcheck disable=SC2086
  "$cxx" -std=c++20 $flags -Wall -Wextra -Wpedantic -Werror -I"$prefix/include" -fsyntax-only -x c++ - \
    <<<"#include <byteformer/$(basename "$header")>" || fail "$header does not compile alone"
done
pass "every public header compiles alone"

soname=$(objdump -p "$libdir/libbyteformer.so" | awk '$1 == "SONAME" {print $2}')
[[ $soname == libbyteformer.so.* ]] || fail "soname is '$soname'"
[ -e "$libdir/$soname" ] || fail "no $soname beside the library"
pass "soname $soname"

foreign=$(objdump -p "$libdir/libbyteformer.so" | awk '$1 == "NEEDED" {print $2}' |
  grep -vE '^(libstdc\+\+|libm|libgcc_s|libc|libpthread|libasan|libubsan|libtsan|ld-linux[^ ]*)\.so' || true)
[ -z "$foreign" ] || fail "the library needs more than the standard library: $foreign"
pass "the shared library needs only the standard library"

inner=$(nm -DC --defined-only "$libdir/libbyteformer.so" | grep -E '^[^(]*\bbyteformer::(base|kernels|format|nn|model|api)::' || true)
[ -z "$inner" ] || fail "the shared library shows what is inside it: $inner"
pass "the shared library shows only the public interface"

echo "$passed passed, 0 failed"
