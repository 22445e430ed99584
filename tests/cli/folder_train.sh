# A model trained on pictures of one's own, from end to end.
mkfolder pictures train=120 test=40 seed=5
wick train --data pictures --image-size 24 --normalize auto --augment flip,crop=2,rotate=5 --epochs 14 --batch-size 8 --seed 3 --out run \
    --no-figures >out 2>err
cat err
jsonget image_shape classes augment mean.length <run/args.json
grep -c 'Normalize(mean=' out
awk -v accuracy="$(jsonget accuracy <run/results.json)" 'BEGIN { print (accuracy >= 90) ? "learnt" : "accuracy " accuracy }'
# The same with other threads.
wick train --data pictures --image-size 24 --normalize auto --augment flip,crop=2,rotate=5 --epochs 14 --batch-size 8 --seed 3 --out other \
    --no-figures --threads 3 >/dev/null
same_run run other || echo "another model with other threads"
# And an image at a time from the cache, or without one.
wick train --data pictures --image-size 24 --normalize auto --augment flip,crop=2,rotate=5 --epochs 14 --batch-size 8 --seed 3 --out streamed \
    --no-figures --memory-limit 1K >/dev/null
same_run run streamed || echo "another model from the cache"
ls "$HOME/.cache/wick/folders" | wc -l | tr -d ' '
wick data info --data pictures --image-size 24 --no-cache --json | jsonget train.count
# What comes of it: the run knows how large the pictures are.
wick eval run --json >eval
[ "$(jsonget accuracy <eval)" = "$(jsonget accuracy <run/results.json)" ] || echo "another accuracy"
wick predict run pictures/test/cross/0001.png --json >predicted
jsonget pictures.0.class pictures.0.width pictures.0.inverted <predicted
wick predict run pictures/test/*/000[0-9].* --top 1 --json >predicted
jsonget pictures.length <predicted
wick errors run --count 1 | sed -E 's/[0-9.]+/N/g' | head -1
# From an image's number to its file, which the model takes for the same.
wick errors run --count 1 --json >wrong
if [ "$(jsonget wrong <wrong)" -gt 0 ]; then
    wick predict run "$(jsonget errors.0.path <wrong)" --json | jsonget pictures.0.class >class
    jsonget errors.0.prediction <wrong | cmp - class
fi
wick explain run --index 3 --split train | sed -n 1p
wick explain run --index 3 --json | jsonget path
wick data info --data pictures --image-size 24 --image 7 --limit 10 | grep train_data
wick data info --data pictures --image-size 24 --image 7 --json | jsonget path
# A file's name that is no UTF-8 becomes JSON all the same.
mkfolder latin train=4 test=4
mv latin/train/circle/0000.png "latin/train/circle/$(printf 'caf\351.png')" 2>/dev/null ||
    mv latin/train/circle/0000.jpg "latin/train/circle/$(printf 'caf\351.png')"
for index in 0 1 2 3; do
    wick data show --data latin --split train --index $index --json 2>/dev/null | jsonget images.0.path
done | grep caf
wick data show --data pictures --image-size 24 --index 81
# One that cannot be read any more is left out where that is asked for.
cp -r pictures broken
echo broken >broken/test/cross/0001.png
for command in "eval run" "errors run --count 1" "explain run --index 0 --json --out a.svg"; do
    try wick $command --data broken | tail -2 | cut -c1-120
    wick $command --data broken --skip-broken 2>&1 >/dev/null | cut -c1-120
done
wick eval run --data broken --skip-broken --json 2>/dev/null | jsonget count
# The pictures' folder by another way, and other pictures than the run was made with.
wick eval run --data "$PWD/pictures" --json | jsonget count
mkfolder others train=4 test=4
mv others/test/cross others/test/disc
mv others/train/cross others/train/disc
wick eval run --data others --json | jsonget count
rm -r others/train/disc others/test/disc
try wick eval run --data others
# A class that is named otherwise now, or that comes elsewhere in the order.
mv pictures/test/cross pictures/test/zcross
mv pictures/train/cross pictures/train/zcross
try wick eval run
try wick errors run --count 1
cp -r pictures moved
mv moved/test/zcross moved/test/cross
mv moved/train/zcross moved/train/cross
mv moved/test/circle moved/test/zcircle
mv moved/train/circle moved/train/zcircle
try wick eval run --data moved
mv pictures/test/zcross pictures/test/cross
mv pictures/train/zcross pictures/train/cross
wick eval run --json | jsonget count
echo "# what cannot be done to them"
for augment in flipp crop crop=24 rotate=181 erase=2 flip,,crop=1 reflect; do
    try wick train --data pictures --image-size 24 --augment $augment
done
for normalize in 0.5 1:0 0.1,0.2:1,1 a:b auto:1 0.5:0.5:0.5; do
    try wick train --data pictures --image-size 24 --normalize $normalize
done
for limit in 0 x 5Q -1; do
    try wick train --data pictures --memory-limit=$limit
done
