#!/bin/sh
# Installs what is missing of the Debian packages that the named groups of work need, and says so beforehand.
#
#   tools/install-deps.sh [--list] GROUP...
#
# Groups: build run test demo lint format coverage fuzz afl aarch64 avx512. With --list it only prints the packages.
set -eu

packages_of() {
    case $1 in
    build) echo gcc libc6-dev meson ninja-build pkg-config libdeflate-dev nettle-dev \
        libpng-dev libjpeg62-turbo-dev libcurl4-openssl-dev libcairo2-dev libpango1.0-dev ;;
    run) echo libpng16-16 libjpeg62-turbo libcurl4 libcairo2 libpangocairo-1.0-0 fonts-dejavu-core ;;
    test) echo binutils g++ libcmocka-dev libjansson-dev dataset-fashion-mnist valgrind ;;
    demo) echo dataset-fashion-mnist ;;
    format) echo clang-format ;;
    lint) echo clang-format clang-tidy cppcheck ;;
    coverage) echo gcovr ;;
    aarch64) echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user ;;
    avx512) echo bochs bochsbios vgabios grub-pc-bin grub-common xorriso mtools cpio ;;
    fuzz) echo clang libclang-rt-dev llvm ;;
    afl) echo afl++ ;;
    *)
        echo "install-deps: no group '$1'; there are: build run test demo lint format coverage fuzz afl aarch64 avx512" >&2
        exit 2
        ;;
    esac
}

is_installed() {
    [ "$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null)" = 'install ok installed' ]
}

list_only=false
if [ "${1-}" = --list ]; then
    list_only=true
    shift
fi
if [ $# -eq 0 ]; then
    echo "usage: tools/install-deps.sh [--list] GROUP..." >&2
    exit 2
fi

wanted=
for group in "$@"; do
    packages=$(packages_of "$group")
    wanted="$wanted $packages"
done
wanted=$(printf '%s\n' $wanted | sort -u | tr '\n' ' ')
wanted=${wanted% }
if $list_only; then
    echo "$wanted"
    exit 0
fi

if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
    echo "install-deps: there is no apt-get here; where the build then misses something, install by hand what" >&2
    echo "install-deps: Debian calls: $wanted" >&2
    exit 0
fi

missing=
for package in $wanted; do
    is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "about to install:$missing"
sudo=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "install-deps: this needs root or sudo; as root: apt-get install$missing" >&2
        exit 1
    fi
    sudo='sudo'
fi
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q update
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $missing
