mkidx tiny train=64 test=32
for model in v0 v1; do
    wick train --data ./tiny --model $model --epochs 1 --out $model >/dev/null
done
# With figures of our own the table is known to the last column.
sed -i 's/"model_loss": .*/"model_loss": 0.476639,/; s/"model_acc": .*/"model_acc": 83.426518,/; s/"train_time": .*/"train_time": 26.748773,/' v0/results.json
sed -i 's/"model_loss": .*/"model_loss": 0.685001,/; s/"model_acc": .*/"model_acc": 75.019968,/; s/"train_time": .*/"train_time": 20.041531,/' v1/results.json
wick compare v0 v1 --csv table.csv
cat table.csv
# Of models of one name.
cp -r v0 again
wick compare v0 v1 again --csv again.csv
cut -d, -f1 again.csv
odd="$(printf 'r\303\274n\033[31m')"
cp -r v0 "$odd"
wick compare v0 "$odd"
wick compare v0 "$odd" --json | jsonget runs.1.run | cat -v
# A link stays a link.
mkdir tables
ln -s tables/new.csv link.csv
wick compare v0 v1 --csv link.csv >/dev/null
echo old >tables/new.csv
wick compare v0 v1 --csv link.csv >/dev/null
cmp tables/new.csv table.csv && readlink link.csv
wick compare v0 v1 --json | jsonget runs.length runs.1.run runs.1.model_name runs.0.train_time
cp table.csv before.csv
try wick compare v0 v2 --csv table.csv
try wick compare v0 v1 --csv none/table.csv
try wick compare v0 v1 --csv /dev/full
try wick compare v0 v1 --csv v0
rm v1/results.json
try wick compare v0 v1 --csv table.csv
echo '{"model_name": "V1", "model_loss": "low"}' >v1/results.json
try wick compare v0 v1 --csv table.csv
printf '{\n  "model_name": "V1",\n  "model_loss" 1}' >v1/results.json
try wick compare v0 v1 --csv table.csv
cmp table.csv before.csv && echo "as it was"
