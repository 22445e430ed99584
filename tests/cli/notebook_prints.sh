# What does not depend on the training, as the chapter prints it.
need_fashion_mnist
wick notebook --limit 320 --epochs 1 --hidden-units 10 | sed '/^## 3\.3/,/^## 5/d; /^## 6\.2/,/^## 7\./d; /^## 7\.4/,$d'
