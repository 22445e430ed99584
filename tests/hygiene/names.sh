#!/bin/sh
# The name of a source file is its own in the whole tree; and every oracle case has the script that made it.
#   names.sh ROOT
set -u
root=$1
cd "$root" || exit 1
bad=0

sources=$(find include src cli tests bench examples -name '*.[ch]' 2>/dev/null | sort)
count=$(printf '%s\n' "$sources" | wc -l)
for name in $(printf '%s\n' "$sources" | sed 's|.*/||' | sort | uniq -d); do
    echo "$name names more than one file:" $(printf '%s\n' "$sources" | grep "/$name\$")
    bad=1
done

for case in tests/oracle/*/; do
    [ -d "$case" ] || continue
    if [ ! -f "${case}make.py" ]; then
        echo "$case has no make.py: nobody can make its fixture again"
        bad=1
    fi
done
echo "$count source files"
[ $bad -eq 0 ] && [ "$count" -gt 1 ]
