#!/bin/sh
# Runs CASE.sh in an empty folder and compares its exit status, stdout and stderr with CASE.exit (0 if there is no
# such file), CASE.stdout and CASE.stderr (nothing if there is none). In both the folder is called TMP.
#   run.sh CASE.sh PROGRAM TOOLS
# PROGRAM is wick; TOOLS is the folder of mkidx, mkpth and jsonget. With UPDATE=1 the files are written instead.
# A case exits with 77 to be skipped. What it writes to measured.txt is shown and not compared.
set -u
absolute() {
    case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac
}
case=$(absolute "${1%.sh}")
program=$(absolute "$2")
tools=$(absolute "$3")
here=$(cd "$(dirname "$0")" && pwd)
[ -x "$program" ] || { echo "$program is not there"; exit 99; }

tmp=$(mktemp -d) || exit 99
tmp=$(cd "$tmp" && pwd -P)
trap 'chmod -R u+rwx "$tmp" 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 99' INT TERM HUP
chmod 755 "$tmp" # for cases that become another user
mkdir "$tmp/bin" "$tmp/work" "$tmp/home"
ln -s "$program" "$tmp/bin/wick"

# Nothing of the caller's settings or data sets comes in.
unset WICK_DATA_DIR WICK_CPU XDG_CACHE_HOME NO_COLOR CDPATH
PATH=$tmp/bin:$tools:$PATH HOME=$tmp/home LC_ALL=C TERM=xterm-256color
CASES=$here
export PATH HOME LC_ALL TERM CASES
cd "$tmp/work" || exit 99
{ cat "$here/lib.sh" "$case.sh"; } >"$tmp/case.sh"
sh "$tmp/case.sh" >"$tmp/stdout.raw" 2>"$tmp/stderr.raw" </dev/null
status=$?
[ $status -eq 77 ] && { cat "$tmp/stdout.raw" "$tmp/stderr.raw"; exit 77; }

for stream in stdout stderr; do
    sed "s|$tmp/work|TMP|g; s|$tmp/home|HOME|g" "$tmp/$stream.raw" >"$tmp/$stream"
done
if [ -n "${UPDATE:-}" ]; then
    for stream in stdout stderr; do
        rm -f "$case.$stream"
        [ ! -s "$tmp/$stream" ] || cp "$tmp/$stream" "$case.$stream"
    done
    rm -f "$case.exit"
    [ $status -eq 0 ] || echo $status >"$case.exit"
    exit 0
fi

[ ! -f "$tmp/work/measured.txt" ] || cat "$tmp/work/measured.txt"
bad=0
wanted=0
[ ! -f "$case.exit" ] || wanted=$(cat "$case.exit")
[ $status -eq "$wanted" ] || { echo "exit status $status, not $wanted"; bad=1; }
for stream in stdout stderr; do
    expected=/dev/null
    [ ! -f "$case.$stream" ] || expected=$case.$stream
    diff -u --label "$stream wanted" --label "$stream got" "$expected" "$tmp/$stream" || bad=1
done
exit $bad
