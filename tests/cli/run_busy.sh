# A folder that a run is using is refused, whatever the flags, and is as it was; a killed run leaves no lock.
mkidx tiny train=300 test=32 side=4
train="wick train --data ./tiny --model v0"
$train --epochs 1000000 --out run >/dev/null 2>&1 &
wait_for run/results.csv
try $train --epochs 1 --out run
try $train --epochs 1 --out run --exist-ok
try wick train --resume run
wick eval run --json | jsonget model_name
kill -TERM $!
wait $!
echo "exit $?"
try $train --epochs 1 --out run
wick train --resume run --checkpoint-every 1 >/dev/null 2>&1 &
sleep 0.3
try wick train --resume run
kill -KILL $!
wait $! 2>/dev/null
touch run/checkpoint.pth.1-0.tmp
$train --epochs 1 --out run --exist-ok --no-figures >/dev/null
echo "exit $?"
ls run
