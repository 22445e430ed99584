# Recipes: flags in a file.
mkidx tiny train=100 test=40 side=4
wick train --recipe list
diff - $CASES/../../recipes/chapter.recipe <<'END' || echo "another recipe"
# FashionMNISTModelV2 as the chapter trains it: 3 epochs of SGD, about 88% on Fashion-MNIST
model = v2
epochs = 3
batch-size = 32
lr = 0.1
seed = 42
END
cat >mine.recipe <<'END'
# Of my own.
  model = v0
epochs=2
	nesterov = true
momentum = 0.9

no-figures = true
data = ./tiny
END
flags="--model v0 --epochs 2 --nesterov --momentum 0.9 --data ./tiny --no-figures"
wick train $flags --out flags >/dev/null
wick train --recipe mine.recipe --out mine >/dev/null
cmp flags/args.json mine/args.json && same_run flags mine && echo "the same as by flags"
# Flags win.
wick train --recipe mine.recipe --epochs 1 --momentum 0.5 --out won >/dev/null
diff mine/args.json won/args.json
wick train --recipe chapter --data ./tiny --model v0 --no-figures --out chapter >/dev/null
sed -n '/"epochs"/,$p' chapter/args.json

# A model's text may take several lines, with comments of its own.
cat >lines.recipe <<'END'
model = Sequential(
    Flatten(),  # 16 pixels
    Linear(16, 10))
epochs = 1
END
wick train --recipe lines.recipe --data ./tiny --no-figures --out lines >/dev/null
wick train --model 'Sequential(Flatten(), Linear(16, 10))' --epochs 1 --data ./tiny --no-figures --out line >/dev/null
cmp lines/args.json line/args.json && same_run lines line && echo "the same on several lines"

# A model's file is looked for beside the recipe, then from here; a model's name is one, whatever files there are. Both
# may begin with a byte order mark.
mkdir -p beside
printf '\357\273\277nn.Sequential(nn.Flatten(), nn.Linear(4*4, 10))\n' >beside/own.txt
cp beside/own.txt here.txt
echo nonsense >own.txt
echo nonsense >beside/v0
for model in own.txt @own.txt here.txt v0; do
    printf '\357\273\277model = %s\nepochs = 1\n' $model >beside/own.recipe
    wick train --recipe beside/own.recipe --data ./tiny --no-figures --out beside/run --exist-ok --json | jsonget model_name
done
printf 'model = nowhere.txt\n' >beside/own.recipe
try wick train --recipe beside/own.recipe --data ./tiny --out none

# A model that is for other images is said to be the recipe's, with the flags that make them fit.
mkdir colour
record=$(printf '%01536d' 0 | sed 's/0/x0/g')
for file in data_batch_1 data_batch_2 data_batch_3 data_batch_4 data_batch_5 test_batch; do
    printf '\001%s\011%s' "$record" "$record" >colour/$file.bin
done
try wick train --recipe fast --data ./colour --out none
try wick train --recipe lines.recipe --data ./colour --out none
wick train --recipe fast --data ./colour --channels 1 --image-size 28 --epochs 1 --no-figures --out fits >/dev/null
expect_file fits/results.json

bad() { # TEXT
    printf "$1" >bad.recipe
    try wick train --recipe bad.recipe --data ./tiny --out none
}
bad 'model = v0\nepoch = 3\n'
bad 'model = v0\nqqqqqqqqqqqqqqq = 3\n'
bad '# one\n\nepochs = many\n'
bad 'epochs 3\n'
bad 'epochs =\n'
bad '= 3'
bad 'nesterov = yes\n'
bad 'lr = 0.1\nepochs = 1\nlr = 0.2\n'
bad 'out = here\n'
bad 'recipe = chapter\n'
bad 'model = v0\0\n'
bad 'lr = 0.1\nschedule = linear'
bad 'model = Sequential(Flatten(),\n  Linear(16, 10)\nepochs = 1\n'
bad 'epochs = (1\n)\nlr = x'
bad 'epochs = 1\nmodel = Sequential(\n  Flatten(),\n  Linear(16, 10), ReLUU())\n'
head -c 70000 /dev/zero | tr '\0' '\n' >long.recipe
try wick train --recipe long.recipe
try wick train --recipe chaptr
try wick train --recipe ./nowhere
try wick train --recipe zzzzzzzzzzzzzz
try wick train --recipe tiny
try wick train --resume mine --recipe chapter
[ ! -e none ] || echo "a folder was made"
