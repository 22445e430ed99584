# A shape that does not fit: which layer, what came, what it wants.
try wick layer 'Conv2d(3, 10, kernel_size=3)' --input 1,4,64,64
try wick layer 'Conv2d(3, 10, kernel_size=3)' --input 1,3,2,2
try wick layer 'MaxPool2d(2)' 'Linear(5, 2)' --input 1,1,8,8
try wick layer 'Linear(5, 2)' --input 1,1,8,8 --json
try wick model v2 --input 1,2,2
try wick model v2 --input 1,32,32
