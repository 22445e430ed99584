#!/bin/sh
# The chapter in C (examples/chapter.c) runs from data to the loaded model and prints the chapter's figures.
# usage: chapter_example.sh PROGRAM
set -eu
program=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
if ! "$program" >out 2>err; then
    cat err
    grep -q 'fashion-mnist' err && exit 77 # the data set is not installed
    exit 1
fi
fail() {
    echo "chapter_example: $1" >&2
    cat out >&2
    exit 1
}
while read -r line; do
    grep -qF -- "$line" out || fail "the output has no '$line'"
done <<'LINES'
60000 training and 10000 test images; the first is class 9, 'Ankle boot'
1875 training batches of 32, 313 test batches
Train loss: 1.09199 | Train acc: 61.34%
Test loss: 0.95636 | Test acc: 65.00%
Train loss: 0.78101 | Train acc: 71.93%
Test loss: 0.72227 | Test acc: 73.91%
Train loss: 0.67027 | Train acc: 75.94%
Test loss: 0.68500 | Test acc: 75.02%
FashionMNISTModelV0    0.476639  83.426518
FashionMNISTModelV1    0.685001  75.019968
The loaded model's loss is close to the saved one's: True
LINES
accuracy=$(sed -n 's/^FashionMNISTModelV2 *[0-9.]* *\([0-9.]*\) .*/\1/p' out)
awk -v a="$accuracy" 'BEGIN { exit !(a >= 87.0 && a <= 89.5) }' || fail "V2's accuracy is '$accuracy', not 87.0 to 89.5"
[ -s 03_pytorch_computer_vision_model_2.pth ] || fail "no model was saved"
