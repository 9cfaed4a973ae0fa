#!/usr/bin/env bash
# The engine's tests on NEON: cross-built for arm64 on Debian, run by qemu-user. Not part of test.sh, for it installs a hundred
# packages of a foreign architecture, of which libyaml-cpp-dev takes the place of ours until quickstart.sh or test.sh is run. Usage: test_arm64.sh   (JOBS=N sets the parallelism)
set -euo pipefail
cd "$(dirname "$0")/.."

./scripts/install_dependencies.sh arm64
cmake --preset arm64 >/dev/null
# What computes, and what reads files; the programs' tests start them from a shell, which needs an arm64 machine.
programs=(base_test base_threads_test kernels_test format_test nn_test cost_test weights_test golden_test oracle_test packing_test backprop_test
  interop_test api_test)
cmake --build --preset arm64 -j "${JOBS:-$(nproc)}" --target "${programs[@]}"
pattern=$(IFS='|'; echo "${programs[*]}")
ctest --test-dir build/arm64 -R "^($pattern)\$" --no-tests=error --output-on-failure -j "${JOBS:-$(nproc)}"
