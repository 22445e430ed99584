# The manual has every command, what --help says of it, and every flag of it, with its text and default.
page=$CASES/../../docs/wick.1
sed 's/\\e/\\/g; s/\\-/-/g' "$page" >plain
for command in notebook "data info" "data show" "data get" train eval errors predict explain compare model layer bench; do
    sed -n "/^\.SS \"wick ${command}[ \"]/,/^\.S[SH] /p" plain | sed '$d' | tr '\n' ' ' | tr -s ' ' >section
    [ -s section ] || echo "no section: wick $command"
    # What stands before the flags, word by word: lines break elsewhere there, and lists have requests of their own.
    wick help $command | sed '1,/^Usage:/d;/^Flags:/,$d' | tr -s ' \n' '\n\n' | sed '/^$/d' >said
    sed -n "/^\.SS \"wick ${command}[ \"]/,/^\.S[SH] /p" plain | sed '1d;/^\.BI* --/,$d;/^\.S[SH] /,$d' |
        sed -E '/^\.(TP|RS|RE|PP|br|nf|fi)$/d; s/^\.(B|I|IP) //' | tr -s ' \n' '\n\n' | sed '/^$/d' >written
    diff said written >differences || { echo "wick $command is described otherwise:" && cat differences; }
    wick help $command | sed -n '/^Flags:/,/^Examples:/p' | sed '1d;/^ *--help/,$d' |
        sed -E 's/^  (--[a-z-]+)( [^ ]+)?  +(.*)/\n\1\n\3/; s/^ +//' >flags
    # A flag's name, then its text, then an empty line.
    awk -v RS= -F '\n' '{ text = $2; for (i = 3; i <= NF; i++) text = text " " $i; print $1 "\t" text }' flags |
        while IFS="$(printf '\t')" read -r flag text; do
            grep -qF -e "$flag " section || echo "wick $command: no $flag"
            grep -qF -e "$text" section || echo "wick $command: $flag is said to do something else"
        done
    wc -l <flags | tr -d ' ' >>lines
done
# (The test itself looked at something.)
awk '{ all += $1 } END { print (all > 60) ? "flags were found" : "no flags were found" }' lines
if command -v groff >/dev/null; then
    groff -man -ww -Tutf8 "$page" 2>&1 >/dev/null | sed 's/^/groff: /'
fi
for status in 0 1 2 130 143; do
    grep -qx "\.B $status" "$page" || echo "no exit status $status"
done
