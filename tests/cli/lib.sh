# What every case begins with.

# Runs a command and writes it, what it says and its exit status as a transcript.
try() {
    printf '$'
    for word in "$@"; do
        case $word in *[\ \(\)\;\&\|\'\<\>]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    printf '\n'
    "$@" 2>&1
    try_status=$?
    printf -- '-> exit %d\n' $try_status
}

# Figures that differ from run to run: seconds.
without_seconds() {
    sed -E 's/[0-9]+\.[0-9]+ seconds/N seconds/; s/"(seconds|train_time)": [0-9.e-]+/"\1": N/g'
}

# Figures with a fraction that depend on the last bit of a sum.
without_figures() {
    sed -E 's/[0-9]+\.[0-9]+%?/N/g; s/ +N/ N/g'
}

skip() {
    echo "skipped: $*"
    exit 77
}

need_fashion_mnist() {
    [ -f /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz ] ||
        skip "Fashion-MNIST is not in /usr/share/datasets/fashion-mnist"
}

# A path that is there, or a line that says it is not.
expect_file() {
    for path in "$@"; do
        [ -e "$path" ] || echo "missing: $path"
    done
}
