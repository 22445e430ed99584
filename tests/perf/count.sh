#!/bin/sh
# Counts the instructions of some training steps with callgrind, and fails above the bound that bounds.txt has.
#   count.sh COUNT_STEPS MODEL
# With UPDATE=1 the bound is written anew. Exits with 77 where it cannot be counted.
set -u
program=$1
model=$2
bounds=$(dirname "$0")/bounds.txt
slack_percent=5

command -v valgrind >/dev/null || { echo "skipped: there is no valgrind here"; exit 77; }
# shellcheck disable=SC2046
set -- $(grep "^$model " "$bounds")
[ $# -eq 3 ] || { echo "bounds.txt has no line '$model STEPS BOUND'"; exit 1; }
steps=$2
bound=$3

# Plain x86-64-v3: valgrind knows no AVX-512.
WICK_CPU=x86-64-v3 "$program" "$model" 1 || { status=$?; echo "cannot be run here (exit $status)"; exit $status; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
WICK_CPU=x86-64-v3 valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=measured_steps \
    "$program" "$model" "$steps" >"$log" 2>&1 || { cat "$log"; exit 1; }
count=$(sed -n 's/^==.*Collected : //p' "$log")
[ "${count:-0}" -gt 0 ] 2>/dev/null || { cat "$log"; echo "callgrind counted nothing"; exit 1; }

if [ -n "${UPDATE:-}" ]; then
    bound=$((count + count * slack_percent / 100))
    sed "s/^$model .*/$model $steps $bound/" "$bounds" >"$log" && cat "$log" >"$bounds"
fi
echo "$model: $steps steps take $count instructions; the bound is $bound"
if [ "$count" -gt "$bound" ]; then
    echo "that is $(((count - bound) * 100 / bound + 1)) % above the bound: something has become slower."
    echo "If that is meant, see the head of tests/perf/bounds.txt."
    exit 1
fi
if [ $((count * 100)) -lt $((bound * 85)) ]; then
    echo "(The bound could be lowered: UPDATE=1.)"
fi
