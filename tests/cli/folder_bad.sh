# A folder of pictures with something wrong in it: a clear line, and nothing is left half done.
fresh() {
    rm -rf f
    mkfolder f train=4 test=3 "$@"
}
info() {
    try wick data info --data f "$@" | sed '/^Length/,$!{/^len(/!{/^\$/!{/^wick/!{/^Image/!{/^->/!d}}}}}'
}
echo "# as it should be; what is no picture is left out, hidden files are not looked at"
fresh
echo notes >f/train/circle/notes.txt
echo notes >f/test/readme
echo notes >f/train/circle/.hidden.png
mkdir f/.git
info
info --image-size 16x24 --channels 1
echo "# no class folders, an empty one, a class that the training half lacks, no training half"
fresh
mkdir g g/train
try wick data info --data g
mkdir f/train/empty
info
rmdir f/train/empty
mv f/test/cross f/test/kross
info
rm -r f/train
info
echo "# broken pictures among good ones: named, counted, left out if asked for"
fresh
printf 'PNG?' >f/train/circle/0001.png
head -c 200 f/train/cross/0002.jpg >f/train/cross/cut.jpg
: >f/test/square/none.png
mkpic f/train/square/bomb.png says=60000
ln -s nowhere f/train/square/lost.jpg
info
info --no-cache
info --skip-broken
echo "# the same from the cache, with its reasons; of the test half alone"
info --skip-broken
try wick data show --data f --split test --skip-broken --index 0 --image-size 8 | grep 'left out'
rm f/train/circle/0001.png f/train/cross/cut.jpg f/train/square/bomb.png f/train/square/lost.jpg
info
info --skip-broken
printf 'PNG?' >f/train/circle/0001.png
rm f/train/circle/000[023].*
info --skip-broken
echo "# classes of one name, or that are one folder"
fresh
cp -r f/train/circle f/train/Circle
info
rm -r f/train/Circle
ln -s circle f/train/round
info
rm f/train/round
echo "# folders in a class's folder, and links that lead around in circles"
mkdir f/train/circle/more
mv f/train/circle/0000.png f/train/circle/more
ln -s .. f/train/circle/more/up
ln -s self f/train/circle/self
info
echo "# the halves' folders by other names"
for names in "Train VALID" "train Validation" "TRAIN Test"; do
    fresh
    mv f/train f/new
    mv f/new "f/${names% *}"
    mv f/test f/new
    mv f/new "f/${names#* }"
    info --image-size 8
done
mkdir f/test
info
rmdir f/test
rm -r f/TRAIN
info
mv f/Test f/valid
cp -r f/valid f/invalid
info --image-size 8
echo "# a class that is not tested, a single class"
fresh
rm -r f/test/cross
info --image-size 8
rm -r f/test/square
info --image-size 8
rm -r f/train/square f/train/cross
info --image-size 8
echo "# more than may be held in memory, and no cache"
fresh
info --image-size 8 --memory-limit 2304
info --image-size 8 --memory-limit 2304 --no-cache
info --image-size 8 --memory-limit 2303
info --image-size 8 --memory-limit 2303 --no-cache
: >"$HOME/file"
(
    XDG_CACHE_HOME=$HOME/file
    export XDG_CACHE_HOME
    info --image-size 8 --memory-limit 2303
)
printf 'PNG?' >f/train/circle/0001.png
info --image-size 8 --memory-limit 1K
echo "# a part of the pictures: of all classes"
fresh
for limit in 3 7 11 12; do
    wick data info --data f --image-size 8 --limit $limit 2>&1 | grep -e '^len' -e '^tensor'
done
echo "# flags"
fresh
info --image-size 0
info --image-size 12y
info --image-size 70000
info --channels 2
info --test-fraction 1
info --test-fraction 0.5
rm -r f
mkfolder f train=10
info
info --test-fraction 0.5
info --test-fraction 0.001
