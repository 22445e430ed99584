# Figures are the machine's; what is said of them, and which there are, is not.
without_rates() {
    sed -E 's/ +[0-9]+\.[0-9]+%?/ N/g; s/ +N/ N/g; s/( N)+$/ N/; s/^((training|inference), batch [0-9]+) +([0-9]+) N.*/\1 \3 N/'
}
wick bench --seconds 0.1 --threads 2 --hidden-units 3 | sed 's/, kernels .*/, kernels K/' | without_rates
# The choice of kernels follows WICK_CPU, and is said to.
WICK_CPU=auto wick bench --model v0 --seconds 0.1 --threads 1 --verbose >auto
WICK_CPU=$(sed -n 's/^  \([^ ]*\) *needs .*used: the best that this processor runs$/\1/p' auto)
export WICK_CPU
[ -n "$WICK_CPU" ] || cat auto
wick bench --model v0 --seconds 0.1 --threads 1 --verbose >forced
grep -c "^  $WICK_CPU .*used: WICK_CPU asks for these" forced
head -1 forced | sed "s/$WICK_CPU/K/"
sed -n '/^Threads/,$p' forced
wick bench --json --seconds 0.1 --threads 2 --model v1 --batch-size 64 >json
jsonget machine.threads model_name batch_size layers.length work.length layers.0.kind layers.1.path layers.1.pass \
    layers.1.multiply_adds work.1.what work.1.batch_size work.1.threads work.5.multiply_adds <json
[ "$(jsonget machine.kernels <json)" = "$WICK_CPU" ] || echo "other kernels"
for path in machine.flops.all_threads machine.read_bytes_per_second.one_thread layers.1.share_of_peak \
    work.0.seconds work.5.flops; do
    jsonget $path <json | grep -q '^[0-9.e+-]*[1-9]' || echo "$path is no number above 0"
done
unset WICK_CPU
try wick bench --input 28,28
try wick bench --model v9
try wick bench --seconds 0
try wick bench --input 1,3,3
WICK_CPU=i386 try wick bench 2>&1 | sed 's/it has: .*/it has: .../'
# Ctrl-C ends it at once.
start_wick bench --seconds 200 >out 2>err
sleep 0.5
kill -INT $wick_pid
wait $wick_pid
echo "exit $?"
cat out err
