#!/bin/sh
# Every public header compiles alone, as C17 and, where there is a C++ compiler, as C++17.
#   headers_alone.sh ROOT CC [CXX]
set -u
root=$1
cc=$2
cxx=${3-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
count=0

compile() { # LANGUAGE COMPILER FLAGS...
    language=$1
    shift
    if ! "$@" -Wall -Wextra -pedantic -Werror -I"$root/include" -fsyntax-only "$source" 2>"$work/errors"; then
        echo "<wick/$name> does not compile alone as $language:"
        cat "$work/errors"
        bad=1
    fi
}

for header in "$root"/include/wick/*.h; do
    name=${header##*/}
    count=$((count + 1))
    # Twice: the guard must hold. The typedef: C17 allows no empty file.
    source=$work/one.c
    printf '#include <wick/%s>\n#include <wick/%s>\ntypedef int one;\n' "$name" "$name" >"$source"
    compile C17 $cc -std=c17
    if [ -n "$cxx" ]; then
        cp "$source" "$work/one.cpp"
        source=$work/one.cpp
        compile C++17 "$cxx" -std=c++17
    fi
    # wick.h is all of them.
    if [ "$name" != wick.h ] && ! grep -q "^#include <wick/$name>\$" "$root/include/wick/wick.h"; then
        echo "<wick/wick.h> does not include <wick/$name>"
        bad=1
    fi
    if ! grep -q 'extern "C" {' "$header" && grep -q 'WICK_API.*(' "$header"; then
        echo "<wick/$name> declares functions outside extern \"C\""
        bad=1
    fi
done
echo "$count headers"
[ $count -gt 0 ] && [ $bad -eq 0 ]
