# A bar on a terminal, and none elsewhere; colours only where they are wanted.
command -v script >/dev/null || skip "script is not installed"
mkidx tiny train=64 test=32 side=4
on_terminal() {
    script -qec "stty cols 100; $*" /dev/null </dev/null >seen
}
on_terminal "wick train --data ./tiny --model v0 --epochs 1 --out one 2>&1 >/dev/null"
grep -q 'Epoch 0, training: 100%' seen && grep -q '2/2 \[00:00<00:00' seen && echo "a bar"
grep -q "$(printf '\033\\[32m')" seen && echo "in colour"
tail -c 4 seen | od -An -c | tr -s ' '
on_terminal "NO_COLOR=1 wick train --data ./tiny --model v0 --epochs 1 --out two 2>&1 >/dev/null"
grep -q 'Epoch 0, training: 100%' seen && echo "a bar"
grep -q "$(printf '\033\\[[0-9]*m')" seen || echo "without colour"
on_terminal "TERM=dumb wick train --data ./tiny --model v0 --epochs 1 --out three 2>&1 >/dev/null"
[ ! -s seen ] && echo "none on a dumb terminal"
wick train --data ./tiny --model v0 --epochs 1 --out four 2>err >/dev/null
[ ! -s err ] && echo "none in a file"
