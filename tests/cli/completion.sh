# What the shells would offer. bash is always here; fish and zsh are asked where they are installed.
files=$CASES/../../tools/completion
command -v bash >/dev/null || skip "bash is not installed"
cat >ask <<'END'
. "$1/wick.bash"
ask() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _wick
    echo "$*:" "${COMPREPLY[@]}"
}
ask wick ''
ask wick tr
ask wick data ''
ask wick data g
ask wick data get ''
ask wick help da
ask wick help data i
ask wick train --ep
ask wick train --model ''
ask wick train --device c
ask wick eval --pre
ask wick model v
END
bash ask "$files"
# All flags of every command, and no others.
cat >flags <<'END'
. "$1/wick.bash"
COMP_WORDS=(wick $2 --) COMP_CWORD=$(set -- $2; echo $(($# + 1)))
_wick
printf '%s\n' "${COMPREPLY[@]}" | sort
END
for command in notebook "data info" "data show" "data get" train eval errors predict explain compare model layer bench; do
    bash flags "$files" "$command" >offered
    wick help $command | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | sort | diff - offered || echo "other flags: wick $command"
done
if command -v fish >/dev/null; then
    fish -c "source $files/wick.fish; complete -C 'wick trai'; complete -C 'wick train --epo'; complete -C 'wick train --model tin'" >offered 2>&1
    cut -f1 offered | tr '\n' ' ' | grep -qx 'train --epochs tinyvgg ' || cat offered
fi
if command -v zsh >/dev/null; then
    zsh -n "$files/_wick" || echo "zsh: not understood"
fi
