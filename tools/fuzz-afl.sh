#!/bin/sh
# Runs AFL++ on each fuzz target of a build folder for a while, from the corpus in tests/fuzz/corpus.
#
#   tools/fuzz-afl.sh BUILD_FOLDER SECONDS [TARGET...]
#
# The build folder is one of CC=afl-clang-fast with -Dfuzz=true, as `make fuzz-afl` makes it: AFL++ brings its own main()
# for libFuzzer's targets. What it finds is kept in BUILD_FOLDER/afl/TARGET, where the next run goes on.
set -eu
build=$1
seconds=$2
shift 2
cd "$(dirname "$0")/.."

# afl-fuzz reads crashes itself and asks for no setting of the machine.
export AFL_NO_UI=1 AFL_QUIET=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1
export ASAN_OPTIONS=abort_on_error=1:symbolize=0:detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=256
export UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:symbolize=0

[ $# -gt 0 ] || set -- $(find "$build/tests/fuzz" -maxdepth 1 -type f -perm -u+x -name 'fuzz_*' | sed 's|.*/fuzz_||' | sort)
[ $# -gt 0 ] || { echo "fuzz-afl: no target in $build/tests/fuzz" >&2; exit 1; }
broken=0
for name in "$@"; do
    out=$build/afl/$name
    seeds=tests/fuzz/corpus/$name
    mkdir -p "$out"
    [ ! -f "$out/default/fuzzer_stats" ] || seeds=-
    echo "fuzz-afl $name: $seconds seconds"
    afl-fuzz -V "$seconds" -m none -t 5000 -i "$seeds" -o "$out" -- "$build/tests/fuzz/fuzz_$name" >"$out/log" 2>&1 ||
        { tail -n 20 "$out/log"; exit 1; }
    awk -F ' *: *' '/^(execs_done|corpus_count|edges_found|saved_crashes|saved_hangs) / { printf "  %s: %s\n", $1, $2 }
        /^saved_(crashes|hangs) / { bad += $2 }
        END { exit bad > 0 }' "$out/default/fuzzer_stats" || broken=$((broken + 1))
done
echo "fuzz-afl: $# targets, $broken of them broke"
[ $broken -eq 0 ]
