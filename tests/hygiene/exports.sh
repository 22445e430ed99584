#!/bin/sh
# The shared library exports what the public headers declare, all of it and nothing else.
#   exports.sh ROOT LIBRARY
set -u
root=$1
library=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

nm -D --defined-only "$library" | awk '{ print $3 }' | sed 's/@.*//' | sort -u >"$work/all"
[ -s "$work/all" ] || { echo "$library exports nothing"; exit 1; }
# What the sanitizers and coverage add is not ours.
grep -vE '^(__asan_|__odr_asan|__tsan_|__ubsan_|__gcov_|__llvm_|mangle_path$|_init$|_fini$)' "$work/all" >"$work/exported"

bad=0
if grep -v '^wick_' "$work/exported" >"$work/others"; then
    echo "exported, though not wick_:"
    cat "$work/others"
    bad=1
fi
# WICK_API ... name(, also where the declaration is broken before the name.
cat "$root"/include/wick/*.h | grep -v '^#' | tr '\n' ' ' | grep -oE 'WICK_API [^;]*;' |
    sed -E 's/^[^(]*[^a-z0-9_(](wick_[a-z0-9_]+)\(.*/\1/' | sort -u >"$work/declared"
if [ -n "$(comm -23 "$work/declared" "$work/exported")" ]; then
    echo "declared in include/wick/ but not exported:"
    comm -23 "$work/declared" "$work/exported"
    bad=1
fi
if [ -n "$(comm -13 "$work/declared" "$work/exported" | grep '^wick_')" ]; then
    echo "exported but declared in no public header:"
    comm -13 "$work/declared" "$work/exported" | grep '^wick_'
    bad=1
fi
# The build links it with what is missing allowed, so that a part can be tested before another is written.
if nm -D --undefined-only "$library" | grep -E ' (wick|wki)_'; then
    echo "^ used but defined nowhere"
    bad=1
fi
echo "$(wc -l <"$work/declared") functions declared"
[ $bad -eq 0 ]
