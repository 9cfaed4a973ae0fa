#!/usr/bin/env bash
# A run that is killed again and again ends with the weights of one that is not, bit for bit, and its model answers.
# Usage: kill_and_resume_test.sh BYTEFORMER BYTEFORMER_TRAIN [KILLS]
set -euo pipefail
byteformer=$1 repository=$(cd "$(dirname "$0")/../.." && pwd)
export PATH="$(dirname "$2"):$PATH"
kills=${3:-3}
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"

source "$repository/tests/train/tiny_data.sh"
text_data data
options=(--data data --batch-size 8 --hidden-size 64 --heads 2 --layers 4 --threads 2 --no-progress)

run_and_kill() {  # status 1 where the run is over before the last kill
  rm -rf killed
  for ((i = 1; i <= kills; ++i)); do
    "$byteformer" train "${options[@]}" --epochs $epochs -o killed --auto-resume &
    pid=$!
    sleep "$(awk -v seed="$RANDOM" 'BEGIN { srand(seed); print 0.4 + 1.0 * rand() }')"  # any instant: loading, a step, a checkpoint
    kill -KILL $pid || { wait $pid || exit 1; return 1; }
    wait $pid || true
    echo "killed $i times"
  done
}
epochs=$((10 + 5 * kills))
until run_and_kill; do epochs=$((2 * epochs)); done  # on a fast machine
options+=(--epochs $epochs)
"$byteformer" train "${options[@]}" -o whole
"$byteformer" train "${options[@]}" -o killed --auto-resume
same_tensors whole killed
"$byteformer" classify --model killed -r --jsonl data/letters | grep -c '"label":"letters"' >/dev/null
"$byteformer" eval --model killed --data data --json | grep -q '"top1"'
echo "the same bits after $kills kills"
