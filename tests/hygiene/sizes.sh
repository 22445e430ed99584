#!/bin/sh
# A file of src/ or cli/ has at most 1,000 lines, a function in it at most 100. Functions are found as the code
# is laid out (Linux braces): a body opens with '{' and ends with '}' in the first column. The lines of a
# function are counted from its first line, where its type or name is, to its last.
#   sizes.sh ROOT
set -u
root=$1
cd "$root" || exit 1

files=$(find src cli include -name '*.[ch]' 2>/dev/null | sort)
[ -n "$files" ] || { echo "no sources in $root"; exit 1; }
# shellcheck disable=SC2086
awk -v longest_file=1000 -v longest_function=100 '
    function end_of_file() {
        if (lines > longest_file) {
            printf "%s: %d lines; at most %d\n", file, lines, longest_file
            bad = 1
        }
    }
    FNR == 1 {
        end_of_file()
        file = FILENAME
        start = 0
        inside = 0
    }
    { lines = FNR }
    inside && /^}/ {
        functions++
        length_ = FNR - start + 1
        if (length_ > longest_function) {
            printf "%s:%d: %s: %d lines; at most %d\n", FILENAME, start, signature, length_, longest_function
            bad = 1
        }
        inside = 0
        start = 0
        next
    }
    inside { next }
    /^{/ {
        inside = 1
        if (start == 0)
            start = FNR
        next
    }
    # The lines before the brace that belong to the signature: since the last blank line, comment, statement.
    /^[A-Za-z_]/ && start == 0 {
        start = FNR
        signature = $0
        sub(/\(.*/, "", signature)
    }
    /^$/ || /;[ \t]*$/ || /^[#}]/ || /\*\/[ \t]*$/ { start = 0 }
    END {
        end_of_file()
        printf "%d functions\n", functions
        exit bad || functions == 0
    }' $files
