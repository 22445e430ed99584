mkidx tiny
wick train --data ./tiny --model v0 --epochs 2 --out run --log-steps steps | without_figures
ls run | without_pictures
# 200 images make 7 steps of 32 each epoch.
wc -l <steps
sed -E 's/[0-9.]+$/N/' steps | sort | uniq -c | sed 's/^ *//'
sed 's/[0-9.]*[0-9]/N/g' run/results.csv
cat run/args.json
jsonget model_name seed parameters epochs.length epochs.1.epoch device <run/results.json
wick train --data ./tiny --model v2 --epochs 1 --json --threads 3 --seed 18446744073709551615 >json
jsonget run model_name seed threads parameters epochs.length <json
jsonget seed <runs/train/args.json
# It learns what is this easy.
wick train --data ./tiny --model v0 --epochs 20 --seed 1 --json | jsonget accuracy | awk '{ print ($1 > 80) ? "learned" : "learned too little: " $1 }'
