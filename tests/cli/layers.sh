# Sections 7.1 and 7.2 of the chapter.
wick layer 'Conv2d(3, 10, kernel_size=3)' --input 1,3,64,64 --seed 42
wick layer 'nn.Conv2d(in_channels=3, out_channels=10, kernel_size=(3, 3), stride=1, padding=0)' 'MaxPool2d(kernel_size=2)'
wick layer 'nn.MaxPool2d(2)' --input 1,1,2,2 --print
wick layer 'Flatten()' 'Linear(12, 2)' 'ReLU()' --input 2,3,2,2
wick layer 'MaxPool2d(2)' --input 1,1,2,2 --print --json
wick layer 'Flatten()' 'Linear(12, 2)' --input 2,3,2,2 --json | jsonget layers.length layers.1.output_shape input_shape
