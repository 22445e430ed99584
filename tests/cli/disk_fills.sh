# A disk that fills while a training writes to it: one line, what was there is whole, and with more room the run goes on
# to the end that it would have had.
[ "$(id -u)" -eq 0 ] || skip "only the superuser can mount a small disk"
mkdir disk
mount -t tmpfs -o size=800k tmpfs disk 2>/dev/null || skip "no small disk can be mounted here"
trap 'umount disk' EXIT
mkidx tiny train=64 test=32 side=4
# A model of 430 kB: there is room for one, and none for another beside it.
train="wick train --data ./tiny --model v0 --hidden-units 4000 --epochs 2 --batch-size 16 --no-figures"
$train --out whole --log-steps whole.steps >/dev/null
room() {
    mount -o remount,size=$1 disk
}
resume() {
    room 8m
    wick train --resume disk/run --no-figures "$@" | sed -n 1p
    same_run whole disk/run && echo "the same"
    rm -r disk/run
    room 800k
}
echo "# the second checkpoint"
try $train --out disk/run --checkpoint-every 1 --log-steps steps | tail -2
ls disk/run
resume --log-steps steps
cmp whole.steps steps
echo "# the model, after a checkpoint"
try $train --out disk/run --checkpoint-every 3 | tail -2
ls disk/run
resume
echo "# the second model"
try $train --out disk/run | tail -2
ls disk/run
wick eval disk/run | sed -n 1p
resume
echo "# a step's loss, in a file that is full"
mkdir full
mount -t tmpfs -o size=4k tmpfs full
trap 'umount disk full' EXIT
head -c 4096 /dev/zero >full/filler
try $train --out disk/run --checkpoint-every 3 --log-steps full/steps | tail -2
ls disk/run
resume
