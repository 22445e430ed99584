# Folders and files without rights. The superuser may do all, and becomes nobody for this.
as_user() { "$@"; }
if [ "$(id -u)" -eq 0 ]; then
    # What a build for coverage writes at its end, that user may not write where it belongs.
    mkdir -m 777 ../profiles
    as_user() { GCOV_PREFIX=$PWD/../profiles setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }
    as_user wick --version >/dev/null 2>&1 || skip "the superuser cannot become another user here"
fi
try_as_user() {
    try as_user "$@" | sed 's/^\$ as_user/$/'
}
mkidx tiny train=20 test=10 side=4
mkdir closed
chmod 700 tiny
chmod 555 closed
[ "$(id -u)" -eq 0 ] || chmod 0 tiny
try_as_user wick data info --data ./tiny
chmod 755 tiny
chmod 0 tiny/train-images-idx3-ubyte
[ "$(id -u)" -ne 0 ] || chmod 600 tiny/train-images-idx3-ubyte
try_as_user wick data info --data ./tiny
chmod 644 tiny/train-images-idx3-ubyte
try_as_user wick train --data ./tiny --model v0 --out closed/run
try_as_user wick train --data ./tiny --model v0 --out closed
try_as_user wick compare closed --csv closed/table.csv
ls -A closed
# A run of which a file cannot be read any more, or whose folder cannot be written to.
mkdir open
chmod 777 open
as_user wick train --data ./tiny --model v0 --out open/run --checkpoint-every 1 --log-steps /dev/full >/dev/null 2>&1
for file in args.json checkpoint.pth; do
    chmod 0 open/run/$file
    try_as_user wick train --resume open/run
    chmod 644 open/run/$file
done
chmod 555 open/run
try_as_user wick train --resume open/run --no-figures | sed '/^Epoch/d; /^---/d; /loss:/d; /^$/d'
chmod 755 open/run
as_user wick train --resume open/run --no-figures >/dev/null && ls open/run
