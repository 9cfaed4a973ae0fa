#!/usr/bin/env bash
# The page of `byteformer serve` in a real browser: test_serve_page.sh [PROGRAM]. Needs Debian's chromium and chromium-driver;
# where they are not installed it says so and skips. Screenshots go to build/page.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-build/release/bin/byteformer}
for needed in chromium chromedriver python3; do
  command -v "$needed" >/dev/null || { echo "skipped: no $needed here (apt-get install chromium chromium-driver)"; exit 0; }
done
[ -x "$program" ] || { echo "there is no $program; build it first" >&2; exit 1; }
python3 tests/serve/page_test.py "$program" build/page
