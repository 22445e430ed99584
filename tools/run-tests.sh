#!/bin/sh
# Runs a build folder's tests and ends with their count, alone on a line: 'N passed, N failed[, N skipped]'.
#
#   tools/run-tests.sh BUILD_FOLDER [what `meson test` takes...]
#
# Fails if a test failed, and also if none ran.
set -u
build=$1
shift
log=$build/meson-logs/counted.txt

rm -f "$log"
meson test -C "$build" --no-rebuild --print-errorlogs --logbase counted "$@"
status=$?

# The log ends with meson's own summary: "Ok:   12", "Fail:   0", ...
if [ ! -f "$log" ]; then
    echo "run-tests: no test ran"
    [ $status -ne 0 ] || status=1
    exit $status
fi
awk '
    /^Ok: +[0-9]+/              { passed = $2 }
    /^Expected Fail: +[0-9]+/   { passed += $3 }
    /^Fail: +[0-9]+/            { failed = $2 }
    /^Unexpected Pass: +[0-9]+/ { failed += $3 }
    /^Timeout: +[0-9]+/         { failed += $2 }
    /^Skipped: +[0-9]+/         { skipped = $2 }
    END {
        printf "%d passed, %d failed", passed, failed
        if (skipped > 0)
            printf ", %d skipped", skipped
        printf "\n"
        exit passed == 0 || failed > 0
    }' "$log"
counted=$?
[ $status -ne 0 ] || status=$counted
exit $status
