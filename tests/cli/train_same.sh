# One seed gives one result: whatever the number of threads, run after run, with a progress bar and without, with
# checkpoints and without, and with every kernel that has fused multiply-add. Another seed gives another one.
mkidx tiny train=150
mkidx wide train=700 test=300
train() { # DATA MODEL RUN FLAGS...
    data=$1 model=$2 run=$3
    shift 3
    wick train --data ./$data --model $model --epochs 2 --no-figures --out $run --log-steps $run.steps "$@" >/dev/null
}
same() { # RUN RUN
    same_run $1 $2 && cmp $1.steps $2.steps && echo "$2: the same"
}
for model in v0 v1 v2; do
    train tiny $model $model-1 --threads 1
    for threads in 2 3 4 8; do
        train tiny $model $model-$threads --threads $threads
        same $model-1 $model-$threads
    done
    train tiny $model $model-again --threads 4
    same $model-4 $model-again
    train tiny $model $model-checkpoints --checkpoint-every 2
    same $model-1 $model-checkpoints
done
# Batches of many blocks, of a few images more than a block, and of less than one.
for batch in 300 17 3; do
    train wide v2 wide-$batch-1 --threads 1 --batch-size $batch --limit $((batch * 3 + 1))
    for threads in 2 3 4 8; do
        train wide v2 wide-$batch-$threads --threads $threads --batch-size $batch --limit $((batch * 3 + 1))
        same wide-$batch-1 wide-$batch-$threads
    done
done
# In the file of a run there is nothing else that differs: times, and how many threads there were.
diff v2-1/results.json v2-8/results.json | sed -n 's/^[<>] *"\([a-z_]*\)": [0-9.]*,$/\1/p' | sort | uniq -c
if command -v script >/dev/null; then
    script -qec "wick train --data ./tiny --model v2 --epochs 2 --no-figures --out v2-bar --log-steps v2-bar.steps" /dev/null \
        </dev/null >seen
    grep -q 'Epoch 1, training: 100%' seen || echo "there was no bar"
else
    train tiny v2 v2-bar
fi
same v2-1 v2-bar
# The kernels that this machine runs. The plain ones have no fused multiply-add and round otherwise.
for cpu in x86-64-v3 x86-64-v4 x86-64; do
    (export WICK_CPU=$cpu && train tiny v2 $cpu-3 --threads 3 2>err && train tiny v2 $cpu-1 --threads 1) ||
        { grep -q 'no such kernels' err && continue || cat err; }
    same $cpu-1 $cpu-3
    [ $cpu = x86-64 ] || same v2-1 $cpu-1
done >kernels
grep -v ': the same' kernels
train tiny v0 other --seed 43
cmp -s v0-1.steps other.steps || echo "seed 43: another"
