# fish completion for wick. The commands and flags are those that wick itself prints.

function __wick_commands
    wick help 2>/dev/null | string replace -rf '^  ([a-z]+)(?: [a-z]+)?  +(.*)' '$1\t$2' | string match -v 'wick*'
end

# The command on the line: "train", "data info".
function __wick_command
    set -l words (commandline -opc)
    if test (count $words) -lt 2
        return 1
    end
    if test $words[2] = data; and test (count $words) -ge 3
        echo data $words[3]
    else
        echo $words[2]
    end
end

function __wick_flags
    set -l command (__wick_command); or return
    wick help (string split ' ' $command) 2>/dev/null | string replace -rf '^  (--[a-z-]+)\S*(?: \S+)?  +(.*)' '$1\t$2'
end

function __wick_is
    set -l command (__wick_command)
    test "$command" = $argv[1]
end

function __wick_after
    set -l words (commandline -opc)
    contains -- $words[-1] $argv
end

set -g __wick_valued --model --device --dummy --data --data-dir --out --resume --csv --log-steps --plot --report \
    --split --invert --fit --background --image-size --channels --test-fraction --memory-limit --augment --normalize

complete -c wick -f
complete -c wick -n 'test (count (commandline -opc)) -eq 1' -a '(__wick_commands)'
complete -c wick -n 'test (count (commandline -opc)) -eq 1' -a help -d 'what a command does'
complete -c wick -n 'test (count (commandline -opc)) -eq 2; and __fish_seen_subcommand_from help' -a '(__wick_commands)'
complete -c wick -n 'test (count (commandline -opc)) -eq 2; and __fish_seen_subcommand_from data' -a 'info show get'
complete -c wick -n 'test (count (commandline -opc)) -ge 2; and not __wick_after $__wick_valued' -a '(__wick_flags)'
complete -c wick -n '__wick_after --model' -a 'v0 v1 v2 tinyvgg'
complete -c wick -n '__wick_after --device' -a 'auto cpu cuda'
complete -c wick -n '__wick_after --dummy' -a 'rand randn'
complete -c wick -n '__wick_after --data' -a 'fashion-mnist mnist kmnist emnist-letters emnist-balanced emnist-digits cifar10 cifar100 (__fish_complete_directories)'
complete -c wick -n '__wick_after --split' -a 'train test'
complete -c wick -n '__wick_after --invert' -a 'auto on off'
complete -c wick -n '__wick_after --fit' -a 'stretch pad'
complete -c wick -n '__wick_after --channels' -a '1 3'
complete -c wick -n '__wick_after --background' -a 'white black'
complete -c wick -n '__wick_after --data-dir --resume' -a '(__fish_complete_directories)'
complete -c wick -n '__wick_after --csv --log-steps --out --plot --report' -F
complete -c wick -n '__wick_is model' -a 'v0 v1 v2 tinyvgg'
complete -c wick -n '__wick_is "data get"' -a 'fashion-mnist mnist kmnist'
complete -c wick -n '__wick_is eval; or __wick_is predict; or __wick_is explain; or __wick_is errors; or __wick_is compare' -F
