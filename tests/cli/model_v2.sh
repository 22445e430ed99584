wick model v2 --dummy randn
wick model v1
wick model TinyVGG --hidden-units 64 --input 3,28,28 --classes 5
wick model v2 --json | jsonget model_name parameters multiply_adds layers.length layers.0.output_shape
wick model v0 --json --dummy rand --state-dict | jsonget output.0.length state_dict/layer_stack.2.bias/length state_dict/layer_stack.2.bias/0
