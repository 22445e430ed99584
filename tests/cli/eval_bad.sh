mkidx tiny train=40 test=10
wick train --data ./tiny --model v1 --epochs 1 --out run >/dev/null
eval="wick eval run/model.pth --data ./tiny"
echo "# of another model"
try $eval --model v2
try $eval --model v0
try $eval --model v1 --hidden-units 12
try wick eval run --model v2
mkidx three train=30 test=9 classes=3
try wick eval run --data ./three
mkidx small train=30 test=9 side=14
try wick eval run --data ./small
echo "# not there, or no run"
try wick eval none --model v1 --data ./tiny
mkdir empty
try wick eval empty
rm -rf broken && cp -r run broken && rm broken/model.pth
try wick eval broken
echo "# args.json"
for edit in 's/"epochs": 1/"epochs": "one"/' 's/"lr": 0.1/"lr": -1/' '/"seed"/d' 's/"model": "v1"/"model": 7/' \
    's/"model": "v1"/"model": "v7"/' 's/"image_shape": \[1,/"image_shape": [1, 1,/' 's/\[1, 28/[0, 28/' '5s/,$//' \
    's/"threads": 0/"threads": 1e9/' 's/"device"/"seed": 1, "device"/' 's/"data_dir": null/"data_dir": "\\u001b[31m"/'; do
    rm -rf broken && cp -r run broken
    sed -i "$edit" broken/args.json
    cmp -s run/args.json broken/args.json && echo "nothing edited by $edit"
    try wick eval broken
done
: >broken/args.json
try wick eval broken
echo "# model.pth"
rm -rf broken && cp -r run broken
truncate -s -100 broken/model.pth
try wick eval broken
truncate -s 0 broken/model.pth
try wick eval broken
echo "no weights" >broken/model.pth
try wick eval broken
rm broken/model.pth && mkdir broken/model.pth
try wick eval broken
