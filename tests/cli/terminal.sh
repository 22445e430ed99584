# Images on a terminal, and none elsewhere; colours only where they are wanted.
command -v script >/dev/null || skip "script is not installed"
mkidx tiny train=200 test=32
wick train --data ./tiny --model v0 --epochs 1 --no-figures --out run >/dev/null
mkpic picture.png class=5
utf8=C.UTF-8
on_terminal() {
    script -qec "stty cols ${columns:-100}; $*" /dev/null </dev/null | tr -d '\r' >seen
}
count() {
    printf '%s ' "$1"
    grep -o "$2" seen | wc -l
}
half=$(printf '\342\226\200')
full=$(printf '\342\226\210')
true_colours=$(printf '\033\\[38;2;')
few_colours=$(printf '\033\\[38;5;')
escape=$(printf '\033')
for command in "wick data show --data ./tiny" "wick predict run picture.png" "wick explain run --index 1 --out x.png"; do
    echo "# $command"
    on_terminal "LC_ALL=$utf8 COLORTERM=truecolor $command"
    count "half blocks" "$half"
    count "in true colours" "$true_colours"
    on_terminal "LC_ALL=$utf8 COLORTERM= $command"
    count "half blocks" "$half"
    count "in 256 colours" "$few_colours"
    on_terminal "LC_ALL=$utf8 NO_COLOR=1 $command"
    count "with NO_COLOR: half blocks" "$half"
    count "colours" "$escape"
    grep -q "$full" seen && echo "shades"
    on_terminal "LC_ALL=C $command"
    count "without UTF-8: blocks" "$half"
    on_terminal "TERM=dumb LC_ALL=$utf8 $command"
    count "on a dumb terminal: blocks" "$half"
    LC_ALL=$utf8 $command >seen
    count "in a file: blocks" "$half"
done
echo "# as many beside each other as fit, and none wider than the terminal"
for columns in 100 40 20; do
    on_terminal "LC_ALL=$utf8 wick data show --data ./tiny --random 5"
    grep -c "$half" seen
    [ "$(sed 's/\x1b\[[0-9;]*m//g' seen | LC_ALL=$utf8 wc -L)" -le $columns ] || echo "too wide"
done
