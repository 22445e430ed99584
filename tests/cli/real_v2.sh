# Model 2 is chaotic in its last digits: its first steps are PyTorch's, its end is where PyTorch's are.
need_fashion_mnist
wick train --model v2 --out run --log-steps steps >/dev/null
head -10 steps | awk '{ printf "%.4f\n", $1 }'
jsonget model_acc <run/results.json | awk '{ print ($1 >= 87.0 && $1 <= 89.5) ? "between 87.0 and 89.5" : "model_acc: " $1 }'
wick eval run --json | jsonget model_acc | cmp - - && [ "$(wick eval run --json | jsonget model_loss)" = "$(jsonget model_loss <run/results.json)" ] && echo "reloaded: the same"
