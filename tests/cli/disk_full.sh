# A disk without room: one line, and the run that was there is as it was.
[ "$(id -u)" -eq 0 ] || skip "only the superuser can mount a small disk"
mkdir disk
mount -t tmpfs -o size=64k tmpfs disk 2>/dev/null || skip "no small disk can be mounted here"
trap 'umount disk' EXIT
mkidx tiny train=64 test=32 side=4
train="wick train --data ./tiny --model v0 --epochs 1 --no-figures"
$train --out disk/run >/dev/null
cp -r disk/run before
head -c 60000 /dev/zero >disk/filler 2>/dev/null
cat /dev/zero >disk/rest 2>/dev/null
# args.json cannot be written anew: nothing else is touched.
try $train --out disk/run --exist-ok --seed 7
diff -r before disk/run && echo "as it was"
try $train --out disk/other
ls disk
try wick compare disk/run --csv disk/table.csv
rm disk/rest disk/filler
# Without room for pictures the run is there all the same.
try wick train --data ./tiny --model v0 --epochs 1 --out disk/pictures | tail -2 | sed 's/curves\.png\|report\.html/PICTURE/'
ls disk/pictures
rm -r disk/pictures
# Room for args.json, but none for the weights of a wide model.
try wick train --data ./tiny --model v0 --epochs 1 --hidden-units 4000 --out disk/wide | without_figures
ls disk/wide
