# The recipes reach the accuracy that their first line names: chapter exactly, the others as a mean of three seeds, from
# which a single one may be off by some tenths.
need_fashion_mnist
holds() { # RECIPE SEED LEAST
    wick train --recipe $1 --seed $2 --no-figures --out $1-$2 >/dev/null 2>&1
    accuracy=$(jsonget accuracy <$1-$2/results.json)
    awk -v a="$accuracy" -v least=$3 'BEGIN { exit !(a >= least) }' || echo "$1, seed $2: $accuracy%, less than $3%"
}
holds chapter 42 87.5
for seed in 1 2 3; do
    holds fast $seed 91.9
    sum="${sum:-} $accuracy"
done
echo "$sum" | awk '{ mean = ($1 + $2 + $3) / 3; if (mean >= 92) print "fast reaches 92%"; else print "fast: " mean "%" }'
