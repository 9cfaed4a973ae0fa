#!/usr/bin/env bash
# Writes dist/byteformer-VERSION-cp39-abi3-manylinux_*.whl, for machines without a compiler, and the source distribution.
# The wheel runs where the C library is as new as here, or newer. Usage: build_wheel.sh
set -euo pipefail
cd "$(dirname "$0")/.."
./scripts/install_dependencies.sh packages

python=${PYTHON:-/usr/bin/python3}
work=build/wheel
export BYTEFORMER_BUILD=$PWD/$work/cmake  # kept, so that a second run builds what changed
rm -rf $work/dist $work/unpacked python/*.egg-info
mkdir -p $work

$python setup.py -q build --build-base "$PWD/$work/base" bdist_wheel --dist-dir $work/dist >$work/log
$python -m wheel unpack -d $work/unpacked $work/dist/*.whl
folder=$(echo $work/unpacked/*)
chmod +x "$folder/byteformer/_bundle/bin/byteformer"  # which unpacking forgets
$python python/bundle_libraries.py "$folder"
glibc=$(ldd --version | awk 'NR == 1 {sub(/\./, "_", $NF); print $NF}')
sed -i "s/^Tag: cp39-abi3-linux_/Tag: cp39-abi3-manylinux_${glibc}_/" "$folder"/*.dist-info/WHEEL
mkdir -p dist
rm -f dist/byteformer-*.whl dist/byteformer-*.tar.gz
$python -m wheel pack -d dist "$folder"
$python setup.py -q sdist --dist-dir dist
rm -rf python/*.egg-info
ls -lh dist/byteformer-*
