# A label that is none of the set's classes, in files that are the set's in all else.
mkdir root
mkidx root/mnist train=60000 test=10000
printf '\012' | dd of=root/mnist/t10k-labels-idx1-ubyte bs=1 seek=1008 conv=notrunc 2>/dev/null
try wick data info --data mnist --data-dir root
try wick train --data mnist --data-dir root --out run
ls -A
