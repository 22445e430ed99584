# A training that fails at a checkpoint, and the same gone on with, leak nothing and touch nothing that is not theirs.
command -v valgrind >/dev/null || skip "valgrind is not installed"
mkidx tiny train=100 test=20
checked() {
    valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect,possible \
        --errors-for-leak-kinds=definite,indirect wick "$@" >/dev/null 2>log
    echo "$1: exit $?"
    sed '/^wick/d' log
}
wick train --data ./tiny --epochs 2 --no-figures --out whole >/dev/null
checked train --data ./tiny --epochs 2 --no-figures --out run --threads 2 --checkpoint-every 2 --log-steps /dev/full
checked train --resume run --no-figures --threads 3 --checkpoint-every 0.001s
same_run whole run && echo "the same"
checked train --resume run --no-figures --epochs 3
checked train --resume nowhere
