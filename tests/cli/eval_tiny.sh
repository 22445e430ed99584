mkidx tiny test=60
wick train --data ./tiny --model v2 --hidden-units 4 --epochs 4 --out run --json >trained
wick eval run | without_figures | sed -E 's/[0-9]+ of/N of/; /Confusion/,$d'
wick eval run --json >json
wick eval run/model.pth --model v2 --hidden-units 4 --data ./tiny --json >file
# A reloaded model gives what the trained one gave, to the last digit.
for key in model_name model_loss model_acc accuracy parameters; do
    [ "$(jsonget $key <trained)" = "$(jsonget $key <json)" ] || echo "$key: another from the run"
    [ "$(jsonget $key <trained)" = "$(jsonget $key <file)" ] || echo "$key: another from the file"
done
# The matrix: its diagonal is the right answers, its rows the support.
jsonget confusion_matrix <json | tr -d '[]' | tr ',' '\n' | awk '
    { all += $1; row[int((NR - 1) / 10)] += $1; if ((NR - 1) % 11 == 0) right += $1 }
    END { print all " cells summed"; print right > "right"; for (i = 0; i < 10; i++) print row[i] > "support" }'
[ "$(cat right)" = "$(jsonget correct <json)" ] || echo "the diagonal is not the right answers"
for i in 0 1 2 3 4 5 6 7 8 9; do jsonget classes.$i.support <json; done | cmp - support
awk -v right="$(cat right)" -v accuracy="$(jsonget accuracy <json)" 'BEGIN { if (100 * right / 60 != accuracy) print "another accuracy" }'
# The text has the same numbers.
wick eval run | sed -n '/Confusion/,$p' | tail -n +3 | sed -E 's/^ *[0-9]+ [^ ]+ +//; s/ +/ /g' >text
jsonget confusion_matrix <json | sed 's/\],\[/\n/g' | tr -d '[]' | tr ',' ' ' | sed 's/$//' | cmp - text
wick eval run --predictions 3 --json | jsonget predictions.length predictions.0.length
wick eval run --predictions 1 | grep -c Probabilities
wick eval run --limit 20 --json | jsonget count
# From another folder: the run knows where its data are.
mkdir elsewhere && cd elsewhere && wick eval ../run --json | jsonget count
# A run that made its data's images smaller does so again, however their folder is named.
cd ..
mkidx larger train=40 test=30 side=8
wick train --data ./larger --image-size 6 --model 'Sequential(Flatten(), Linear(36, 10))' --epochs 1 --out small --no-figures >/dev/null
wick eval small --json | jsonget count
wick eval small --data "$PWD/larger" --json | jsonget count
wick eval small --data ./tiny --json | jsonget count
