mkidx tiny train=30 test=10
try wick data show --data ./tiny
try wick data show --data ./tiny --index 3
try wick data show --data ./tiny --split test --index 9
# As the chapter draws its random images: a torch.randint(0, 30, size=[1]) each, after torch.manual_seed(42).
try wick data show --data ./tiny --random 6
try wick data show --data ./tiny --random 2 --seed 7
wick data show --data ./tiny --random 3 --json >json
jsonget data split images.length images.0.index images.0.label images.0.image.length images.0.image.0.length <json
# The pixels are those of data info.
wick data info --data ./tiny --image 3 --json | jsonget image >one
wick data show --data ./tiny --index 3 --json | jsonget images.0.image | cmp - one
echo "# wrong usage"
try wick data show --data ./tiny --index 30
try wick data show --data ./tiny --index 1 --random 2
try wick data show --data ./tiny --random 0
try wick data show --data ./tiny --split validation
try wick data show --data nothing
try wick data show --data ./tiny --out picture.gif
try wick data show one
