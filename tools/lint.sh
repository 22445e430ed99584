#!/bin/sh
# clang-tidy and cppcheck over all that a build folder compiles of src/ and cli/. Fails on any finding.
#
#   tools/lint.sh BUILD_FOLDER
set -eu
build=$1
cd "$(dirname "$0")/.."

# What clang does not know of gcc's; its warnings are the build's business (-w).
mkdir -p "$build/lint"
sed 's/ -fvect-cost-model=[a-z]*//g' "$build/compile_commands.json" >"$build/lint/compile_commands.json"
sources=$(find src cli -name '*.c' | sort)
printf '%s\n' $sources | xargs -n 4 -P "$(nproc)" clang-tidy --quiet -p "$build/lint" --extra-arg=-w \
    --extra-arg=-Wno-unknown-warning-option 2>"$build/lint/counts" ||
    { grep -v 'warnings* generated' "$build/lint/counts" >&2; exit 1; }
cppcheck --quiet --project="$build/compile_commands.json" --file-filter='*/src/*' --file-filter='*/cli/*' \
    --enable=warning,performance,portability --inline-suppr \
    --suppressions-list=tools/cppcheck.suppressions --error-exitcode=1
