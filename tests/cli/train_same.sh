# One seed gives one result, whatever the number of threads; another seed another one.
mkidx tiny train=150
for model in v0 v1 v2; do
    for threads in 1 2 5; do
        wick train --data ./tiny --model $model --epochs 2 --threads $threads --out $model/$threads \
            --log-steps $model.$threads >/dev/null
        cmp $model.1 $model.$threads && cmp $model/1/model.pth $model/$threads/model.pth && echo "$model, $threads threads: the same"
    done
done
wick train --data ./tiny --model v0 --epochs 2 --seed 43 --out other --log-steps other.steps >/dev/null
cmp -s v0.1 other.steps || echo "seed 43: another"
