# Where a run goes, and what keeps it from there.
mkidx tiny train=20 test=10 side=4
train="wick train --data ./tiny --model v0 --epochs 1"
for i in 1 2 3; do
    $train | tail -1
done
ls runs runs/train2 | without_pictures
try $train --out runs/train2 | without_figures
cp -r runs/train2 before
try $train --out runs/train2 --seed 7 | tail -2
diff -r before runs/train2 && echo "as it was"
$train --out runs/train2 --seed 7 --exist-ok | tail -1
grep seed runs/train2/args.json
touch file
try $train --out file
try $train --out file/run
try $train --out ''
# A folder with a model of the user's own is not taken over.
mkdir mine
echo precious >mine/model.pth
try $train --out mine
cat mine/model.pth
ls mine
