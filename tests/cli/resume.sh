# What --resume and --checkpoint-every take, and what they refuse.
mkidx tiny train=100 test=10 side=4
mkidx other train=100 test=10 side=5
mkidx more train=120 test=10 side=4
train="wick train --data ./tiny --model v0 --epochs 4 --no-figures"
# A run that has a checkpoint after so many of its steps, of which an epoch has 4: a log that cannot be written stops it.
stopped() { # FOLDER STEPS
    $train --out "$1" --checkpoint-every "$2" --log-steps /dev/full
}
$train --out whole --log-steps whole.steps >/dev/null

for every in 0 -1 1.5 x 5m s 0s -2s nans 1e400s '' '1 s' 99999999999999999999; do
    try $train --out none --checkpoint-every "$every"
done
for every in 1 7 1000000 1s 0.001s 2e3s; do
    $train --out every/$every --checkpoint-every $every >/dev/null
    same_run whole every/$every && ls every/$every | tr '\n' ' '
done
echo

# From one checkpoint, with one flag and another; the log's first lines are kept, later ones go.
try stopped one 6 | without_figures
ls one
cp whole.steps log
echo "of no step" >>log
cp -r one two
try wick train --resume one --no-figures --log-steps log --threads 2 --checkpoint-every 2 | without_seconds
cmp whole.steps log && same_run whole one && echo "the same"
try wick train --resume one --json | without_seconds
head -5 whole.steps >short
try wick train --resume two --log-steps short
try wick train --resume two --log-steps nowhere
ls two
try wick train --resume two --model v0
try wick train --resume two --epochs 4
try wick train --resume two --out three
try wick train --resume two --exist-ok
try wick train --resume two again
try wick train --resume
try wick train --resume nowhere
try wick train --resume tiny
try wick train --resume two/args.json

# Without a checkpoint: from the beginning.
cp -r two begin
rm begin/checkpoint.pth
wick train --resume begin --no-figures | sed -n 1,2p
same_run whole begin && echo "the same"

# A checkpoint or data that do not fit.
cp two/checkpoint.pth .
head -c 3000 checkpoint.pth >two/checkpoint.pth
try wick train --resume two
cp whole/model.pth two/checkpoint.pth
try wick train --resume two
cp checkpoint.pth two
sed -i 's/"hidden_units": 10/"hidden_units": 11/' two/args.json
try wick train --resume two
sed -i 's/"hidden_units": 11/"hidden_units": 10/; s/"epochs": 4/"epochs": 1/' two/args.json
try wick train --resume two
sed -i 's/"epochs": 1/"epochs": 4/' two/args.json
for data in other more; do
    mv tiny away && mv $data tiny
    try wick train --resume two
    mv tiny $data && mv away tiny
done
wick train --resume two --no-figures >/dev/null
same_run whole two && echo "the same"
