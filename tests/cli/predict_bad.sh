mkidx tiny train=40 test=10
wick train --data ./tiny --model v1 --epochs 1 --no-figures --out run >/dev/null
mkpic good.png class=3
# A sanitizer needs more room than it may be given: there, without the limit.
limited() {
    if sh -c 'ulimit -v 400000; wick --version; exit $?' >/dev/null 2>&1; then
        (ulimit -v 400000 && "$@")
    else
        "$@"
    fi
}
echo "this is text" >text.png
: >empty.png
printf 'GIF89a' >a.jpg
head -c 60 good.png >cut.png
mkpic photo.jpg color=1 width=64 height=64
head -c 600 photo.jpg >cut.jpg
mkpic zero.png says=0
mkpic huge.png says=100000
mkpic promise.png says=8000
mkpic bomb.png width=9000 height=9000
mkdir folder
for file in none.png text.png empty.png a.jpg cut.png cut.jpg zero.png huge.png promise.png bomb.png folder; do
    try limited wick predict run $file
done | sed -E 's/its [0-9]+ bytes cannot/its N bytes cannot/; s/short after [0-9]+ bytes/short after N bytes/'
echo "# the others are done"
wick predict run text.png good.png zero.png --json >json 2>err
echo $?
cat err
jsonget pictures.length pictures.0.error pictures.1.path pictures.2.error <json
printf 'text' >"$(printf 'bad\033[31m.png')"
try wick predict run bad*.png
echo "# wrong usage"
try wick predict
try wick predict run
try wick predict good.png good.png
try wick predict none good.png
try wick predict run good.png --model v2
try wick predict run/model.pth good.png --model v7
try wick predict run/model.pth good.png --model v2
try wick predict run/model.pth good.png --model v1 --data nothing
try wick predict run good.png --invert maybe
try wick predict run good.png --fit crop
try wick predict run good.png --top 0
mkdir norun
try wick predict norun good.png
rm run/model.pth
try wick predict run good.png
