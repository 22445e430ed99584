#!/bin/sh
# Unpacks the AArch64 libraries that wick and its tests need into a folder, from the system's own package sources. Nothing is
# installed, no setting of the system is changed, and no rights are needed.
#
#   tools/aarch64-sysroot.sh FOLDER
set -eu
folder=$1
packages="libc6-dev libcmocka-dev libdeflate-dev libjansson-dev nettle-dev libpng-dev libjpeg62-turbo-dev"
stamp="$folder/complete"

if [ "$(cat "$stamp" 2>/dev/null)" = "$packages" ]; then
    exit 0
fi
rm -rf "$folder"
mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial"
folder=$(cd "$folder" && pwd)
: >"$folder/apt/status"
# An apt of its own that believes it is on an AArch64 machine with nothing installed.
apt() {
    apt-get -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::status="$folder/apt/status" \
        -o Dir::State::lists="$folder/apt/lists" -o Dir::Cache="$folder/apt/cache" -o Dir::Cache::archives=archives \
        -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" "$@" >>"$folder/apt/log" 2>&1 || {
        tail "$folder/apt/log" >&2
        echo "aarch64-sysroot: apt-get $1 failed" >&2
        exit 1
    }
}
apt update
# shellcheck disable=SC2086
apt install --download-only --no-install-recommends -y $packages
for package in "$folder"/apt/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$folder"
done
[ -e "$folder/lib/ld-linux-aarch64.so.1" ] || { echo "aarch64-sysroot: there is no C library in it" >&2; exit 1; }
rm -rf "$folder/apt/cache" "$folder/apt/lists"
echo "$packages" >"$stamp"
