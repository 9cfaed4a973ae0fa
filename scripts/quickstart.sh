#!/usr/bin/env bash
# From a fresh clone to a classified file: installs what is missing, builds the release program and runs it on real files.
# Run it as often as you like; what is done already is not done again.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n==> %s\n' "$1"; }

step "1/3 Dependencies (apt-get, only what is missing)"
./scripts/install_dependencies.sh build

step "2/3 Building build/release/bin/byteformer"
log=$(mktemp); trap 'rm -f "$log"' EXIT
if [ ! -f build/release/build.ninja ]; then
  cmake --preset release >"$log" 2>&1 || { cat "$log" >&2; echo "cmake could not configure the build; see above." >&2; exit 1; }
fi
cmake --build --preset release --target bin/byteformer

step "3/3 Classifying the files of examples/data"
model=models/untrained-nano
echo "\$ build/release/bin/byteformer classify --model $model examples/data/*"
build/release/bin/byteformer classify --model "$model" examples/data/*
cat <<MESSAGE

Each file was read as raw bytes, with no decoder, and went through every layer of a transformer. The answers themselves
mean nothing yet: $model has random weights (see its README.md) and only shows that the whole path works.

Next: build/release/bin/byteformer --help, and README.md for your own model (byteformer import).
MESSAGE
