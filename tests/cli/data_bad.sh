# One line for each, and what was there stays.
fresh() {
    rm -rf tiny
    mkidx tiny train=20 test=10 side=4 "$@"
}
poke() { # FILE OFFSET BYTES
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
echo "# missing"
try wick data info --data ./none
fresh
rm tiny/t10k-labels-idx1-ubyte
try wick data info --data ./tiny
try wick data info --data mnist --data-dir ./none
touch file
try wick data info --data ./file
mkdir empty
try wick data info --data ./empty
echo "# truncated"
fresh
truncate -s -1 tiny/train-images-idx3-ubyte
try wick data info --data ./tiny
truncate -s 10 tiny/train-images-idx3-ubyte
try wick data info --data ./tiny
truncate -s 0 tiny/train-images-idx3-ubyte
try wick data info --data ./tiny
fresh
gzip -n tiny/train-images-idx3-ubyte
truncate -s -5 tiny/train-images-idx3-ubyte.gz
try wick data info --data ./tiny
echo "# too long"
fresh
printf x >>tiny/t10k-images-idx3-ubyte
try wick data info --data ./tiny
fresh
poke tiny/train-images-idx3-ubyte 4 '\377\377\377\377'
try wick data info --data ./tiny
poke tiny/train-images-idx3-ubyte 4 '\177\377\377\377\177\377\377\377\177\377\377\377'
try wick data info --data ./tiny
echo "# wrong magic, mislabelled"
fresh
poke tiny/train-images-idx3-ubyte 0 'PNG!'
try wick data info --data ./tiny
fresh
cp tiny/train-labels-idx1-ubyte tiny/train-images-idx3-ubyte
try wick data info --data ./tiny
fresh
gzip -n tiny/t10k-labels-idx1-ubyte
poke tiny/t10k-labels-idx1-ubyte.gz 0 'XX'
try wick data info --data ./tiny
fresh
gzip -n tiny/t10k-labels-idx1-ubyte
size=$(wc -c <tiny/t10k-labels-idx1-ubyte.gz)
poke tiny/t10k-labels-idx1-ubyte.gz $((size - 6)) '\000\001'
try wick data info --data ./tiny
echo "# images and labels that disagree"
fresh labels=19
try wick data info --data ./tiny
echo "# a name's files that are not its own"
fresh
mkdir root
mv tiny root/fashion-mnist
try wick data info --data-dir ./root
try wick train --data-dir ./root --out run
ls -A
