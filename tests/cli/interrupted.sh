# SIGINT and SIGTERM stop after the step at hand and save a checkpoint; --resume goes on from it, and the end is that of
# a run that was not stopped, whether training or testing was interrupted.
mkidx tiny train=300 test=32
# Batches of one are too noisy to learn from, which is said, or was before the stop.
learns() { sed '/the network does not learn/d' "$1"; }
mkidx tested train=64 test=20000 side=8
stop() { # SIGNAL FOLDER FILE: once FILE is there
    wait_for "$2/$3"
    kill -"$1" $wick_pid
    wait $wick_pid
    echo "SIG$1: exit $?"
    learns err
    expect_file "$2/args.json" "$2/checkpoint.pth"
}
resume() { # FOLDER FLAGS...
    folder=$1
    shift
    wick train --resume "$folder" --no-figures "$@" 2>resumed.err | sed -E 's/step [0-9]+ of/step N of/; s/epoch [0-9]+,/epoch N,/' | sed -n 1p
    learns resumed.err >&2
    ls "$folder"
}
for model in v0 v1 v2; do
    wick train --data ./tiny --model $model --batch-size 1 --epochs 3 --no-figures --out $model --log-steps $model.steps >/dev/null 2>whole.err
    learns whole.err >&2
    signal=INT
    for threads in 1 2 3; do
        run=$model-$threads
        start_wick train --data ./tiny --model $model --batch-size 1 --epochs 3 --threads $threads --checkpoint-every 1 --out $run \
            --log-steps $run.steps >/dev/null 2>err
        stop $signal $run checkpoint.pth
        resume $run --threads $((4 - threads)) --log-steps $run.steps
        same_run $model $run && cmp $model.steps $run.steps && echo "$run: the same"
        signal=TERM
    done
done
wick train --data ./tested --model v0 --epochs 30 --no-figures --out tested-whole >/dev/null
for i in 1 2 3; do
    start_wick train --data ./tested --model v0 --epochs 30 --out tested-$i >/dev/null 2>err
    stop INT tested-$i results.csv
    resume tested-$i
    same_run tested-whole tested-$i && echo "tested-$i: the same"
done
start_wick train --data ./tiny --model v0 --epochs 1000000 --out last >/dev/null 2>err
stop TERM last results.csv
wick eval last --json | jsonget model_name
try wick compare last
# Two at once are one; a later one kills.
wick train --data ./tiny --model v0 --epochs 1000000 --out twice >/dev/null 2>err &
wait_for twice/results.csv
kill -TERM $! && kill -TERM $!
wait $!
echo "twice: exit $?"
cat err
expect_file twice/checkpoint.pth
# A single step of some seconds. The thread sanitizer holds a signal back until the program next calls the C library,
# which here is the cropping of a block's images, and makes one of all that came until then: so there it may take some
# more of them.
mkidx heavy train=480 test=10
wick train --data ./heavy --hidden-units 200 --batch-size 480 --threads 1 --augment crop=1 --out heavy-run >/dev/null 2>err &
wait_for heavy-run/args.json
sleep 0.3
kill -TERM $!
sent=1
while [ $sent -lt 1000 ] && sleep 0.7 && kill -TERM $! 2>/dev/null; do
    sent=$((sent + 1))
done
[ $sent -eq 2 ] || grep -qa __tsan_init "$(command -v wick)" || echo "killed by signal number $sent"
wait $! 2>/dev/null
echo "killed: exit $?"
cat err
ls heavy-run
# The chapter keeps what is done.
start_wick notebook --data ./tiny --epochs 1000000 --no-figures --out notebook >/dev/null 2>err
wait_for notebook/model_0/results.csv
kill -INT $wick_pid
wait $wick_pid
echo "notebook: exit $?"
sed -E 's/epoch [0-9]+/epoch N/' err
ls notebook notebook/model_0
