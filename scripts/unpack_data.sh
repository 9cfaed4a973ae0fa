#!/usr/bin/env bash
# Unpacks the data of the small-scale experiments. Usage: unpack_data.sh FOLDER_OF_ARCHIVES [DEST]
#   FOLDER_OF_ARCHIVES  holds fsdd.tar.gz, mnist28_png.tar.gz and, if it is wanted, cifar10_jpg.tar.gz
#   DEST                where they go (default: data, where `byteformer experiments` looks)
# Makes DEST/fsdd, DEST/mnist28_png, DEST/cifar10_jpg, and DEST/digits-joint of links to the files of the first two. What
# is there already is only checked.
set -euo pipefail

usage() {
  cat >&2 <<'MESSAGE'
usage: unpack_data.sh FOLDER_OF_ARCHIVES [DEST]

The archives, each with one folder of its name that holds train/CLASS/* and test/CLASS/*:
  fsdd.tar.gz         recordings of digits, WAV at 8 kHz: the Free Spoken Digit Dataset,
                      https://github.com/Jakobovski/free-spoken-digit-dataset (test: recordings 0 to 4 of each speaker and digit)
  mnist28_png.tar.gz  handwritten digits as PNG of 28x28 pixels: MNIST, http://yann.lecun.com/exdb/mnist/
  cifar10_jpg.tar.gz  photos of 32x32 pixels as JPEG: CIFAR-10, https://www.cs.toronto.edu/~kriz/cifar.html
MESSAGE
  exit 2
}

[ $# -ge 1 ] && [ $# -le 2 ] && [ "$1" != --help ] || usage
archives=$1
dest=${2:-data}
[ -d "$archives" ] || { echo "unpack_data.sh: $archives: is no folder" >&2; usage; }

# count FOLDER: the files in it, at any depth.
count() { find -L "$1" -type f ! -name 'README*' | wc -l; }

# check NAME TRAIN TEST: whether the data set NAME is whole.
check() {
  local found
  for part in train test; do
    local wanted=$2
    [ $part = train ] || wanted=$3
    found=0
    [ ! -d "$dest/$1/$part" ] || found=$(count "$dest/$1/$part")
    [ "$found" = "$wanted" ] || { echo "unpack_data.sh: $dest/$1/$part: $found files, expected $wanted; remove $dest/$1 and try again" >&2; exit 1; }
  done
  echo "$dest/$1: $2 files to train on, $3 for test"
}

# unpack NAME TRAIN TEST: the archive NAME.tar.gz becomes DEST/NAME, whole or not at all.
unpack() {
  local archive=$archives/$1.tar.gz
  if [ ! -d "$dest/$1" ]; then
    [ -f "$archive" ] || return 1
    local work
    work=$(mktemp -d "$dest/.unpacking.XXXXXX")
    tar xzf "$archive" -C "$work" || { rm -rf "$work"; echo "unpack_data.sh: $archive: cannot be unpacked" >&2; exit 1; }
    [ -d "$work/$1" ] || { rm -rf "$work"; echo "unpack_data.sh: $archive: holds no folder $1" >&2; exit 1; }
    mv "$work/$1" "$dest/$1"
    rm -rf "$work"
  fi
  check "$@"
}

# join: links to both kinds of digits, side by side.
join() {
  if [ ! -d "$dest/digits-joint" ]; then
    local root work
    root=$(cd "$dest" && pwd)
    work=$(mktemp -d "$dest/.joining.XXXXXX")
    for part in train test; do
      for digit in 0 1 2 3 4 5 6 7 8 9; do
        mkdir -p "$work/digits-joint/$part/$digit"
        find "$root/fsdd/$part/$digit" "$root/mnist28_png/$part/$digit" -type f -print0 |
          xargs -0 ln -s -t "$work/digits-joint/$part/$digit"
      done
    done
    mv "$work/digits-joint" "$dest/digits-joint"
    rmdir "$work"
  fi
  check digits-joint 62700 10300
}

mkdir -p "$dest"
missing=
unpack fsdd 2700 300 || missing="$missing fsdd.tar.gz"
unpack mnist28_png 60000 10000 || missing="$missing mnist28_png.tar.gz"
unpack cifar10_jpg 50000 10000 || echo "cifar10_jpg.tar.gz is not there; no recipe needs it"
if [ -n "$missing" ]; then
  echo "unpack_data.sh: $archives: lacks$missing" >&2
  usage
fi
join
