# SIGINT stops after the step at hand; the model of the last whole epoch is on disk and can be evaluated.
mkidx tiny train=64 test=32 side=4
wait_for() {
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
        [ ! -s "$1" ] || return 0
        sleep 0.2
    done
    echo "$1 did not come"
}
train() { # SIGNAL FOLDER
    # A script's background job ignores SIGINT; timeout's child does not.
    timeout --preserve-status -s "$1" 60 wick train --data ./tiny --model v0 --epochs 1000000 --out "$2" >/dev/null 2>err &
    wait_for "$2/results.csv"
    kill -"$1" $!
    wait $!
    echo "SIG$1: exit $?"
    sed -E 's/epoch [0-9]+/epoch N/' err
    wick eval "$2" --json | jsonget model_name
    ls "$2"
}
train INT one
train TERM two
try wick compare one
