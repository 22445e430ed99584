mkidx tiny train=200 test=40
wick train --data ./tiny --model v2 --hidden-units 4 --epochs 1 --no-figures --out run >/dev/null
mkpic picture.png class=5 color=1 width=60 height=40 light=1
wick explain run picture.png >text
sed -E 's/(\]) .*/\1/; s/^ *[0-9.]+%/N/; s/ +<- the prediction//' text
grep -c 'the prediction' text
expect_file run/explain.png
wick explain run --index 3 --split train --out three.svg | head -1
expect_file three.svg
wick explain run --index 3 --json --values >json
jsonget model_name split index layers.length kernels_of kernels.length figure <json
for i in 0 1 4 10 11; do
    jsonget layers.$i.layer layers.$i.kind layers.$i.shape <json | tr '\n' ' '
    echo
done
echo "# the layers' numbers are those of the model: what ReLU leaves, what the pool takes, and at last the logits"
jsonget layers.0.output <json | tr -d '[]' | tr ',' '\n' >before
jsonget layers.1.output <json | tr -d '[]' | tr ',' '\n' >after
paste before after | awk '{ if (($1 > 0 ? $1 : 0) != $2) wrong++ } END { print NR, wrong + 0 }'
jsonget layers.11.output <json | tr -d '[]' | tr ',' '\n' >logits
jsonget probabilities <json | tr -d '[]' | tr ',' '\n' >probabilities
wick eval run --predictions 4 --json | jsonget predictions.3 | tr -d '[]' | tr ',' '\n' >evaluated
near='{ d = $1 - $2; if (d > 1e-5 || d < -1e-5) wrong++ } END { print NR, wrong + 0 }'
paste probabilities evaluated | awk "$near"
awk '{ p[NR] = exp($1); sum += p[NR] } END { for (i = 1; i <= NR; i++) print p[i] / sum }' logits | paste - probabilities | awk "$near"
jsonget layers.1.min layers.4.shape <json
wick explain run --index 3 --json | jsonget layers.0.output 2>&1 | head -1
echo "# a linear model: its first weights are images of the size of the input"
wick train --data ./tiny --model v0 --epochs 1 --no-figures --out flat >/dev/null
wick explain flat --index 0 --json | jsonget kernels.length kernels.0.length kernels.0.0.length layers.length
echo "# a file"
wick explain run/model.pth picture.png --model v2 --hidden-units 4 --data ./tiny --json | jsonget figure
expect_file explain.png
echo "# wrong usage"
try wick explain run
try wick explain run picture.png --index 1
try wick explain run --index 40
try wick explain run picture.png picture.png
try wick explain run picture.png --out picture.bmp
try wick explain run picture.png --channels 0
try wick explain run none.png
try wick explain run/model.pth picture.png
try wick explain run picture.png --out none/x.png
mkidx small train=30 test=9 side=14
try wick explain run --index 1 --data ./small
