mkidx tiny train=400 test=100
wick train --data ./tiny --model v0 --epochs 12 --seed 1 --no-figures --out run --json | jsonget accuracy | awk '{ print ($1 > 90) ? "trained" : $1 }'
# Every form of a picture of class 4 is taken for class 4: grey, RGB, see-through, JPEG, of another size and shape.
mkpic grey.png class=4
mkpic rgb.png class=4 color=1
mkpic large.png class=4 width=280 height=280
mkpic tall.png class=4 width=60 height=300
mkpic alpha.png class=4 alpha=1 color=1
mkpic photo.jpg class=4 width=200 height=150 color=1
mkpic light.png class=4 light=1
mkpic light.jpg class=4 light=1 width=90 height=90
cp light.jpg named.png
wick predict run --json --background black grey.png rgb.png large.png tall.png alpha.png photo.jpg light.png light.jpg named.png >json
for i in 0 1 2 3 4 5 6 7 8; do
    jsonget pictures.$i.path pictures.$i.class pictures.$i.inverted <json | tr '\n' ' '
    echo
done
jsonget model_name pictures.length pictures.0.top.length pictures.0.probabilities.length pictures.5.width pictures.5.height \
    pictures.5.channels <json
echo "# as text"
wick predict run grey.png light.png --top 1 | without_figures
wick predict run grey.png --top 1000 | grep -c %
echo "# light and dark as asked for"
for invert in auto on off; do
    wick predict run light.png grey.png --invert $invert --json | jsonget pictures.0.inverted pictures.1.inverted | tr '\n' ' '
    echo $invert
done
echo "# its shape kept"
wick predict run tall.png --fit pad --json >json
jsonget pictures.0.width pictures.0.height <json
echo "# the probabilities add up, and are those of make_predictions"
wick predict run grey.png --json | jsonget pictures.0.probabilities | tr -d '[]' | tr ',' '\n' |
    awk '{ sum += $1 } END { print (sum > 0.999999 && sum < 1.000001) ? "1" : sum }'
wick predict run grey.png --threads 1 --json >one
wick predict run grey.png --threads 2 --json | cmp - one
echo "# a file, with what the flags say of it"
wick predict run/model.pth grey.png --model v0 --data ./tiny --json | jsonget pictures.0.class
wick predict run/model.pth grey.png --model v0 --json | jsonget pictures.0.class
echo "# data whose things are dark on light are not turned round"
rm -rf dark && cp -r tiny dark
for half in train t10k; do
    images=dark/$half-images-idx3-ubyte
    { head -c 16 $images; tail -c +17 $images | tr "$(printf '\\000-\\377')" "$(awk 'BEGIN { for (i = 255; i >= 0; i--) printf "\\%03o", i }')"; } >new
    mv new $images
done
wick train --data ./dark --model v0 --epochs 1 --no-figures --out darkrun >/dev/null
wick predict darkrun light.png grey.png --json | jsonget pictures.0.inverted pictures.1.inverted
