# The recipes reach the accuracy that their first line names: chapter exactly, the others as a mean of three seeds, from
# which a single one may be off by some tenths.
need_fashion_mnist
holds chapter 42 87.5
for seed in 1 2 3; do
    holds fast $seed 91.9
    sum="${sum:-} $accuracy"
done
echo "$sum" | awk '{ mean = ($1 + $2 + $3) / 3; if (mean >= 92) print "fast reaches 92%"; else print "fast: " mean "%" }'
