#!/bin/sh
# clang-tidy and cppcheck over all that a build folder compiles of src/ and cli/. Fails on any finding.
#
#   tools/lint.sh BUILD_FOLDER
set -eu
build=$1
cd "$(dirname "$0")/.."

sources=$(find src cli -name '*.c' | sort)
# -w: the compiler's own warnings are the build's business.
printf '%s\n' $sources | xargs -n 1 -P "$(nproc)" clang-tidy --quiet -p "$build" --extra-arg=-w --extra-arg=-Wno-unknown-warning-option
cppcheck --quiet --project="$build/compile_commands.json" --file-filter='*/src/*' --file-filter='*/cli/*' \
    --enable=warning,performance,portability --inline-suppr \
    --suppressions-list=tools/cppcheck.suppressions --error-exitcode=1
