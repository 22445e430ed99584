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

# Two runs whose models and results are the same to the byte, but for times and the number of threads.
same_run() {
    cmp "$1/model.pth" "$2/model.pth" || return
    for run in "$1" "$2"; do
        for file in results.json results.csv; do
            sed -E 's/"(seconds|train_time|threads)": [0-9.e-]+/"\1": N/g; /^[0-9]/s/,[^,]*$//' \
                "$run/$file" >"same.$(echo "$run" | tr / _).$file"
        done
    done
    for file in results.json results.csv; do
        cmp "same.$(echo "$1" | tr / _).$file" "same.$(echo "$2" | tr / _).$file" || return
    done
}

# Waits until the file is there and not empty.
wait_for() {
    for wait_i in $(seq 300); do
        [ ! -s "$1" ] || return 0
        sleep 0.02
    done
    echo "$1 did not come"
}

# Starts wick in the background as $wick_pid, with SIGINT not ignored as a script's background jobs have it.
start_wick() {
    timeout --preserve-status -s KILL 300 wick "$@" &
    wick_pid=$!
}

# A list of files without those that only a build with cairo and pango draws, and the page with them.
without_pictures() {
    sed '/\.png$/d; /\.svg$/d; /report\.html$/d'
}

holds() { # RECIPE SEED LEAST: a recipe's accuracy, which becomes $accuracy
    wick train --recipe $1 --seed $2 --no-figures --out $1-$2 >/dev/null 2>&1
    accuracy=$(jsonget accuracy <$1-$2/results.json)
    echo "$1, seed $2: $accuracy% in $(jsonget train_time <$1-$2/results.json) s" >>measured.txt
    awk -v a="$accuracy" -v least=$3 'BEGIN { exit !(a >= least) }' || echo "$1, seed $2: $accuracy%, less than $3%"
}
