try wick --version
try wick --help
try wick
try wick help
try wick help data
try wick data --help
try wick data
try wick help nothing
# Both ways to ask for help say the same, and name every flag that a usage line could want.
for command in notebook "data info" "data show" "data get" train eval errors predict explain compare model layer bench; do
    wick help $command >one || echo "wick help $command: exit $?"
    wick $command --help >two || echo "wick $command --help: exit $?"
    cmp one two
    for part in "^wick $command - " "^Usage: wick $command" "^Flags:" "^  --help" "^Examples:" "^  wick $command"; do
        grep -q -- "$part" one || echo "wick help $command lacks $part"
    done
    [ "$(grep -c "^  wick $command" one)" -ge 2 ] || echo "wick help $command has too few examples"
    [ "$(wc -L <one)" -le 120 ] || echo "wick help $command is too wide"
done
wick help train
