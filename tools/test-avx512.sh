#!/bin/sh
# Runs the kernels' tests, and a training step, on an emulated processor that has AVX-512: Bochs, a whole machine with a
# Linux of its own, since no emulator of single programs in Debian 12 knows AVX-512 (qemu-user 7.2 and valgrind do not).
#
#   tools/test-avx512.sh BUILD_FOLDER [TEST...]       TEST: kernel_conv2d, ...; all of tests/kernel by default
#
# Needs the packages of 'tools/install-deps.sh avx512' and a build without sanitizers. Linux and its shell come from the
# system's package sources and are unpacked into BUILD_FOLDER-avx512, not installed. It takes about ten minutes. Ends with
# 'N passed, N failed'.
set -eu
build=$(cd "$1" && pwd)
shift
work=$build-avx512
limit=5400

mkdir -p "$work/packages" "$work/iso/boot/grub"
fetch() { # a Linux for virtual machines, which is small, and a shell in one file
    linux=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2; exit }')
    (cd "$work/packages" && apt-get -q -o APT::Sandbox::User=root download "$linux" busybox-static)
    for package in "$work"/packages/*.deb; do
        dpkg-deb -x "$package" "$work/packages"
    done
}
[ -x "$work/packages/bin/busybox" ] || fetch
cp "$work"/packages/boot/vmlinuz-* "$work/iso/boot/vmlinuz"

# ---- the disk that it starts from ----
root=$work/root
rm -rf "$root"
mkdir -p "$root/bin" "$root/proc" "$root/dev" "$root/tests" "$root/tmp"
cp "$work/packages/bin/busybox" "$root/bin/"
add() { # a program with its libraries
    strip -o "$root/tests/${1##*/}" "$1"
    ldd "$1" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[ \t]*\(\/[^ ]*\) .*/\1/p' | while read -r library; do
        mkdir -p "$root${library%/*}"
        cp -Ln "$library" "$root$library"
    done
}
[ $# -gt 0 ] || set -- $(cd "$build/tests/kernel" && find . -maxdepth 1 -type f -perm -u+x -name 'kernel_*' | sed 's|^\./||' | sort)
for test in "$@"; do
    add "$build/tests/kernel/$test"
done
add "$build/tests/perf/count_steps"
cat >"$root/init" <<'END'
#!/bin/busybox sh
busybox=/bin/busybox
$busybox mount -t proc proc /proc
$busybox mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1
cd /tests
run() {
    echo "== run $*"
    "$@"
    echo "== exit $?"
}
# That these kernels can be had at all, and that a step of training runs with them.
export WICK_CPU=x86-64-v4
run ./count_steps v2 1
unset WICK_CPU
for test in kernel_*; do
    run "./$test"
done
echo "== end"
$busybox sleep 1
$busybox poweroff -f
END
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip >"$work/iso/boot/initrd.gz")
# Bochs 2.7 gives a wrong size for the compacted form of the registers' state: Linux then does without any of it.
cat >"$work/iso/boot/grub/grub.cfg" <<'END'
set timeout=0
menuentry tests {
    linux /boot/vmlinuz console=ttyS0 quiet clearcpuid=xsaves,xsavec nosmp mitigations=off no_timer_check lpj=1000000 panic=-1
    initrd /boot/initrd.gz
}
END
grub-mkrescue -o "$work/disk.iso" "$work/iso" >"$work/mkrescue.log" 2>&1 || { cat "$work/mkrescue.log"; exit 1; }

# ---- the machine ----
cat >"$work/bochsrc" <<END
cpu: model=corei7_skylake_x, count=1, ips=200000000, reset_on_triple_fault=0, ignore_bad_msrs=1
megs: 512
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path=$work/disk.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/output
display_library: rfb, options="timeout=0"
sound: waveoutdrv=dummy, waveindrv=dummy
log: $work/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
END
# Debian's is built with its debugger, which waits to be told to go on.
echo c >"$work/go"
rm -f "$work/output"
echo "starting an emulated Skylake-X; $work/output is what it says"
timeout "$limit" bochs -q -f "$work/bochsrc" -rc "$work/go" </dev/null >"$work/bochs.out" 2>&1 || true

# ---- what came of it ----
[ -f "$work/output" ] || { cat "$work/bochs.out"; exit 1; }
tr -d '\r' <"$work/output" | grep -v '^\[ ' || true
tr -d '\r' <"$work/output" | awk -v wanted=$(($# + 1)) '
    /^== exit 0$/ { passed++ }
    /^== end$/ { ended = 1 }
    END {
        if (!ended)
            print "the machine did not come to the end"
        printf "%d passed, %d failed\n", passed, wanted - passed
        exit passed != wanted
    }'
