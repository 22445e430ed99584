#!/bin/sh
# Cross-compiles wick for AArch64 and runs the tests of the kernels and of the gradients in an emulator.
#
#   tools/test-aarch64.sh BUILD_FOLDER [what `meson test` takes...]
#
# Needs the packages of 'tools/install-deps.sh aarch64'; the libraries come from tools/aarch64-sysroot.sh.
set -eu
mkdir -p "$1"
build=$(cd "$1" && pwd)
shift
root=$(cd "$(dirname "$0")/.." && pwd)
sysroot=$build-sysroot

"$root/tools/aarch64-sysroot.sh" "$sysroot"
cat >"$sysroot/cross.ini" <<END
[binaries]
c = 'aarch64-linux-gnu-gcc'
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64', '-L', '$sysroot']

[properties]
pkg_config_libdir = '$sysroot/usr/lib/aarch64-linux-gnu/pkgconfig:$sysroot/usr/share/pkgconfig'
sys_root = '$sysroot'

[built-in options]
c_args = ['--sysroot=$sysroot']
c_link_args = ['--sysroot=$sysroot']

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
END
# -O2, which the kernels have anyway: at -O3 gcc 12 for AArch64 breaks down over one of the tests.
[ -f "$build/build.ninja" ] || meson setup "$build" "$root" --cross-file "$sysroot/cross.ini" -Doptimization=2 -Ddownload=disabled -Dplot=disabled
meson compile -C "$build"
QEMU_LD_PREFIX=$sysroot
export QEMU_LD_PREFIX
[ $# -gt 0 ] || set -- --suite kernel --suite grad
exec "$root/tools/run-tests.sh" "$build" --timeout-multiplier 20 "$@"
