#!/bin/sh
# Breaks a copy of the source tree in one place at a time, and requires that the tests turn red.
#   mutations.sh SOURCE_ROOT [JOBS | check]
# With `check` nothing is compiled: only that each still finds what it changes.
# A mutation is a file, a sed script, and the tests that should see it; at least one must fail. One that leaves its
# file as it was, or no longer compiles, is an error: it says nothing about the tests.
set -u
root=$1
jobs=${2:-$(nproc)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

tree=$work/tree
build=$work/build
export WICK_TEST_SOURCE="$tree/tests" WICK_TEST_BUILD="$build"
# The same numbers for every mutation and for the tree as it is; another seed is another run's.
export WICK_TEST_SEED="${WICK_TEST_SEED:-$(date +%s)}"
# Each test's time, in seconds; a test that hangs is red.
limit=200

kernels='kernel/kernel_conv2d kernel/kernel_conv2d_weight kernel/kernel_winograd kernel/kernel_max_pool2d kernel/kernel_fused_pool
    kernel/kernel_winograd_gradient kernel/kernel_conv2d_turned kernel/kernel_elementwise
    kernel/kernel_linear kernel/kernel_cross_entropy grad/grad_layers grad/grad_norms grad/grad_train_path'
others='unit/unit_eval_passes unit/unit_flipped_outputs unit/unit_folder_pictures unit/unit_loader_batches unit/unit_loader_place unit/unit_format_pickle unit/unit_format_pth
    unit/unit_format_zip unit/unit_generator unit/unit_loader_transforms oracle/oracle_dataloader
    oracle/oracle_torch_pth oracle/oracle_random_numbers oracle/oracle_layers oracle/oracle_optimizers
    oracle/oracle_image_transforms'
all="$kernels $others"

die() {
    echo "mutations: $*"
    exit 1
}

compile() { # TESTS...
    ninja -C "$build" -j "$jobs" $(printf 'tests/%s ' "$@") >"$work/compiled" 2>&1
}

# The tests that fail, a name each.
failing() { # TESTS...
    for name in "$@"; do
        (cd "$build" && timeout "$limit" "tests/$name") >"$work/output" 2>&1 || printf '%s ' "${name##*/}"
    done
}

count=0
survived=0
mutation() { # WHAT FILE SED_SCRIPT TESTS...
    what=$1
    file=$tree/$2
    script=$3
    shift 3
    count=$((count + 1))
    for name in "$@"; do
        echo $all | grep -qw -e "$name" || die "$what: $name is not among the tests that must be green before"
    done
    cp -p "$file" "$work/whole" || die "$what: there is no such file"
    sed "$script" "$work/whole" >"$file" || die "$what: sed failed"
    ! cmp -s "$work/whole" "$file" || die "$what: the mutation finds nothing to change in ${file#"$tree"/}"
    if [ "$jobs" = check ]; then
        cp "$work/whole" "$file"
        return
    fi
    compile "$@" || { cat "$work/compiled"; die "$what: it does not compile"; }
    caught=$(failing "$@")
    if [ -n "$caught" ]; then
        echo "$what: caught by ${caught% }"
    else
        echo "$what: SURVIVED ($*)"
        survived=$((survived + 1))
    fi
    cp "$work/whole" "$file"
}

[ "$(git -C "$root" rev-parse --is-inside-work-tree 2>/dev/null)" = true ] || {
    echo 'skipped: the sources are no git checkout, which says what belongs to them'
    exit 77
}
mkdir "$tree" || exit 1
(cd "$root" && git ls-files -z --cached --others --exclude-standard) >"$work/files" || die 'git ls-files failed'
(cd "$root" && tar --null --ignore-failed-read -cf - -T "$work/files" 2>"$work/tar") | (cd "$tree" && tar -xf -) ||
    die 'the tree was not copied'
start() { # builds the tree as it is, which must be green
    meson setup "$build" "$tree" --buildtype=debugoptimized -Ddownload=disabled -Dplot=disabled >"$work/compiled" 2>&1 ||
        { cat "$work/compiled"; die 'meson setup failed'; }
    echo "WICK_TEST_SEED=$WICK_TEST_SEED"
    compile $all || { cat "$work/compiled"; die 'the tree as it is does not compile'; }
    red=$(failing $all)
    [ -z "$red" ] || die "red before anything was broken: $red"
    echo "as it is: $(echo $all | wc -w) tests green"
}
[ "$jobs" = check ] || start

mutation 'conv2d keeps only the last product' src/cpu/conv2d.c \
    's/sum\[c\]\[x\]\[v\] +=/sum[c][x][v] =/' \
    kernel/kernel_conv2d grad/grad_layers oracle/oracle_layers
mutation 'winograd keeps only the last channel' src/cpu/conv2d_winograd.c \
    's/sum\[s\]\[c\]\[v\] += w \* x\[s\]\[v\]/sum[s][c][v] = w * x[s][v]/' \
    kernel/kernel_winograd grad/grad_layers
mutation 'winograd does not turn the kernel for the gradient' src/cpu/winograd_weights.c \
    's/flip ? -WKI_LANES : WKI_LANES/WKI_LANES/; s/flip ? area - 1 : 0/0/' \
    kernel/kernel_winograd grad/grad_layers
mutation 'conv2d_weight subtracts' src/cpu/conv2d_weight.c \
    's/sum\[i\]\[j\] += d\[i\] \* pixel/sum[i][j] -= d[i] * pixel/' \
    kernel/kernel_conv2d_weight grad/grad_layers
mutation 'max_pool2d_backward drops the mask of the ReLU' src/cpu/max_pool2d.c \
    's/if (call->mask)/if (false)/' \
    kernel/kernel_max_pool2d grad/grad_layers
mutation 'winograd_gradient adds where it should subtract, tiles of 2x2' src/cpu/winograd.h \
    's/0.5f \* difference/0.5f * sum/' \
    kernel/kernel_winograd_gradient grad/grad_layers
mutation 'winograd_gradient adds where it should subtract, tiles of 4x4' src/cpu/winograd.h \
    's/difference - POINT_A/difference + POINT_A/' \
    kernel/kernel_winograd_gradient grad/grad_layers
mutation 'a 4x4 tile forgets a point' src/cpu/winograd.h \
    's/difference + RATIO \* difference_b/difference/' \
    kernel/kernel_winograd grad/grad_layers
mutation 'the turned gradient keeps only the last product' src/cpu/turned.h \
    's/sum\[b\]\[c\]\[v\] += w \* x\[b\]\[v\]/sum[b][c][v] = w * x[b][v]/' \
    kernel/kernel_conv2d_turned kernel/kernel_winograd_gradient grad/grad_layers
mutation 'the gradient of few channels forgets the tiles before' src/cpu/conv2d_winograd_few.c \
    's/tiles, first > 0);/tiles, false);/' \
    kernel/kernel_winograd_gradient
mutation 'a Linear of few features leaves the bias out' src/cpu/linear_few.h \
    's/sum\[r\]\[v\] + load(bias + v \* VW)/sum[r][v]/' \
    kernel/kernel_linear
mutation 'a long Linear takes the first vector of a turn of its loop for all' src/cpu/linear.c \
    's/dot_block(sum, input, weight, i + k, nr/dot_block(sum, input, weight, i, nr/' \
    kernel/kernel_linear
mutation 'of largest logits that are the same the last one is the prediction' src/cpu/cross_entropy.c \
    's/for (int c = p->classes - 1; c >= 0; c--)/for (int c = 0; c < p->classes; c++)/' \
    kernel/kernel_cross_entropy
mutation 'the weights of a first layer of pixels are updated by the last part of a batch alone' src/cpu/linear_weight.c \
    's/load(before + (o \* 2 + v) \* VW) + sum/sum/' \
    kernel/kernel_linear
mutation 'taps that are next to each other read the same column' src/cpu/conv2d.c \
    's/w \* pixel\[x + k\]\[v\]/w * pixel[x][v]/' \
    kernel/kernel_conv2d
mutation 'images that are flipped at test time are not, with columns in the lanes' src/plan/plan_flip.c \
    's/value->lanes && r < rows/value->lanes \&\& !plan->columns \&\& r < rows/' \
    unit/unit_flipped_outputs
mutation 'a gradient takes the place of data that have another name' src/plan/plan.c \
    's/ || v->alias_of >= 0//' \
    grad/grad_train_path
mutation 'the same half tile is stored twice, masked by itself' src/cpu/winograd_output.h \
    's/if (at\[0\].y == at\[1\].y/if (false \&\& at[0].y == at[1].y/' \
    kernel/kernel_winograd grad/grad_train_path
mutation 'a gradient goes through a ReLU that gave 0, where a convolution pools' src/cpu/winograd_output.h \
    's/taken &= ~(most <= 0.0f)/taken \&= ~0/' \
    kernel/kernel_fused_pool grad/grad_train_path
mutation 'a window of a gradient that is read through a pooling is a row too low' src/cpu/winograd.h \
    's/(i \/ 2 - 1) \* s.plane.row/i \/ 2 * s.plane.row/' \
    kernel/kernel_fused_pool grad/grad_train_path
mutation 'the grids of a dilation pool each for itself' src/plan/plan.c \
    's/op->layer->as.conv2d.dilation.h != 1/false/; s/op->layer->as.conv2d.dilation.w != 1/false/' \
    grad/grad_train_path
mutation 'several batches are evaluated as one where each has statistics of its own' src/plan/plan_run.c \
    's/ || uses_batch(plan))/)/' \
    unit/unit_eval_passes
mutation 'the held out pictures are the first by their names' src/data/folder_scan.c \
    's/x->hash != y->hash/false/' \
    unit/unit_folder_pictures
mutation 'sum_parts leaves the last part out' src/cpu/elementwise.c \
    's/p < part_count; p++/p + 1 < part_count; p++/' \
    kernel/kernel_elementwise grad/grad_layers
mutation 'the gradient of a normalisation forgets the weights' src/cpu/group_norm.c \
    's/product\[v\] += normal\[v\] \* weight\[v\]/product[v] += normal[v]/' \
    grad/grad_norms oracle/oracle_layers
mutation 'adam does not correct its first steps' src/cpu/updates.c \
    's/rates.root_scale, sqrtf(v)/1.0f, sqrtf(v)/' \
    oracle/oracle_optimizers
mutation 'all images are cropped and flipped alike' src/data/transform.c \
    's/(uint64_t)index \* /(uint64_t)(index * 0) * /' \
    unit/unit_loader_transforms oracle/oracle_image_transforms
mutation 'the loader begins every batch but the first one too early' src/data/loader.c \
    's/\*indices = order + loader->next;/*indices = order + loader->next - (loader->next > 0);/' \
    unit/unit_loader_batches unit/unit_loader_place oracle/oracle_dataloader
mutation 'the unpickler takes any global, os.system too' src/format/pickle_rebuild.c \
    '/^wick_status wki_pickle_global(/,/^}/s/^ *char quoted\[2\].*/    if (name_length > 0)\
        return wki_pickle_push(pickle, (wki_value){.kind = WKI_VALUE_GLOBAL, .integer = ORDERED_DICT});\
&/' \
    unit/unit_format_pickle unit/unit_format_pth oracle/oracle_torch_pth
mutation 'zip believes any CRC' src/format/zip.c \
    's/if (crc != entry->crc)/if (false)/' \
    unit/unit_format_zip unit/unit_format_pth oracle/oracle_torch_pth
mutation 'manual_seed does not use the seed' src/tensor/random.c \
    '/^void wick_manual_seed(/,/^}/s/, seed);/, WICK_DEFAULT_SEED);/' \
    unit/unit_generator oracle/oracle_random_numbers oracle/oracle_dataloader

if [ "$jobs" = check ]; then
    echo "$count mutations find what they change"
    exit 0
fi
compile $all || die 'the tree as it was does not compile any more'
echo "$count mutations, $((count - survived)) caught, $survived survived"
[ "$survived" -eq 0 ]
