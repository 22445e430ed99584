mkidx tiny
cat >mine.txt <<'END'
# a stem, a residual block, a head
nn.Sequential(
    stem=nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.1)),
    pool=nn.MaxPool2d(2),
    block=Residual(nn.Conv2d(4, 8, 3, padding=1), nn.SiLU(), shortcut=nn.Conv2d(4, 8, 1)),
    head=nn.Sequential(nn.AdaptiveAvgPool2d(7), nn.Flatten(), nn.LazyLinear(10)),
)
END
try wick model mine.txt
# What is printed is read back, and prints the same.
wick model @mine.txt | sed '/^$/,$d' >printed.txt
wick model printed.txt | sed '/^$/,$d' | cmp - printed.txt && echo same
try wick model 'Sequential(Flatten(), Linear(48, 3))' --input 3,4,4 --json

# A run keeps the text as it prints, and makes the model from it again.
wick train --data ./tiny --model mine.txt --epochs 2 --out run --checkpoint-every 2 --json >json
jsonget model_name parameters <json
printf '%s\n' "$(jsonget model <run/args.json)" | cmp - printed.txt && echo 'the same in args.json'
jsonget hidden_units <run/args.json
wick eval run --json >of_run.json
wick eval run/model.pth --model @mine.txt --data ./tiny --json >of_file.json
for key in model_loss accuracy; do
    [ "$(jsonget $key <of_run.json)" = "$(jsonget $key <json)" ] || echo "eval's $key differs"
    [ "$(jsonget $key <of_run.json)" = "$(jsonget $key <of_file.json)" ] || echo "the file's $key differs"
done
wick errors run --limit 1 >out 2>&1 || cat out
# The printed text gives the same training as the one that was given, up to the lazy layer, whose weights
# PyTorch draws last: here it is the last anyhow.
wick train --data ./tiny --model printed.txt --epochs 2 --out again --json >/dev/null
same_run run again && echo 'the same run'

# Its page, where there are figures, has the text line by line.
if [ -e run/report.html ]; then
    sed -n 's/.*<pre><code>Sequential(/Sequential(/; /^Sequential(/,/^)/p; /^)/q' run/report.html |
        sed "s/&#39;/'/g" | cmp - printed.txt
    wick compare run again --report both.html >/dev/null
    grep -l "$(printf '\357\277\275')" run/report.html both.html
fi

# One that was stopped, by a log that cannot be written, goes on with its running statistics.
wick train --data ./tiny --model mine.txt --epochs 2 --out stopped --checkpoint-every 3 --log-steps /dev/full \
    >/dev/null 2>&1 && echo 'was not stopped'
expect_file stopped/checkpoint.pth
wick train --resume stopped --json | jsonget model_name
same_run run stopped && echo 'the same run'

try wick train --data ./tiny --model mine.txt --hidden-units 10 --out bad
try wick train --data ./tiny --model 'Sequential(Flatten(), Linear(784, 11))' --out bad
try wick train --data ./tiny --model 'Sequential(Conv2d(1, 8, 3), Flatten(), Linear(784, 10))' --out bad
try wick train --data ./tiny --model 'Sequential(Flaten(), Linear(784, 10))' --out bad
try wick train --data ./tiny --model @missing.txt --out bad
try wick eval run/model.pth --model 'Sequential(Flatten(), Linear(784, 10))' --data ./tiny
try wick eval run --hidden-units 3
printf 'Sequential(\n  ReLU(),\n  Linear(784)\n)\n' >wrong.txt
try wick model wrong.txt
try wick model @json
# Names of no file, folders, a line of Python, and products of whole numbers.
try wick model nofile.txt
try wick model ./nofile
try wick model tiny
try wick model 'model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))'
wick model 'Sequential(Flatten(), Linear(28*28, 5 * 2))' >one
wick model 'Sequential(Flatten(), Linear(784, 10))' | cmp - one && echo 'the same by products'
for size in '28*' '28**2' '28*2.5' '28*n' '-1*2' '28*9223372036854775807'; do
    wick model "Sequential(Flatten(), Linear($size, 10))" 2>&1 | head -1
done
wick model "$(printf 'Sequential(%.0s' $(seq 100))" 2>&1
head -c 2000000 /dev/zero | tr '\0' '(' >long.txt
try wick model long.txt
[ ! -e bad ] || echo 'a run was begun'
