#!/usr/bin/env bash
# Writes dist/*.deb for the Debian that it runs on: libbyteformer0, libbyteformer-dev, byteformer, byteformer-train,
# byteformer-models and python3-byteformer, built from what is committed, and lets lintian judge them.
# Usage: build_debs.sh
set -euo pipefail
cd "$(dirname "$0")/.."
./scripts/install_dependencies.sh packages

version=$(sed -n 's/^project(byteformer VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
work=build/debs source=build/debs/byteformer-$version
mkdir -p "$source"
# Build folders stay, so that a second run builds what changed.
find "$source" -mindepth 1 -maxdepth 1 ! -name 'obj-*' -exec rm -rf {} +
rm -f $work/*.deb dist/*.deb
git archive HEAD | tar -x -C "$source"
cp -r packaging/debian "$source/debian"
cat >"$source/debian/changelog" <<CHANGELOG
byteformer ($version) bookworm; urgency=medium

  * Built from commit $(git rev-parse --short HEAD).

 -- The byteformer authors <byteformer@users.noreply.github.com>  $(git log -1 --format=%aD)
CHANGELOG
# dh_clean would take the build folder along.
(cd "$source" && DEB_BUILD_OPTIONS="nocheck parallel=${JOBS:-$(nproc)}" dpkg-buildpackage -us -uc -b --no-pre-clean) >$work/log 2>&1 ||
  { tail -n 50 $work/log >&2; echo "the whole log is $work/log" >&2; exit 1; }
mkdir -p dist
for deb in $work/*.deb; do [[ $deb == *-dbgsym_* ]] || cp "$deb" dist/; done
lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs dist/*.deb
ls -lh dist/*.deb
