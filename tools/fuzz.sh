#!/bin/sh
# Runs each libFuzzer target of a build folder for a while, from the corpus in tests/fuzz/corpus.
#
#   tools/fuzz.sh BUILD_FOLDER SECONDS [TARGET...]
#
# What it finds on the way is kept in BUILD_FOLDER/corpus; an input that breaks a target in BUILD_FOLDER/broken.
set -eu
build=$1
seconds=$2
shift 2
cd "$(dirname "$0")/.."

# More than this at once is refused, as on a small machine: an input may ask for it, and must be told.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}allocator_may_return_null=1:max_allocation_size_mb=256"

[ $# -gt 0 ] || set -- $(find "$build/tests/fuzz" -maxdepth 1 -type f -perm -u+x -name 'fuzz_*' | sed 's|.*/fuzz_||' | sort)
ran=0
for name in "$@"; do
    program=$build/tests/fuzz/fuzz_$name
    mkdir -p "$build/corpus/$name" "$build/broken"
    echo "fuzz $name: $seconds seconds"
    "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1 \
        -artifact_prefix="$build/broken/$name-" "$build/corpus/$name" "tests/fuzz/corpus/$name"
    ran=$((ran + 1))
done
if [ $ran -eq 0 ]; then
    echo "fuzz: no target in $build/tests/fuzz" >&2
    exit 1
fi
echo "fuzz: $ran targets, nothing broke"
