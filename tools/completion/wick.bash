# bash completion for wick. The commands and flags are those that wick itself prints.

_wick_flags() {
    # shellcheck disable=SC2086
    wick help $1 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p'
}

_wick_commands() {
    wick help 2>/dev/null | sed -n 's/^  \([a-z]*\)\( [a-z]*\)\{0,1\}  .*/\1/p' | grep -v '^wick$' | sort -u
}

_wick() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} first=2
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_wick_commands) help --help --version" -- "$current")
        return
    fi
    if [ "$command" = help ]; then
        if [ "$COMP_CWORD" -eq 2 ]; then
            mapfile -t COMPREPLY < <(compgen -W "$(_wick_commands)" -- "$current")
            return
        fi
        command=${COMP_WORDS[2]}
        first=3
    fi
    if [ "$command" = data ] && [ "$COMP_CWORD" -ge "$first" ]; then
        if [ "$COMP_CWORD" -eq "$first" ]; then
            mapfile -t COMPREPLY < <(compgen -W "info show get --help" -- "$current")
            return
        fi
        command="data ${COMP_WORDS[first]}"
    fi
    case $previous in
    --model) mapfile -t COMPREPLY < <(compgen -W "v0 v1 v2 tinyvgg" -- "$current") ;;
    --device) mapfile -t COMPREPLY < <(compgen -W "auto cpu cuda" -- "$current") ;;
    --dummy) mapfile -t COMPREPLY < <(compgen -W "rand randn" -- "$current") ;;
    --data)
        mapfile -t COMPREPLY < <(compgen -W "fashion-mnist mnist kmnist emnist-letters emnist-balanced emnist-digits cifar10 cifar100" -- "$current"
            compgen -d -- "$current")
        ;;
    --split) mapfile -t COMPREPLY < <(compgen -W "train test" -- "$current") ;;
    --invert) mapfile -t COMPREPLY < <(compgen -W "auto on off" -- "$current") ;;
    --fit) mapfile -t COMPREPLY < <(compgen -W "stretch pad" -- "$current") ;;
    --channels) mapfile -t COMPREPLY < <(compgen -W "1 3" -- "$current") ;;
    --background) mapfile -t COMPREPLY < <(compgen -W "white black" -- "$current") ;;
    --data-dir | --resume) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    --csv | --log-steps | --out | --plot | --report) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    *) _wick_words ;;
    esac
}

# A flag or an operand of the command.
_wick_words() {
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_wick_flags "$command")" -- "$current")
        return
    fi
    case $command in
    model) mapfile -t COMPREPLY < <(compgen -W "v0 v1 v2 tinyvgg" -- "$current") ;;
    'data get') mapfile -t COMPREPLY < <(compgen -W "fashion-mnist mnist kmnist" -- "$current") ;;
    eval | predict | explain | errors) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    compare) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    esac
}

complete -o filenames -F _wick wick
