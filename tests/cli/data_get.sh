# Mirrors that are away, refuse, break off, stall and lie, and one that is right.
need_fashion_mnist
serve /usr/share/datasets/fashion-mnist >port &
trap "kill $!" EXIT
until [ -s port ]; do sleep 0.05; done
port=$(cat port)
url=http://127.0.0.1:$port
get() {
    try wick data get fashion-mnist --data-dir data "$@" | sed "s/127\.0\.0\.1:$port/SERVER/g; s/Failed to connect.*/cannot be reached/"
    find data -type f 2>/dev/null | sort
}
wick data get fashion-mnist --data-dir data --mirror http://127.0.0.1:1/ 2>&1 | grep -q libcurl && skip "there is no libcurl"
get --mirror http://127.0.0.1:1/
get --mirror $url/refused/
get --mirror $url/short/
get --mirror $url/lie/
get --mirror $url/slow/ --timeout 1
get --mirror $url/refused/ --mirror $url/right/
# What is there and right is left as it is.
before=$(stat -c %i,%Y data/fashion-mnist/*)
get --mirror $url/refused/ --json | sed 1d | sed '$d' | grep -v '^data/' >/dev/null
[ "$before" = "$(stat -c %i,%Y data/fashion-mnist/*)" ] && echo "as it was"
wick data get fashion-mnist --data-dir data --json | jsonget name files.length files.3.path
wick data info --data-dir data --json | jsonget class_name train.count root
# Without a folder it goes to the user's cache.
wick data get fashion-mnist --mirror $url/right/ --json | jsonget files.0.path
XDG_CACHE_HOME=$PWD/cache wick data get fashion-mnist --mirror $url/right/ --json | jsonget files.0.path
try env -u HOME wick data get fashion-mnist
