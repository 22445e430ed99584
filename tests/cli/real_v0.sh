# The chapter's figures for model 0, every digit.
need_fashion_mnist
wick train --model v0 --out run | without_seconds | sed -E "s/('model_loss': ).*/\1N,/"
wick eval run --json | jsonget accuracy parameters
cat >chapter <<'END'
0.5904 0.5095 82.0387
0.4763 0.4799 83.1969
0.4550 0.4766 83.4265
END
tail -n +2 run/results.csv | awk -F, '{ printf "%.4f %.4f %.4f\n", $2, $4, $5 }' | diff chapter - && echo "the chapter's"
