# How a model is trained: what the flags of wick train take and refuse, what args.json keeps, and that a run that was
# stopped ends where it would have.
mkidx tiny train=100 test=40 side=4
train="wick train --data ./tiny --model v0 --epochs 3 --no-figures"

# A run of 12 steps, and the same stopped after a checkpoint, by a log that cannot be written, and gone on with.
same_after_a_stop() { # NAME FLAGS...
    name=$1
    shift
    $train --out "$name" "$@" >"$name.out" 2>&1 || cat "$name.out"
    for every in 3 6; do
        $train --out "$name.$every" --checkpoint-every $every --log-steps /dev/full "$@" >/dev/null 2>&1
        [ -e "$name.$every/checkpoint.pth" ] || echo "$name: no checkpoint"
        wick train --resume "$name.$every" --no-figures --threads 2 >/dev/null || echo "$name: not resumed"
        same_run "$name" "$name.$every" && echo "$name: the same after a stop at $every"
    done
    sed -n '/"threads"/,$p' "$name/args.json"
}
differ() {
    cmp -s "$1/model.pth" "$2/model.pth" && echo "$1 and $2 are the same"
}

same_after_a_stop sgd
same_after_a_stop momentum --momentum 0.9 --weight-decay 5e-4 --nesterov --lr 0.02
same_after_a_stop dampened --momentum 0.9 --dampening 0.5
same_after_a_stop adam --optimizer adam --betas 0.8,0.99 --eps 1e-7
same_after_a_stop adamw --optimizer adamw
same_after_a_stop bias --optimizer adamw --weight-decay 0.5 --no-decay-bias
same_after_a_stop smooth --label-smoothing 0.1
same_after_a_stop weights --class-weights 1,2,3,4,5,4,3,2,1,0 --label-smoothing 0.1
same_after_a_stop balanced --class-weights balanced
same_after_a_stop cosine --schedule cosine --min-lr 0.001 --warmup 0.5
same_after_a_stop onecycle --schedule onecycle --momentum 0.9
same_after_a_stop cycled --schedule onecycle --momentum 0.9 --cycle-momentum 0.8,0.95
same_after_a_stop step --schedule step --decay-epochs 1 --decay-rate 0.5 --optimizer adam
same_after_a_stop multistep --schedule multistep --decay-milestones 1,2.5
differ sgd cosine
differ sgd multistep
differ momentum onecycle
differ onecycle cycled
same_after_a_stop clip --clip-grad 0.5
same_after_a_stop ema --ema 0.8
same_after_a_stop dropped --drop-last
differ sgd dropped
same_after_a_stop all --ema 0.9 --ema-no-warmup --clip-grad 1 --optimizer adamw --schedule onecycle
differ sgd clip
differ sgd ema
differ sgd smooth
differ smooth weights
differ sgd momentum
differ sgd dampened
differ adam adamw
differ adamw bias

# The loss of the evaluation is that of the run.
for run in sgd smooth weights ema; do
    wick eval $run --json >eval.json
    for key in model_loss model_acc; do
        [ "$(jsonget $key <$run/results.json)" = "$(jsonget $key <eval.json)" ] || echo "$run: another $key"
    done
done

for flags in "--optimizer rmsprop" "--optimizer adam --momentum 0.9" "--optimizer adamw --nesterov" "--betas 0.9,0.99" \
    "--optimizer adam --betas 0.9" "--optimizer adam --betas 0.9,1" "--optimizer adam --betas 0.9,x" "--nesterov" \
    "--momentum -1" "--momentum x" "--momentum 0.9 --dampening 0.1 --nesterov" "--weight-decay inf" \
    "--schedule linear" "--schedule step" "--schedule cosine --decay-rate 0.5" "--schedule cosine --warmup 3" \
    "--schedule multistep --decay-milestones 3,2" "--schedule multistep --decay-milestones 3,x" "--warmup-factor 0.1" \
    "--pct-start 0.5" "--schedule onecycle --pct-start 1.5" \
    "--ema 1" "--ema-no-warmup" "--clip-grad -1" \
    "--label-smoothing 1.5" "--class-weights 1,2" "--class-weights 1,2,3,4,5,6,7,8,9,x" "--class-weights 1,2,3,4,5,6,7,8,9,-1"; do
    try $train --out none $flags
done
[ ! -e none ] || echo "a folder was made"
echo "# the last batch"
norm='Sequential(Flatten(), Linear(16, 4), BatchNorm1d(4), ReLU(), Linear(4, 10))'
wick train --data ./tiny --epochs 1 --no-figures --out single --model "$norm" --batch-size 33 2>&1 | grep -c 'batch of one; .* drop the last one (--drop-last)'
wick train --data ./tiny --epochs 1 --no-figures --out whole --model "$norm" --batch-size 33 --drop-last --log-steps steps \
    >/dev/null
wc -l <steps | tr -d ' '
try wick train --data ./tiny --no-figures --out none --batch-size 101 --drop-last
try wick train --data ./tiny --no-figures --out none --batch-size 81 --drop-last --validation 0.2
try wick train --resume whole --drop-last
[ ! -e none ] || echo "a folder was made"
