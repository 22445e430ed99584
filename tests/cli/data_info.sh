mkidx tiny train=70 test=33 side=5 classes=4
wick data info --data ./tiny --image 0
gzip tiny/*images*
wick data info --data tiny --batch-size 10 --image 1 --json >json
jsonget image_shape batch_size classes train.count train.batches test.count test.batches label image.length <json
jsonget train.files.length train.files.0.path <json
# The sums are those of the files as they lie there.
sha256sum tiny/train-images-idx3-ubyte.gz | cut -d' ' -f1 >sum
[ "$(jsonget train.files.0.sha256 <json)" = "$(cat sum)" ] || echo "another sum"
wick data info --data tiny --limit 20 --json | jsonget train.count test.count
try wick data info --data tiny --image 70
