# IDX files larger than the memory limit are read as they are used, and nothing that comes of it differs.
mkidx tiny train=300 test=70 side=12
pair() { # NAME ARGUMENTS: the same training in memory and from the files
    name=$1
    shift
    wick train --data tiny --model v2 --hidden-units 4 --batch-size 24 --seed 3 --no-figures --out $name "$@" >$name.out 2>&1 || cat $name.out
    wick train --data tiny --model v2 --hidden-units 4 --batch-size 24 --seed 3 --no-figures --out $name-streamed "$@" \
        --memory-limit 1K >$name-streamed.out 2>&1 || cat $name-streamed.out
    same_run $name $name-streamed || echo "$name: another model from the files"
}
pair plain --epochs 2
pair threads --epochs 1 --threads 3 --batch-size 40
pair augmented --epochs 2 --augment crop=2,flip,rotate=10,erase=0.25 --normalize auto
pair held --epochs 2 --validation 0.2 --patience 1 --threads 3 --augment flip --normalize 0.3:0.3
pair limited --epochs 1 --limit 50
# One that stopped (at a log that cannot be written) goes on from the files.
wick train --data tiny --model v2 --hidden-units 4 --batch-size 24 --seed 3 --no-figures --out again --epochs 2 --checkpoint-every 5 \
    --log-steps /dev/full >/dev/null 2>&1 && echo "it did not stop"
wick train --resume again --no-figures --memory-limit 1K >/dev/null
same_run plain again || echo "another model once gone on with"
# What is shown of it.
for command in "data info --image 7" "data info --json --limit 9" "data show --index 3" "data show --split test" \
    "eval plain" "errors plain --json" "explain plain --index 7 --json --out a.svg"; do
    wick $command --data tiny >held.out 2>&1 || cat held.out
    wick $command --data tiny --memory-limit 1K >streamed.out 2>&1 || cat streamed.out
    cmp held.out streamed.out
    [ -s held.out ] || echo "$command says nothing"
done
# The figures of a run, where they are drawn.
wick train --data tiny --model v0 --epochs 1 --seed 3 --out drawn >/dev/null 2>&1
wick train --data tiny --model v0 --epochs 1 --seed 3 --out drawn-streamed --memory-limit 1K >/dev/null 2>&1
for file in drawn/*.svg drawn/*.png; do
    [ ! -e "$file" ] || cmp "$file" "drawn-streamed/${file#drawn/}"
done
expect_file drawn-streamed/model.pth
echo "# made another size: to memory, where they go there"
wick train --data tiny --model v0 --epochs 1 --seed 3 --no-figures --image-size 4 --out small >/dev/null
wick train --data tiny --model v0 --epochs 1 --seed 3 --no-figures --image-size 4 --out small-streamed --memory-limit 5K >/dev/null
same_run small small-streamed || echo "another model of small images"
try wick data info --data tiny --image-size 4 --memory-limit 4K
try wick train --data tiny --image-size 100 --memory-limit 1M --out none
echo "# gzip'd"
gzip -n tiny/train-images-idx3-ubyte
try wick train --data tiny --memory-limit 43199 --out none
wick train --data tiny --model v2 --hidden-units 4 --batch-size 24 --seed 3 --no-figures --epochs 2 --out packed --memory-limit 43200 >/dev/null
same_run plain packed || echo "another model from gzip'd files"
expect_file tiny/train-images-idx3-ubyte.gz tiny/t10k-images-idx3-ubyte
gzip -n tiny/t10k-images-idx3-ubyte
for command in eval errors "explain --index 7"; do
    try wick $command plain --data tiny --memory-limit 10079
    wick $command plain --data tiny --memory-limit 10080 >/dev/null || echo "$command plain: refused"
done
ls -d none 2>/dev/null
