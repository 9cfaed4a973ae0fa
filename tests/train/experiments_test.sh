#!/usr/bin/env bash
# Recipes start and take training steps at the small scale, on a handful of files; results are written and not overwritten.
# Usage: experiments_test.sh BYTEFORMER BYTEFORMER_TRAIN REPOSITORY NAME...   (NAME: of recipes, may be patterns)
set -euo pipefail
byteformer=$1 repository=$3
export PATH="$(dirname "$2"):$PATH"
shift 3
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
source "$repository/tests/train/tiny_data.sh"
tiny_data data

names=()
for pattern in "$@"; do
  for recipe in "$repository"/recipes/$pattern.yaml; do names+=("$(basename "$recipe" .yaml)"); done
done
run=("$byteformer" experiments run "${names[@]}" --recipes "$repository/recipes" --seeds 1 --steps 2 --threads 1 --no-progress)
fail() { cat log >&2; echo "$1" >&2; exit 1; }

"${run[@]}" >out 2>log || fail "a recipe failed"
page=experiments/trial-2/results.md
for name in "${names[@]}"; do
  grep -q "^$name, seed 0: " out || fail "$name says nothing"
  log=experiments/trial-2/results/runs/$name/seed-0.json
  grep -q "\"experiment\": \"$name\"" "$log" || fail "$name has no log"
  grep -qE '"steps": 2|"bit_identical": true' "$log" || fail "$name was neither trained for two steps nor rekeyed"
done
! grep -q "Nothing has been run" "$page" || fail "the page holds no results"
! grep -q "$folder" -r experiments/trial-2/results* || fail "results name folders of this machine"

status=0; "${run[@]}" >out 2>log || status=$?
[ $status = 2 ] && grep -q -- "--resume" log || fail "results are overwritten silently"
"${run[@]}" --resume >out 2>log || fail "--resume failed"
[ ! -s out ] || fail "--resume did again what was done"
echo "${#names[@]} experiments"
