# Folders that are no data set, or hold some, and names that are nearly right.
say() {
    try wick data info --json "$@"
}
echo "# right in the folder: nothing, pictures"
mkdir empty loose
say --data ./empty
mkpic loose/cat.png
say --data ./loose
echo "# names"
say --data fashion
say --data EMNIST
say --data fashon-mnist
say --data cifar
say --data qqq
echo "# a root as torchvision or an archive leaves it"
mkdir -p root/FashionMNIST root/cifar-10-batches-bin root/EMNIST/raw
mkidx root/FashionMNIST/raw train=60000 test=10000 side=28
for file in emnist-digits-train-images-idx3-ubyte emnist-letters-test-labels-idx1-ubyte; do
    : >root/EMNIST/raw/$file
done
record=$(printf '%03072d' 0)
for file in data_batch_1 data_batch_2 data_batch_3 data_batch_4 data_batch_5 test_batch; do
    printf '\001%s\011%s' "$record" "$record" >root/cifar-10-batches-bin/$file.bin
done
say --data ./root
wick data info --data fashion-mnist --data-dir ./root --json | grep -o '"root": "[^"]*"'
# (They are found, and are not whole.)
say --data cifar10 --data-dir ./root
say --data emnist-digits --data-dir ./root
say --data emnist-letters --data-dir ./root
say --data kmnist --data-dir ./root
echo "# CIFAR's version for Python"
mkdir -p py/cifar-10-batches-py py/cifar-100-python other/train
printf '\200\002}' >py/cifar-10-batches-py/data_batch_1
printf '\200\002}' >py/cifar-100-python/train
for data in ./py ./py/cifar-10-batches-py ./py/cifar-100-python; do
    say --data $data
done
say --data cifar10 --data-dir ./py
say --data cifar100 --data-dir ./py/cifar-100-python
echo text >other/data_batch_1
say --data cifar10 --data-dir ./other
