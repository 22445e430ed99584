# Test-time augmentation: a run trained with --tta flip, and any model evaluated with it.
mkidx tiny train=200 test=100 side=6
train="wick train --data ./tiny --model v0 --epochs 2 --no-figures --seed 3"

$train --out plain >/dev/null
$train --out flipped --tta flip >/dev/null 2>&1
grep tta plain/args.json flipped/args.json
cmp plain/model.pth flipped/model.pth && echo "the same weights"
jsonget model_loss <plain/results.json >plain.loss
jsonget model_loss <flipped/results.json >flipped.loss
cmp -s plain.loss flipped.loss && echo "the same loss"
for way in none flip; do
    wick eval plain --tta $way --json 2>/dev/null | jsonget model_loss >plain.$way
    wick eval flipped --tta $way --json 2>/dev/null | jsonget model_loss >flipped.$way
    wick eval plain/model.pth --model v0 --data ./tiny --tta $way --json | jsonget model_loss >file.$way
done
wick eval flipped --json 2>/dev/null | jsonget model_loss | cmp - flipped.loss && echo "a run is evaluated as it was trained"
cmp plain.none plain.loss && cmp flipped.none plain.loss && cmp file.none plain.loss && echo "none"
cmp plain.flip flipped.loss && cmp flipped.flip flipped.loss && cmp file.flip flipped.loss && echo "flip"

# What is made of the run's model elsewhere.
wick errors flipped --json 2>/dev/null | sed 's/"run": "[a-z]*"//' >errors
wick errors plain --json | sed 's/"run": "[a-z]*"//' | cmp -s - errors && echo "errors: the same without"
wick errors plain --tta flip --json 2>/dev/null | sed 's/"run": "[a-z]*"//' | cmp - errors && echo "errors --tta flip"
mkpic picture.png class=2 width=6 height=6
wick predict flipped picture.png --json >predicted 2>/dev/null
wick predict plain picture.png --json | cmp -s - predicted && echo "predict: the same without"
wick predict plain picture.png --tta flip --json 2>/dev/null | cmp - predicted && echo "predict --tta flip"
wick explain flipped --index 0 --json --out a.svg >explained
wick explain plain --index 0 --json --out a.svg | cmp - explained && echo "explain shows the image alone"

# Resumed, and by a recipe.
$train --out stopped --tta flip --checkpoint-every 3 --log-steps /dev/full >/dev/null 2>&1
wick train --resume stopped --no-figures >/dev/null
same_run flipped stopped && echo "the same after a stop"
printf 'model = v0\nepochs = 2\ntta = flip\n' >my.recipe
wick train --recipe ./my.recipe --data ./tiny --seed 3 --no-figures --out told >/dev/null 2>&1 && same_run flipped told &&
    echo "the same by a recipe"

# Where the mirror images were not learnt.
$train --tta flip --out unlearnt 2>&1 >/dev/null
$train --tta flip --augment flip --out learnt 2>&1 >/dev/null
wick eval plain --tta flip 2>&1 >/dev/null
wick errors plain --tta flip 2>&1 >/dev/null
wick eval learnt --tta flip 2>&1 >/dev/null
wick eval flipped 2>&1 >/dev/null
# It is said of what is evaluated so.
wick eval learnt | sed -n 5p
wick eval learnt --json | jsonget tta
wick errors learnt --json | jsonget tta
wick eval learnt --json --tta none | grep -c '"tta"'
# A model that cannot be is refused before there is a run.
try $train --tta flip --augment flip --out none --model \
    'Sequential(Conv2d(1, 4, 3), BatchNorm2d(4, track_running_stats=False), Flatten(), Linear(64, 10))'

try $train --tta mirror --out none
try wick eval flipped --tta flip --report page.html
sed 's/"flip"/"mirror"/' flipped/args.json >args.json && cp args.json flipped/args.json
try wick eval flipped
[ ! -e none ] || echo "a folder was made"
