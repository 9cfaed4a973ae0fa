#!/usr/bin/env bash
# From a fresh clone to a classified file: installs what is missing, builds the release program and runs it on real files.
# Run it as often as you like; what is done already is not done again. Usage: quickstart.sh [--with-training]
#   --with-training   also installs LibTorch, builds the trainer, and trains a model of handwritten digits in two minutes
set -euo pipefail
cd "$(dirname "$0")/.."

with_training=no
case ${1:-} in
  "") ;;
  --with-training) with_training=yes ;;
  *) echo "usage: $0 [--with-training]" >&2; exit 2 ;;
esac

step() { printf '\n==> %s\n' "$1"; }

step "1/3 Dependencies (apt-get, only what is missing)"
./scripts/install_dependencies.sh build

step "2/3 Building build/release/bin/byteformer"
log=$(mktemp); trap 'rm -f "$log"' EXIT
configure() { cmake --preset release >"$log" 2>&1 || { cat "$log" >&2; echo "cmake could not configure the build; see above." >&2; exit 1; }; }
[ -f build/release/build.ninja ] || configure
cmake --build --preset release --target bin/byteformer

show() { printf '\n$ %s\n' "$*"; "$@"; }
step "3/3 What kind of file is this? And recordings and pictures that no model was trained on"
show build/release/bin/byteformer classify --top-k 1 README.md scripts/test.sh src/plan/plan.cpp examples/data/frog.jpg \
  examples/data/spoken_3.wav examples/digits.tar.gz build/release/bin/byteformer
show build/release/bin/byteformer classify --model models/spoken-digits --top-k 3 examples/data/spoken_*.wav
show build/release/bin/byteformer classify --model models/speech-commands --top-k 3 examples/data/command_left.wav
show build/release/bin/byteformer classify --model models/mnist --top-k 3 examples/data/handwritten_*.png
show build/release/bin/byteformer classify --model models/cifar10 --top-k 3 examples/data/*.jpg
show build/release/bin/byteformer classify --model models/digits-joint --top-k 3 examples/data/spoken_7.wav examples/data/handwritten_3.png
cat <<MESSAGE

Each model is a transformer over bytes: it knows no waveform and no pixel, only 256 symbols in their order. Models of
uncompressed bytes get the samples of a WAV and the pixels of a PNG rewritten so, which the notes above say.

Next: build/release/bin/byteformer --help, and README.md for your own model (byteformer train, byteformer import).
MESSAGE
[ $with_training = yes ] || exit 0

step "Training: LibTorch (apt-get, only what is missing) and build/release/bin/byteformer-train"
./scripts/install_dependencies.sh train
configure
cmake --build --preset release --target bin/byteformer-train

step "Training on 2,500 handwritten digits for two minutes"
work=build/quickstart
rm -rf $work && mkdir -p $work && tar xzf examples/digits.tar.gz -C $work
show build/release/bin/byteformer train --data $work/digits -o $work/model --time 2m
show build/release/bin/byteformer eval --model $work/model --data $work/digits
show build/release/bin/byteformer classify --model $work/model --top-k 3 $(ls $work/digits/test/7/*.png | head -n 4)
echo "The training report is $work/model/training/report.html, the model's own words are in $work/model/README.md."
