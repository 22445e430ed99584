# A third of an hour on two cores, so one seed, the least accurate of the three that the recipe's first line names the
# mean of. On another processor its last digits are others, and some ten images of the 10,000.
need_fashion_mnist
holds best 3 94.9
echo "best was trained"
