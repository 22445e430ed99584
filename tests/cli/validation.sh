# A part of the training half held out, early stopping, the best weights kept; and trainings that come to nothing.
mkidx tiny train=100 test=40 side=4
train="wick train --data ./tiny --model v0 --no-figures"

$train --epochs 3 --out plain >/dev/null
$train --epochs 3 --validation 0.2 --out held | grep -c "Validation loss"
head -1 held/results.csv plain/results.csv
[ -n "$(jsonget epochs.0.valid_loss <held/results.json)" ] && echo "valid_loss"
sed -n '/"threads"/,$p' held/args.json
# A number says the same as a share, another seed holds out others, and the test half is that of any run.
$train --epochs 3 --validation 20 --out number >/dev/null && same_run held number && echo "the same"
$train --epochs 3 --validation 20 --split-seed 1 --out other >/dev/null
cmp -s held/model.pth other/model.pth && echo "the same with another seed"
wick eval held --json | jsonget model_acc >eval
jsonget model_acc <held/results.json | cmp - eval && echo "the results are of the test half"

# Patience: a rate at which it soon gets worse. What is kept is the best epoch's.
early="--epochs 40 --lr 0.5 --validation 0.3 --patience 2"
$train $early --out early >early.out
grep -E "^(No better|Kept)" early.out | sed 's/epoch [0-9]*/epoch N/'
rows=$(($(wc -l <early/results.csv) - 1))
[ $rows -lt 40 ] || echo "it did not stop"
best=$(tail -n +2 early/results.csv | sort -t, -k5,5gr -k4,4g -k1,1g | head -1 | cut -d, -f1)
grep -qx "Kept the model of epoch $best" early.out || echo "another epoch than $best was kept"
[ $((rows - 1 - best)) -eq 2 ] || echo "it stopped after epoch $((rows - 1)), and the best is $best"
$train --epochs $((best + 1)) --lr 0.5 --validation 0.3 --out until >/dev/null
cmp early/model.pth until/model.pth && echo "the best epoch's weights"
for every in 2 5; do
    $train $early --out stopped.$every --checkpoint-every $every --log-steps /dev/full >/dev/null 2>&1
    wick train --resume stopped.$every --no-figures >/dev/null || echo "not resumed"
    same_run early stopped.$every && echo "the same after a stop at $every"
done

for flags in "--patience 3" "--keep best" "--split-seed 3" "--validation 1000" "--validation 0" "--validation 1.5" \
    "--validation -1" "--validation x" "--validation 100"; do
    try $train --epochs 1 --out none $flags
done
[ ! -e none ] || echo "a folder was made"

# The loss is no number any more: the last good epoch's model stays.
try $train --epochs 3 --lr 1e30 --out nan | tail -2 | sed 's/step [0-9]*/step N/; s/batch [0-9]*/batch N/'
[ ! -e nan/results.json ] || echo "results of nothing"
wick train --data ./tiny --model v0 --no-figures --epochs 3 --optimizer adam --lr 1e-3 --schedule multistep \
    --decay-milestones 2 --decay-rate 1e38 --out late 2>&1 | tail -1 | sed 's/step [0-9]*/step N/; s/batch [0-9]*/batch N/'
$train --epochs 2 --optimizer adam --out two >/dev/null
cmp late/model.pth two/model.pth && echo "the model of the last good epoch"

# A network that does not learn, and one that does.
mkidx more train=400 test=40 side=4
wick train --data ./more --model v0 --batch-size 1 --epochs 2 --lr 1e-12 --no-figures --out dead 2>&1 >/dev/null |
    sed -E 's/loss is [0-9.]+/loss is N/; s/accuracy [0-9.]+%/accuracy N%/'
# One that dies later, in a short training: said in the last epoch.
wick train --data ./more --model 'Sequential(Flatten(), Linear(16, 10), ReLU())' --batch-size 20 --epochs 3 --lr 100 \
    --no-figures --out died 2>&1 >/dev/null | sed -E 's/loss is [0-9.]+/loss is N/; s/accuracy [0-9.]+%/accuracy N%/'
wick train --data ./more --model v0 --batch-size 1 --epochs 2 --lr 0.01 --no-figures --out alive 2>&1 >/dev/null
