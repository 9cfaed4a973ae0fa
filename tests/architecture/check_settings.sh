#!/usr/bin/env bash
# Fails on a source file that writes the option of a training setting ("--crop") as a literal: the table in
# src/plan/settings.cpp has the names, and option_name() says them. Usage: check_settings.sh [ROOT]
# Commands with options of their own (`byteformer eval --data`) are not meant; train's help text has examples.
set -eu
cd "${1:-.}"
names=$(sed -n 's/^ *{"\([a-z-]*\)",.*/\1/p' src/plan/settings.cpp)
[ "$(wc -w <<<"$names")" -gt 40 ] || { echo 'no table of settings in src/plan/settings.cpp'; exit 1; }
pattern="\"[^\"]*--($(paste -sd'|' <<<"$names"))([^a-z-]|$)"
found=$(grep -rnE "$pattern" src apps/byteformer-train apps/byteformer/commands/train.cpp --include='*.?pp' |
  grep -v -e '^src/plan/settings\.[ch]pp:' -e '^src/experiments/data_source.cpp:' -e 'byteformer eval' -e '^[^:]*:[0-9]*: *//' || true)
[ -z "$found" ] || { printf '%s\n' "$found"; exit 1; }
