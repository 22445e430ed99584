#!/bin/sh
# What `meson install` lays down is enough: a program is built against it with pkg-config, shared and static, and runs;
# the manual page and the completions are there.
#   installed.sh BUILD CC
set -u
build=$1
cc=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

meson install -C "$build" --no-rebuild --quiet --destdir "$work/root" >"$work/log" 2>&1 || {
    cat "$work/log"
    exit 1
}
pc=$(find "$work/root" -name wick.pc)
[ -n "$pc" ] || { echo "wick.pc is not installed"; exit 1; }
# The installed prefix, seen below the staging folder.
export PKG_CONFIG_PATH="${pc%/*}"
prefix=$work/root$(sed -n 's/^prefix=//p' "$pc")
flags() {
    pkg-config --define-variable=prefix="$prefix" "$@" wick
}

bad=0
cat >"$work/use.c" <<'END'
#include <stdio.h>
#include <wick/wick.h>

int main(void)
{
    wick_context *context;
    wick_module *layer;
    if (wick_context_new(&context) != WICK_OK || wick_layer_parse(context, "Linear(3, 2)", &layer) != WICK_OK)
        return 1;
    printf("%s %d\n", wick_version(), (int)wick_module_parameter_count(layer));
    wick_module_free(layer);
    wick_context_free(context);
    return 0;
}
END
expected="$(flags --modversion) 8"
check() { # WHAT PROGRAM
    got=$("$2" 2>&1)
    if [ "$got" != "$expected" ]; then
        echo "the $1 program prints '$got', not '$expected'"
        bad=1
    fi
}
library_folder=$(find "$prefix" -name libwick.so -exec dirname {} \;)
# shellcheck disable=SC2046
if $cc "$work/use.c" $(flags --cflags --libs) -o "$work/shared"; then
    LD_LIBRARY_PATH=$library_folder check shared "$work/shared"
else
    bad=1
fi
# shellcheck disable=SC2046
if $cc "$work/use.c" $(flags --cflags) "$library_folder/libwick.a" $(flags --libs --static | sed 's/-lwick / /') \
    -o "$work/static"; then
    check static "$work/static"
else
    bad=1
fi

for file in bin/wick share/man/man1/wick.1 share/bash-completion/completions/wick share/zsh/site-functions/_wick \
    share/fish/vendor_completions.d/wick.fish; do
    [ -s "$prefix/$file" ] || { echo "$file is not installed"; bad=1; }
done
[ $bad -eq 0 ]
