#!/usr/bin/env bash
# Tests check_includes.sh itself: clean trees pass, and each kind of wrong arrow is found and named.
set -uo pipefail
check=$(cd "$(dirname "$0")" && pwd)/check_includes.sh
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
tree=$work/clean
passed=0 failed=0

put() { mkdir -p "$tree/${1%/*}" && printf '%s\n' "$2" >"$tree/$1"; }

# expect NAME STATUS TEXT: runs the check on the tree, compares, and starts again from the clean tree.
expect() {
  local output status=0
  output=$(bash "$check" "$tree" 2>&1) || status=$?
  if [ "$status" = "$2" ] && grep -qF -- "$3" <<<"$output"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1)); printf 'FAILED %s: wanted status %s and "%s", got status %s and\n%s\n' "$1" "$2" "$3" "$status" "$output"
  fi
  start_again
}

start_again() { rm -rf "$work/tree" && cp -r "$work/clean" "$work/tree"; }

put include/byteformer/error.hpp '#include <string>'
put src/base/file.hpp '#include "byteformer/error.hpp"'
put src/kernels/gemm.hpp '#include "base/file.hpp"'
put src/kernels/gemm.cpp '#include "gemm.hpp"'
put src/nn/head.cpp '#include "kernels/gemm.hpp"'
put src/format/config.hpp '// nothing'
put src/model/model.hpp '#include "format/config.hpp"'
put src/api/classifier.hpp '#include <model/model.hpp>'
put apps/byteformer/commands/classify.hpp '#include "api/classifier.hpp"'
put apps/byteformer/main.cpp '#include "commands/classify.hpp"'

tree=$work/tree; start_again
expect 'clean tree' 0 'all point down'
put src/base/bad.cpp '#include "model/model.hpp"'; expect 'upward' 1 'src/base/bad.cpp:1: "model/model.hpp" points up'
put src/base/bad.cpp $'\n  #  include <nn/head.cpp>'; expect 'upward, angle brackets' 1 'src/base/bad.cpp:2: "nn/head.cpp" points up'
put src/kernels/deep/bad.hpp '#include "api/classifier.hpp"'; expect 'upward from a subfolder' 1 'points up'
put src/nn/bad.cpp '#include "format/config.hpp"'; expect 'sideways' 1 'points sideways: nn is on floor 2, format on floor 2'
put src/api/bad.cpp '#include "commands/classify.hpp"'; expect 'not ours' 0 'all point down'
put src/api/bad.cpp '#include "byteformer/commands/classify.hpp"'; expect 'public-looking path' 0 'all point down'
put apps/other/main.cpp '#include "byteformer/main.hpp"'; expect 'public header from a program' 0 'all point down'
put apps/byteformer-train/trainer.hpp ''; put apps/byteformer/bad.cpp '#include "byteformer-train/trainer.hpp"'
expect 'from program to program' 1 'points sideways: nothing includes a program'
put apps/byteformer-train/trainer.hpp ''; put src/api/bad.cpp '#include "byteformer-train/trainer.hpp"'
expect 'from the library to a program' 1 'points up: nothing includes a program'
put apps/common/signal.hpp ''; put apps/byteformer/good.cpp '#include "common/signal.hpp"'
expect 'from a program to what programs share' 0 'all point down'
put apps/common/bad.cpp '#include "byteformer-train/trainer.hpp"'; put apps/byteformer-train/trainer.hpp ''
expect 'from what programs share to a program' 1 'points sideways: nothing includes a program'
put apps/common/signal.hpp ''; put src/api/bad.cpp '#include "common/signal.hpp"'
expect 'from the library to what programs share' 1 'points up: nothing includes a program'
put src/model/bad.cpp '#include "../base/file.hpp"'; expect 'path with dots' 1 'without dots'
put src/utils/misc.hpp ''; expect 'unknown folder' 1 'folder src/utils has no floor'
put src/utils/misc.hpp ''; put src/api/bad.cpp '#include "utils/misc.hpp"'; expect 'unknown folder, included' 1 'src/api/bad.cpp:1: "utils/misc.hpp": folder src/utils has no floor'
put src/model/bad.cpp '#include <torch/torch.h>'; expect 'LibTorch below train' 1 'only src/train may use LibTorch'
put src/train/good.cpp '#include <torch/torch.h>'; expect 'LibTorch in train' 0 'all point down'
put include/byteformer/bad.hpp '#include "base/file.hpp"'; expect 'public header, inside' 1 'only the standard library'
put include/byteformer/bad.hpp '#include <nlohmann/json.hpp>'; expect 'public header, third party' 1 'only the standard library'
put src/base/good.cpp $'// #include "model/model.hpp"\n#include <hwy/highway.h>\n#include HWY_TARGET_INCLUDE'; expect 'comments, third party, computed' 0 'all point down'
rm -rf "${tree:?}"/*; expect 'empty tree' 1 'no sources here'

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
