# Files that would call something if they could: nothing is called, and nothing is loaded.
mkidx tiny train=40 test=10
count=0
for file in "$CASES"/../oracle/pth/system*.pth; do
    wick eval "$file" --model v0 --data ./tiny >out 2>err && echo "$file: loaded"
    [ $? -eq 1 ] || echo "$file: another exit status"
    [ "$(wc -l <err)" -eq 1 ] && [ ! -s out ] || { echo "$file:"; cat out err; }
    count=$((count + 1))
done
[ $count -gt 0 ] || echo "there are no such files"
# A pickle without its zip.
printf 'cos\nsystem\n(S"touch called"\ntR.' >raw.pth
try wick eval raw.pth --model v0 --data ./tiny
ls -A
