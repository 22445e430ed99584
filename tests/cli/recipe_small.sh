# Under 100,000 parameters. Six minutes on two cores, so one seed.
need_fashion_mnist
holds small 1 94.2
parameters=$(jsonget parameters <small-1/results.json)
[ "$parameters" -lt 100000 ] && echo "under 100,000 parameters"
