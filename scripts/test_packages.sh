#!/usr/bin/env bash
# Builds the wheel, the source distribution, Debian's packages and the container's image, and uses each on a bare Debian 12
# as a stranger would. Says at its end what passed and what was skipped. Usage: test_packages.sh [wheel|sdist|debs|image]...
# Needs root, the network, and some minutes; the bare system lies in build/bare, made by debootstrap once.
set -euo pipefail
cd "$(dirname "$0")/.."
wanted=${*:-wheel sdist debs image}
repository=$PWD
bare=$PWD/build/bare root=$PWD/build/bare/root
summary=()
[ "$(id -u)" = 0 ] || { echo "$0 needs root: it works in a system of its own, by chroot" >&2; exit 2; }
./scripts/install_dependencies.sh packages

step() { printf '\n==> %s\n' "$1"; }
fail() { echo "FAILED: $1" >&2; exit 1; }

make_pristine() {  # build/bare/pristine.tar: a bare Debian 12 as a container's base image is, without documentation
  [ ! -f "$bare/pristine.tar" ] || return 0
  step "A bare Debian 12, once (debootstrap)"
  mkdir -p "$bare"
  local mirror
  mirror=$(apt-cache policy git | grep -oE 'https?://[^ ]+' | head -n 1)
  rm -rf "$root"
  debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror" >"$bare/log" 2>&1 || { tail "$bare/log" >&2; exit 1; }
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  rm -f "$root/etc/apt/sources.list"
  cp -a /etc/apt/sources.list* "$root/etc/apt/" 2>/dev/null || true
  cp -a /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
  cp -a /etc/ssl/certs/. "$root/etc/ssl/certs/"; cp -a /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
  printf 'path-exclude /usr/share/%s/*\n' doc man locale info >"$root/etc/dpkg/dpkg.cfg.d/slim"
  rm -rf "$root"/usr/share/{doc,man,locale,info}/* "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
  tar -C "$root" -cf "$bare/pristine.tar" .
}

close_root() { umount build/bare/image/image/proc "$root/proc" 2>/dev/null || true; umount -l "$root/dev" 2>/dev/null || true; }
trap close_root EXIT

open_root() {  # an untouched root, with this repository's files in /source
  close_root
  rm -rf --one-file-system "$root"; mkdir -p "$root"
  tar -C "$root" -xf "$bare/pristine.tar"
  mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; mount --make-rslave "$root/dev"
  mkdir -p "$root/source" "$root/dist"
  git archive HEAD models examples tests/python tests/data docs README.md | tar -x -C "$root/source"
  cp dist/* "$root/dist/"
}

inside() {  # inside COMMAND: in the root, as a stranger
  chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
    $(env | grep -iE '^(http|https|no)_proxy=|^PIP_(CERT|INDEX_URL)=|^REQUESTS_CA_BUNDLE=' || true) bash -euc "cd /tmp; $1"
}

run_python_tests() {  # run_python_tests PYTHON, by whatever package it has
  inside "cd /source/tests/python; for test in test_*.py; do $1 -m unittest discover -p \$test >log 2>&1 || { cat log; exit 1; }; echo \$test \$(tail -n 3 log); done"
}

passed() { summary+=("$1: passed$2"); }

test_wheel() {
  step "The wheel"
  ./scripts/build_wheel.sh
  open_root
  inside "apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null"
  inside "! command -v cc && ! command -v c++" || fail "a compiler is there: this is no bare system"
  inside "python3 -m venv /venv && /venv/bin/pip install -q --disable-pip-version-check /dist/*.whl && /venv/bin/pip list"
  inside "/venv/bin/byteformer classify /source/examples/data/*.jpg --top-k 1"
  run_python_tests /venv/bin/python
  inside "/venv/bin/pip install -q --disable-pip-version-check numpy && cd /source/tests/python && /venv/bin/python -m unittest test_classifier" ||
    fail "with numpy"
  inside "/venv/bin/pip uninstall -q -y byteformer && ! ls -d /venv/lib/python3*/site-packages/byteformer" || fail "pip uninstall leaves something"
  passed wheel ", $(du -h dist/*.whl | cut -f1)"
}

test_sdist() {  # here, with what is installed, and the compiler's cache
  step "The source distribution"
  [ -f "$(echo dist/byteformer-*.tar.gz)" ] || ./scripts/build_wheel.sh
  rm -rf build/sdist; mkdir -p build/sdist
  /usr/bin/python3 -m venv --system-site-packages build/sdist/venv
  TMPDIR=$PWD/build/sdist build/sdist/venv/bin/pip install -q --disable-pip-version-check --no-build-isolation --no-deps dist/byteformer-*.tar.gz
  (cd tests/python && "$repository/build/sdist/venv/bin/python" -m unittest test_answers) || fail "the sdist's package"
  passed sdist ", $(du -h dist/byteformer-*.tar.gz | cut -f1)"
}

test_debs() {
  step "Debian's packages"
  ./scripts/build_debs.sh
  open_root
  inside "apt-get update -qq && dpkg-query -W -f '\${Package}\n' | sort >/tmp/before"
  inside "apt-get install -y -qq --no-install-recommends \$(ls /dist/*.deb | grep -vE 'train|-dev') >/dev/null"
  inside "byteformer classify /source/examples/data/*.jpg --top-k 1"
  inside "byteformer classify --model /usr/share/byteformer/models/mnist /source/examples/data/*.png"
  run_python_tests /usr/bin/python3
  step "with the trainer, and for developers"
  inside "apt-get install -y -qq --no-install-recommends /dist/byteformer-train_*.deb /dist/libbyteformer-dev_*.deb g++ pkg-config >/dev/null"
  inside "mkdir d && tar xzf /source/examples/digits.tar.gz -C d && byteformer train --data d/digits -o m --steps 2 --preset nano && byteformer eval --model m --data d/digits | head -n 3"
  inside "g++ -std=c++20 /source/examples/classify_file.cpp -o cpp \$(pkg-config --cflags --libs byteformer-prepare) && ./cpp /usr/share/byteformer/models/file-types /source/README.md"
  inside "gcc -std=c99 /source/examples/classify_files.c -o c \$(pkg-config --cflags --libs byteformer-c) && ./c /usr/share/byteformer/models/file-types /source/README.md"
  step "Removed"
  inside "apt-get purge -y -qq \$(ls /dist/*.deb | xargs -n 1 basename | cut -d_ -f1) >/dev/null"
  inside "! find / -xdev -path /source -prune -o -path /dist -prune -o -path /tmp -prune -o -name '*byteformer*' -print | grep ." || fail "something is left behind"
  passed debs ", $(du -ch dist/*.deb | tail -n 1 | cut -f1) together"
}

test_image() {
  step "The container's image, by its Dockerfile's steps"
  close_root
  local tree=build/bare/image size
  scripts/run_dockerfile.py Dockerfile "$bare/pristine.tar" $tree --version 2>&1 | tee $tree.log | tail -n 20
  grep -q '^byteformer [0-9]' $tree.log || fail "the program did not start"
  mkdir $tree/image/data/in && cp examples/data/*.png $tree/image/data/in/
  mount -t proc proc $tree/image/proc  # as a container has it: the program looks there for its place
  chroot --userspec=byteformer $tree/image env -i PATH=/usr/bin byteformer classify -r /data/in --model /usr/share/byteformer/models/mnist
  umount $tree/image/proc
  size=$(du -sm --exclude=./proc --exclude=./dev $tree/image | cut -f1)
  [ "$size" -lt 150 ] || fail "the image has $size MB"
  passed image ", $size MB"
}

make_pristine
for what in $wanted; do "test_$what"; done
step "Summary"
printf '%s\n' "${summary[@]}"
for what in wheel sdist debs image; do
  case " $wanted " in *" $what "*) ;; *) echo "$what: skipped, it was not asked for" ;; esac
done
