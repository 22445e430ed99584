try wick trian
try wick frobnicate
try wick data inof
try wick --frobnicate
try wick train --epoch 3
try wick train --frobnicate=3
try wick train -e 3
try wick train extra
try wick train --epochs
try wick train --epochs 0
try wick train --epochs=-3
try wick train --epochs three
try wick train --epochs 3x
try wick train --epochs ''
try wick train --epochs 99999999999999999999
try wick train --batch-size 0
try wick train --hidden-units 0
try wick train --lr 0
try wick train --lr nan
try wick train --lr -1
try wick train --lr fast
try wick train --seed -1
try wick train --seed 18446744073709551616
try wick train --threads 1025
try wick train --limit -1
try wick train --json=yes
try wick train --device gpu
try wick train --model v4
try wick train --model FashionMNISTModelV3
try wick train --model nonsense
try wick train --data fashion-mnst
try wick train --data nonsense
try wick notebook --model v2
try wick notebook --epochs 0
try wick eval
try wick eval one two
try wick eval weights.pth
try wick eval weights.pth --model v9
try wick compare
try wick compare --csv
try wick model
try wick model v9
try wick model v2 --input 28,28
try wick model v2 --input 1,28,28x
try wick model v2 --input 1,,28
try wick model v2 --input 0,28,28
try wick model v2 --input 1,2,3,4,5,6,7,8,9
try wick model v2 --dummy random
try wick model v2 --classes 0
try wick layer
try wick layer 'Conv3d(3, 10)'
try wick layer 'Conv2d(3, 10'
try wick layer 'Conv2d(3, 10, kernel_size=0)'
try wick layer 'Conv2d(3, 10, kernel_size=3, strid=2)'
try wick data get
try wick data get fashion-mnits
try wick data get mnist --timeout 0
try wick data get mnist --mirror
try wick data info --image -1
# None of these left anything behind.
ls -A
