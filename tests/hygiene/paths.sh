#!/bin/sh
# No file names a folder of somebody's machine or the host of a package registry.
#   paths.sh ROOT
set -u
root=$1
cd "$root" || exit 1

list=$(mktemp)
trap 'rm -f "$list"' EXIT
if git -C . rev-parse --git-dir >/dev/null 2>&1 && [ "$(git rev-parse --show-prefix 2>/dev/null)" = "" ]; then
    git ls-files --cached --others --exclude-standard >"$list"
else
    find . -type f ! -path './build*/*' ! -path './.git/*' >"$list"
fi
[ -s "$list" ] || { echo "no files in $root"; exit 1; }

# In pieces, so that this file is none of those that it looks for.
folders='(^|[^A-Za-z0-9_.~)-])/(wo''rk|ro''ot|ho''me)(/|[^A-Za-z0-9_-]|$)'
hosts='py''pi\.org|pythonho''sted\.org|deb\.deb''ian\.org|security\.deb''ian\.org|npm''js\.org|crates\.i''o'
hosts="$hosts|proxy\\.gol""ang\\.org|rubyg""ems\\.org|repo\\.ma""ven"

bad=0
# -I: not in binary fixtures. tr: names with spaces.
tr '\n' '\0' <"$list" | xargs -0 grep -InE -e "$folders" -- && { echo "^ a folder of one machine"; bad=1; }
tr '\n' '\0' <"$list" | xargs -0 grep -InEi -e "$hosts" -- && { echo "^ a package registry"; bad=1; }
echo "$(wc -l <"$list") files"
[ $bad -eq 0 ]
