# What a model gets wrong, as text and as JSON; figures.sh has the picture.
mkidx tiny train=64 test=50
wick train --data ./tiny --model v0 --epochs 1 --out run >/dev/null
wrong=$((50 - $(wick eval run --json | jsonget correct)))
wick errors run >text
grep -q "^$wrong of 50 test images are wrong" text || head -1 text
sed -n '/^Wrong/,/^$/p' text | sed '1,2d; $d' | wc -l >rows
[ "$(cat rows)" -eq $((wrong < 24 ? wrong : 24)) ] || echo "$(cat rows) rows of $wrong"
# Surest first.
sed -n '/^Wrong/,/^$/p' text | sed '1,2d; $d' | sed -E 's/^ *[0-9]+ +[0-9]+ +([0-9]+) +\1 ([0-9.]+)%.*/\2/' >sure
sort -rn sure | cmp - sure
wick errors run --json --count 3 >json
jsonget run count wrong classes.length errors.length errors.0.probabilities.length <json | sed "s/^$wrong\$/WRONG/"
# The pairs add up to all that is wrong.
pairs=$(jsonget pairs.length <json)
sum=0
i=0
while [ $i -lt "$pairs" ]; do
    sum=$((sum + $(jsonget pairs.$i.count <json)))
    i=$((i + 1))
done
[ $sum -eq $wrong ] || echo "the pairs are $sum, not $wrong"
# Of a file, the same.
wick errors run/model.pth --model v0 --data ./tiny >of_file
cmp text of_file
wick errors run --limit 10 | head -1 | sed 's/^[0-9]* of/N of/; s/(.*/(P)/'
try wick errors
try wick errors none
try wick errors run --count 0
try wick errors run --out picture.gif
try wick errors run --data ./none
mkidx other train=20 test=20 classes=3
try wick errors run --data ./other
# All right: there is nothing to show.
wick train --data ./tiny --model v0 --epochs 40 --lr 0.5 --out good >/dev/null
wick errors good
