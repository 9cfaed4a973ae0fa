#!/usr/bin/env bash
# byteformer beside ONNX Runtime and eager PyTorch, on the same weights and files in one run, as a table in Markdown. Installs
# the peers (Debian's python3-torch, and onnxruntime-node from npm into build/compare) and builds the benchmarks.
# Usage: compare.sh [--quick] [--training]
#   --quick      one round instead of five
#   --training   also training steps, against eager PyTorch; builds the trainer
# Leave the machine alone meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."

target=bin/byteformer
for option in "$@"; do
  case $option in
    --quick) ;;
    --training) target=all ;;
    *) echo "usage: $0 [--quick] [--training]" >&2; exit 2 ;;
  esac
done

./scripts/install_dependencies.sh compare
cmake --preset bench >/dev/null
cmake --build --preset bench --target $target >&2
work=$PWD/build/compare
mkdir -p "$work"
[ -d "$work/node_modules/onnxruntime-node" ] || (cd "$work" && npm install --ignore-scripts --no-audit --no-fund onnxruntime-node@1 >&2)

# PyTorch at its best: waiting OpenMP threads would take the processors from the others, and OpenBLAS uses AVX2 on
# processors that are younger than it is.
if grep -qw avx512f /proc/cpuinfo; then export OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-SkylakeX}; fi
OMP_WAIT_POLICY=passive PYTHONWARNINGS=ignore /usr/bin/python3 bench/peers/compare.py build/bench/bin "$work" "$work" "$@"
echo
lscpu | sed -n 's/^Model name: */Measured on: /p'
echo "peers: ONNX Runtime $(sed -n 's/.*"version": "\(.*\)".*/\1/p' "$work/node_modules/onnxruntime-node/package.json"), PyTorch $(/usr/bin/python3 -c 'import torch; print(torch.__version__)')"
