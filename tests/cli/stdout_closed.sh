# Output that does not arrive is a failure, and says so once.
wick model v0 >/dev/full
echo "full: exit $?" >&2
wick model v0 >&-
echo "closed: exit $?" >&2
wick help >/dev/full
echo "help, full: exit $?" >&2
mkidx tiny train=64 test=32 side=4
{
    sleep 0.2
    wick model v2 --state-dict
    echo "pipe: exit $?" >&2
} | true
wick train --data ./tiny --model v0 --epochs 1 --out run >&-
echo "train, closed: exit $?" >&2
wick train --data ./tiny --model v0 --epochs 1 --out run2 --log-steps /dev/full >/dev/null
echo "log, full: exit $?" >&2
wick train --data ./tiny --model v0 --epochs 1 --out run3 --log-steps none/steps >/dev/null
echo "log, nowhere: exit $?" >&2
wick train --data ./tiny --model v0 --epochs 2 --out run4 --checkpoint-every 3 --log-steps /dev/full >/dev/null 2>&1
wick train --resume run4 --checkpoint-every 1 >&-
echo "resume, closed: exit $?" >&2
wick train --resume run4 --json >/dev/full
echo "resume, full: exit $?" >&2
ls run4/results.json
# Nothing of it went into a file of the run.
head -c 15 run/results.csv
echo
