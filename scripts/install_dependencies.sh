#!/usr/bin/env bash
# Installs what byteformer needs and this machine lacks, on Debian and Ubuntu: install_dependencies.sh
# [build|serve|train|threads|test|packages|compare|arm64]
#   build   compiler, CMake, Ninja and the libraries of the program (default)
#   serve   build, and what `byteformer serve` needs besides
#   train   build, and LibTorch for byteformer-train
#   threads serve, and what the tests under the thread sanitizer need besides
#   test    threads, train, and what the tests, the sanitizers and the fuzz targets need besides
#   packages serve, train, and what wheels and Debian's packages are made with
#   compare train, and what the benchmarks and the peers of compare.sh need besides
#   arm64   what cross-building for arm64 and testing under qemu-user need
# Elsewhere it only names what is needed. Does nothing, quickly, when all is there.
set -euo pipefail

group=${1:-build}
packages=(g++ cmake ninja-build pkg-config libhwy-dev nlohmann-json3-dev libyaml-cpp-dev libcli11-dev libfmt-dev
  libjpeg-dev libpng-dev zlib1g-dev libtiff-dev libwebp-dev libgif-dev libsndfile1-dev libmpg123-dev
  libmp3lame-dev libsoxr-dev libutf8proc-dev libarchive-dev libprotobuf-dev protobuf-compiler)
server=(libboost1.81-dev libssl-dev)
threads=(libgtest-dev libgmock-dev librapidcheck-dev python3 lld)
trainer=(libtorch-dev libgloo-dev libopenblas0-pthread)
case $group in
  build) ;;
  serve) packages+=("${server[@]}") ;;
  train) packages+=("${trainer[@]}") ;;
  threads) packages+=("${server[@]}" "${threads[@]}") ;;
  # python3-torch and python3-onnx are the judges of `byteformer export`: others must read what it writes.
  test) packages+=("${server[@]}" "${threads[@]}" "${trainer[@]}" python3-torch python3-onnx python3-dev python3-cffi
    python3-numpy mypy clang libclang-rt-dev) ;;
  packages) packages+=("${server[@]}" "${trainer[@]}" python3-dev python3-cffi python3-setuptools python3-wheel patchelf
    debhelper dh-python lintian debootstrap) ;;
  compare)
    packages+=("${trainer[@]}" libbenchmark-dev python3-torch python3-matplotlib)
    command -v npm >/dev/null || packages+=(nodejs npm) ;;
  arm64)
    for i in "${!packages[@]}"; do  # programs run here; libraries are wanted for arm64
      case ${packages[i]} in libcli11-dev) ;; lib*-dev | zlib1g-dev) packages[i]+=:arm64 ;; esac
    done
    packages+=(g++-aarch64-linux-gnu qemu-user libgtest-dev:arm64 libgmock-dev:arm64 librapidcheck-dev:arm64) ;;
  *) echo "usage: $0 [build|serve|train|threads|test|packages|compare|arm64]" >&2; exit 2 ;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  cat >&2 <<MESSAGE
This is not a Debian or Ubuntu system, so nothing was installed. byteformer needs a C++20 compiler, CMake 3.25 or newer,
Ninja, and the libraries that these packages of Debian hold, with their development files:
  ${packages[*]}
MESSAGE
  for program in c++ cmake ninja; do
    command -v "$program" >/dev/null || { echo "There is no $program here: please install the above and try again." >&2; exit 1; }
  done
  echo "A compiler, CMake and Ninja are here; going on in the hope that the libraries are too." >&2
  exit 0
fi

is_installed() {  # for the architecture that it names, else for ours
  local architecture=$(dpkg --print-architecture)
  [[ $1 != *:* ]] || architecture=${1#*:}
  dpkg-query -W -f '${db:Status-Status} ${Architecture}\n' "$1" 2>/dev/null | grep -qxE "installed (all|$architecture)"
}

missing=()
for package in "${packages[@]}"; do
  is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { printf 'Please install as root: apt-get install %s\n' "${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "Installing with apt-get: ${missing[*]}"
install() {
  ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" >"$log" 2>&1
}
log=$(mktemp); trap 'rm -f "$log"' EXIT
[ "$group" != arm64 ] || ${as_root[@]+"${as_root[@]}"} dpkg --add-architecture arm64
{ ${as_root[@]+"${as_root[@]}"} apt-get update -qq >"$log" 2>&1 && install; } || {
  cat "$log" >&2
  echo "apt-get could not install them; its messages are above." >&2
  exit 1
}
