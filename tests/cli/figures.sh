# The pictures that commands leave, and those that are asked for.
mkidx tiny train=128 test=64
train="wick train --data ./tiny --model v0 --epochs 2"
$train --out run >/dev/null
wick compare run --plot probe.png >/dev/null 2>err || { grep -q 'built without' err && skip "wick was built without cairo"; cat err; }

# What they begin with, and that they are not empty.
kinds() {
    for picture in "$@"; do
        case $picture in
        *.png | *.PNG) begins=$(od -An -tx1 -N8 "$picture" | tr -d ' '); [ "$begins" = 89504e470d0a1a0a ] || echo "$picture is no PNG" ;;
        *) head -c 39 "$picture" | grep -q '^<svg xmlns="http://www.w3.org/2000/svg"' && tail -1 "$picture" | grep -qx '</svg>' || echo "$picture is no SVG" ;;
        esac
        [ "$(wc -c <"$picture")" -gt 2000 ] || echo "$picture is too small"
    done
}
# The texts of an SVG, one a line.
texts() {
    sed -n 's/.*<g role="text" aria-label="\([^"]*\)".*/\1/p' "$1"
}
# A text that must be there.
says() {
    texts "$1" | grep -qxF -e "$2" || echo "$1 does not say: $2"
}

kinds run/*.png run/*.svg
ls run/*.png run/*.svg
says run/curves.svg 'Training of FashionMNISTModelV0'
says run/curves.svg 'Accuracy (%)'
says run/confusion_matrix.svg 'Confusion matrix of FashionMNISTModelV0'
# The matrix drawn adds up to the images, and its diagonal to the right answers.
correct=$(wick eval run --json | jsonget correct)
texts run/confusion_matrix.svg | grep -qE "^$correct of 64 right \(" || texts run/confusion_matrix.svg | grep right
wick eval run --json | jsonget confusion_matrix | tr -d '[]' | tr ',' '\n' >wanted
texts run/confusion_matrix.svg | sed '1,/ right (/d' | grep -xE '[0-9,]+' | head -100 >drawn
cmp wanted drawn && echo "the matrix is that of wick eval"

# The same training draws the same pictures.
$train --out again >/dev/null
for picture in curves.svg curves.png confusion_matrix.svg confusion_matrix.png; do
    cmp "run/$picture" "again/$picture"
done
grep -il "$(date +%Y)-" run/*.svg
$train --out plain --no-figures >/dev/null
ls plain

# Of several runs, in one picture.
wick compare run again plain --plot both.svg --csv table.csv | tail -1 | sed 's/ .*//'
kinds both.svg
says both.svg 'Runs side by side'
says both.svg plain
wick compare run --plot BOTH.PNG >/dev/null
kinds BOTH.PNG
try wick compare run --plot picture.jpg
try wick compare run --plot none/picture.png
cp both.svg before.svg
sed -i '3s/.*/2,oops/' plain/steps.csv
try wick compare run again plain --plot both.svg
cmp both.svg before.svg && echo "as it was"
rm plain/steps.csv
wick compare plain --plot both.svg >/dev/null
texts both.svg | grep -x step

# The chapter's nine.
wick notebook --data ./tiny --epochs 1 --hidden-units 4 --out chapter | grep '^Figures'
kinds chapter/*.png chapter/*.svg
ls chapter | sed -n 's/\.png$//p'
ls chapter/*.svg | wc -l
says chapter/5.6-models.svg FashionMNISTModelV1
says chapter/5.1-first-image.svg 0
[ "$(texts chapter/5.8-predictions.svg | grep -c '^Pred: [0-9] | Truth: [0-9]$')" -eq 9 ] || texts chapter/5.8-predictions.svg
[ "$(texts chapter/5.3-random-images.svg | wc -l)" -eq 16 ] || texts chapter/5.3-random-images.svg
wick notebook --data ./tiny --epochs 1 --hidden-units 4 --out bare --no-figures | grep '^Figures'
ls bare

# A folder of somebody's pictures is not taken over.
mkdir mine
echo mine >mine/curves.svg
try $train --out mine
cat mine/curves.svg
# Without a font there are no pictures, and all else is there.
echo '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>' >fonts.conf
FONTCONFIG_FILE=$PWD/fonts.conf $train --out nofont 2>err >/dev/null
echo "exit $?"
sort -u err
ls nofont | without_pictures
FONTCONFIG_FILE=$PWD/fonts.conf try wick compare run --plot probe.png

# What a model gets wrong, in the order of the text.
wick train --data ./tiny --model v0 --epochs 1 --out once >/dev/null
wick errors once --count 7 --out errors.svg | tail -1
texts errors.svg | grep -c '^image [0-9]*$'
says errors.svg 'Wrong predictions of FashionMNISTModelV0'
texts errors.svg | sed -n 's/^image //p' >drawn
wick errors once --count 7 --json >json
for i in 0 1 2 3 4 5 6; do jsonget errors.$i.index <json; done | cmp - drawn && echo "the same order"
wick errors once --out errors.png >/dev/null
kinds errors.svg errors.png
try wick errors once --out none/errors.png
wick train --data ./tiny --model v0 --epochs 60 --out good >/dev/null
wick errors good --out good.svg
texts good.svg
