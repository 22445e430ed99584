#!/bin/sh
# Each of the checks here fails on a small tree that breaks its rule, and passes on one that does not.
#   can_fail.sh FOLDER_OF_THE_CHECKS CC
set -u
here=$1
cc=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
count=0

# A tree that is as it should be.
fresh() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree/include/wick" "$work/tree/src/base" "$work/tree/src/nn" "$work/tree/cli" \
        "$work/tree/tests/oracle/one"
    cd "$work/tree" || exit 1
    echo '#include <wick/a.h>' >include/wick/wick.h
    echo 'void *wick_a(void);' >include/wick/a.h
    printf '#include <stdlib.h>\n\nint base(void)\n{\n    return 0;\n}\n' >src/base/base.c
    echo '#include "base/base.h"' >src/nn/nn.c
    echo '#include <wick/wick.h>' >cli/main.c
    : >tests/oracle/one/make.py
}

check() { # EXPECTED WHAT SCRIPT ARGUMENTS...
    expected=$1
    what=$2
    script=$3
    shift 3
    count=$((count + 1))
    if "$here/$script" "$@" >"$work/output" 2>&1; then result=passes; else result=fails; fi
    if [ $result != "$expected" ]; then
        echo "$script $result where $what:"
        cat "$work/output"
        bad=1
    fi
}

fresh
check passes 'all is well' headers_alone.sh "$work/tree" "$cc"
check passes 'all is well' layers.sh "$work/tree"
check passes 'all is well' names.sh "$work/tree"
check passes 'all is well' sizes.sh "$work/tree"
check passes 'all is well' paths.sh "$work/tree"

fresh && echo 'size_t wick_a(void);' >include/wick/a.h
check fails 'a header lacks an include' headers_alone.sh "$work/tree" "$cc"
fresh && : >include/wick/wick.h
check fails 'wick.h lacks a header' headers_alone.sh "$work/tree" "$cc"
fresh && echo '#define WICK_API
WICK_API void *wick_a(void);' >include/wick/a.h
check fails 'a header lacks extern "C"' headers_alone.sh "$work/tree" "$cc"

fresh && echo '#include "nn/module_internal.h"' >>src/base/base.c
check fails 'base uses nn' layers.sh "$work/tree"
fresh && mkdir src/data && echo '#include "cpu/kernels.h"' >src/data/idx.c
check fails 'two layers of one rank use each other' layers.sh "$work/tree"
fresh && echo '#include <wick/run.h>' >>src/nn/nn.c
check fails 'nn uses what train declares' layers.sh "$work/tree"
fresh && echo '#include "base/base.h"' >>cli/main.c
check fails 'cli reaches past the public headers' layers.sh "$work/tree"
fresh && echo '#include <curl/curl.h>' >>src/nn/nn.c
check fails 'nn uses libcurl' layers.sh "$work/tree"
fresh && mkdir src/plot && echo '#include <pango/pangocairo.h>' >src/plot/canvas_cairo.c
check passes 'the canvas uses cairo' layers.sh "$work/tree"
fresh && mkdir src/plot && echo '#include <pango/pangocairo.h>' >src/plot/plot_bars.c
check fails 'a figure uses cairo by itself' layers.sh "$work/tree"
fresh && mkdir src/plot && echo '#include "plan/plan.h"' >src/plot/plot_bars.c
check fails 'a figure uses plans' layers.sh "$work/tree"
fresh && mkdir src/train && echo '#include <wick/plot.h>' >src/train/run.c
check fails 'training draws' layers.sh "$work/tree"

fresh && : >cli/nn.c
check fails 'a name is there twice' names.sh "$work/tree"
fresh && rm tests/oracle/one/make.py
check fails 'a fixture has no script' names.sh "$work/tree"

fresh && seq -f '/* %g */' 1 1001 >>cli/main.c
check fails 'a file is too long' sizes.sh "$work/tree"
fresh && { printf 'int long_one(\n    void)\n{\n' && seq -f '    use(%g);' 1 97 && echo '}'; } >>cli/main.c
check fails 'a function is too long' sizes.sh "$work/tree"
fresh && { printf 'int long_one(\n    void)\n{\n' && seq -f '    use(%g);' 1 96 && echo '}'; } >>cli/main.c
check passes 'a function is as long as it may be' sizes.sh "$work/tree"

fresh && printf 'cd /%s/main\n' wo'rk' >README.md
check fails 'a file names a folder of this machine' paths.sh "$work/tree"
fresh && printf 'see https://py%s/\n' 'pi.org' >README.md
check fails 'a file names a registry' paths.sh "$work/tree"

echo "$count checks"
[ $bad -eq 0 ]
