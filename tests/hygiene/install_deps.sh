#!/bin/sh
# tools/install-deps.sh, with commands of our own in the place of the system's: what is there is not installed, what
# is missing is named before it is, and where there is no apt-get that is said.
#   install_deps.sh ROOT
set -u
script=$1/tools/install-deps.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/none"
bad=0

for name in sh env sort tr; do
    ln -s "$(command -v $name)" "$work/bin/$name"
    ln -s "$(command -v $name)" "$work/none/$name"
done
fake() { # NAME BODY...
    name=$1
    shift
    printf '#!/bin/sh\n%s\n' "$*" >"$work/bin/$name"
    chmod +x "$work/bin/$name"
}
# Everything is installed but what $work/missing names.
fake dpkg-query "for last; do :; done
while read -r name; do [ \"\$name\" = \"\$last\" ] && exit 1; done <'$work/missing'
printf 'install ok installed'"
fake apt-get "echo \"apt-get \$* (\$DEBIAN_FRONTEND)\""
fake id 'echo 0'

expect() { # WHAT EXPECTED GOT
    if [ "$2" != "$3" ]; then
        printf '%s: expected\n%s\nbut it says\n%s\n' "$1" "$2" "$3"
        bad=1
    fi
}
run() {
    PATH="$work/bin" "$script" "$@" 2>&1
}

: >"$work/missing"
expect 'nothing is missing' '' "$(run build test)"

printf 'meson\nlibcmocka-dev\n' >"$work/missing"
expect 'root' 'about to install: libcmocka-dev meson
apt-get -q update (noninteractive)
apt-get -q install -y --no-install-recommends libcmocka-dev meson (noninteractive)' "$(run build test)"

fake id 'echo 1000'
run build >/dev/null && { echo 'without root and sudo it must fail'; bad=1; }
# shellcheck disable=SC2016
fake sudo 'echo "sudo $*"'
expect 'a user with sudo' 'about to install: meson
sudo env DEBIAN_FRONTEND=noninteractive apt-get -q update
sudo env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends meson' "$(run build)"

got=$(PATH="$work/none" "$script" format 2>&1) || { echo 'without apt-get it must not fail'; bad=1; }
case $got in
*'no apt-get'*clang-format*) ;;
*) expect 'no apt-get' 'what to install by hand' "$got" ;;
esac

run nonsense >/dev/null && { echo 'an unknown group must fail'; bad=1; }
[ $bad -eq 0 ]
