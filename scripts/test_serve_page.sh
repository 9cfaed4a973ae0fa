#!/usr/bin/env bash
# The page of `byteformer serve` in a real browser: test_serve_page.sh [PROGRAM]. Needs Debian's chromium and chromium-driver;
# where they are not installed it says so and skips. axe-core, which judges access, comes from npm into build/axe, where that
# can be had. Screenshots go to build/page.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-build/release/bin/byteformer}
for needed in chromium chromedriver python3; do
  command -v "$needed" >/dev/null || { echo "skipped: no $needed here (apt-get install chromium chromium-driver)"; exit 0; }
done
[ -x "$program" ] || { echo "there is no $program; build it first" >&2; exit 1; }
axe=build/axe/node_modules/axe-core/axe.min.js
[ -f "$axe" ] || { command -v npm >/dev/null && npm install --silent --prefix build/axe axe-core >/dev/null 2>&1; } ||
  echo "skipped: the judgement of axe-core (npm does not give it)"
python3 tests/serve/page_test.py "$program" build/page $([ ! -f "$axe" ] || echo "$axe")
