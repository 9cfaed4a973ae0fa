#!/usr/bin/env bash
# An experiment that is interrupted in the middle goes on with --resume, and ends as one that is not, bit for bit.
# Usage: experiment_resume_test.sh BYTEFORMER BYTEFORMER_TRAIN REPOSITORY
set -euo pipefail
byteformer=$1 repository=$3
export PATH="$(dirname "$2"):$PATH"
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
source "$repository/tests/train/tiny_data.sh"
tiny_data data
run=("$byteformer" experiments run image_fhwc --recipes "$repository/recipes" --seeds 1 --steps 30 --threads 1 --no-progress)
fail() { cat log >&2; echo "$1" >&2; exit 1; }

"${run[@]}" --output whole >/dev/null 2>log || fail "the whole run failed"
rm log  # what waits below should not read that of the whole run
"${run[@]}" --output parts >out 2>log &
pid=$!
model=parts/trial-30/small/image_fhwc/seed-0
for ((i = 0; i < 600; ++i)); do  # until it trains
  grep -qs "  validation: " log && break
  kill -0 $pid 2>/dev/null || fail "the run ended before it was interrupted"
  sleep 0.05
done
kill -INT $pid
status=0; wait $pid || status=$?
[ $status = 130 ] || fail "exit status $status, expected 130"
grep -q -- "--resume" log || fail "it does not say how to go on"
[ -f $model/training/checkpoint.safetensors ] || fail "nothing is saved"
[ ! -e parts/trial-30/results/runs ] || fail "a run that is not done has a log"
"${run[@]}" --output parts --resume >out 2>log || fail "--resume failed"
cmp whole/trial-30/small/image_fhwc/seed-0/model.safetensors $model/model.safetensors
# The logs differ in the seconds that they tell.
without_seconds() { grep -v '"seconds"' "$1/trial-30/results/runs/image_fhwc/seed-0.json"; }
diff <(without_seconds whole) <(without_seconds parts)
