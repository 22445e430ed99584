[ ! -e /dev/nvidiactl ] || skip "there is a GPU here"
mkidx tiny train=20 test=10
try wick train --data ./tiny --model v0 --device cuda
try wick train --data ./tiny --model v0 --device cuda:1
try wick train --data ./tiny --model v0 --device cuda:x
ls -A
