# The chapter's figures for model 1, every digit.
need_fashion_mnist
wick train --model v1 --out run | without_seconds | sed -E "s/('model_loss': ).*/\1N,/"
