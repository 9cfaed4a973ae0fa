#!/usr/bin/env bash
# Measures everything that docs/performance.md says of speed, on this machine: compare.sh with training, cost by length,
# threads and precision, and every kernel. Prints the tables and draws docs/figures.
# Leave the machine alone meanwhile: it takes a quarter of an hour, and the build.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -eq 0 ] || { echo "usage: $0" >&2; exit 2; }

./scripts/compare.sh --training
work=build/compare
for program in kernels_bench training_kernels_bench; do
  build/bench/bin/$program --benchmark_min_time=0.2 --benchmark_format=json >"$work/${program%_bench}.json" 2>/dev/null
done
OMP_WAIT_POLICY=passive PYTHONWARNINGS=ignore /usr/bin/python3 bench/scaling.py build/bench/bin "$work"
/usr/bin/python3 bench/plots.py "$work" docs/figures
