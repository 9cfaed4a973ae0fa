#!/usr/bin/env bash
# `byteformer serve` with the clients that people have: test_clients.sh [PROGRAM [FOLDER]]. Triton's client and those of Python
# come from PyPI into a virtual environment in FOLDER (build/clients); what cannot be had is skipped, and said at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-build/release/bin/byteformer}
folder=${2:-build/clients}
[ -x "$program" ] || { echo "there is no $program; build it first" >&2; exit 1; }
skipped=()
python=python3
if [ -x "$folder/bin/python" ] || python3 -m venv "$folder" 2>/dev/null; then
  python=$folder/bin/python
  for package in 'tritonclient[http]' requests urllib3 aiohttp; do
    "$python" -m pip install -q --disable-pip-version-check "$package" 2>/dev/null || skipped+=("$package (PyPI does not give it)")
  done
else
  skipped+=("all packages of PyPI (no python3-venv here)")
fi
command -v curl >/dev/null || skipped+=("curl (apt-get install curl)")
"$python" tests/serve/clients_test.py "$program"
for what in ${skipped[@]+"${skipped[@]}"}; do echo "skipped: $what"; done
