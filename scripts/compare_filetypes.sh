#!/usr/bin/env bash
# The model file-types beside libmagic and Magika, on the test files of projects that it was not trained on, in one run:
# accuracy and macro recall on whole files and on inner pieces, files per second, cold start, size.
# Usage: compare_filetypes.sh [VIEWS [MODEL]]
#   VIEWS  what scripts/file_types/views.py wrote (default: build/filetypes/views; collected and made where it is missing)
#   MODEL  default: models/file-types
# Magika comes from PyPI into build/filetypes; where pip cannot get it, the table goes without.
set -euo pipefail
cd "$(dirname "$0")/.."
views=${1:-build/filetypes/views}
model=${2:-models/file-types}
program=${BYTEFORMER:-build/release/bin/byteformer}
work=build/filetypes
mkdir -p "$work"

[ -x "$program" ] || { cmake --preset release >/dev/null && cmake --build --preset release --target bin/byteformer >&2; }
if [ ! -d "$views/test-whole" ]; then
  /usr/bin/python3 scripts/file_types/collect.py "$work/data" >&2
  /usr/bin/python3 scripts/file_types/convert.py "$work/data" >&2
  /usr/bin/python3 scripts/file_types/views.py "$work/data" "$views" >&2
fi
peer=${MAGIKA_PYTHON:-$work/magika/bin/python}
if [ ! -x "$peer" ]; then
  /usr/bin/python3 -m venv "$work/magika" >&2 && "$work/magika/bin/pip" install --quiet magika >&2 || peer=
fi
[ -n "$peer" ] && "$peer" -c 'import magika' 2>/dev/null || { peer=; echo "skipped: Magika (pip cannot install it here)"; }
/usr/bin/python3 scripts/file_types/compare.py "$program" "$model" "$views" $peer
echo
echo "peers: $(file --version | head -1)${peer:+, Magika $("$peer" -c 'import importlib.metadata as m; print(m.version("magika"))')}"
