"""The command `plait completion`: a script by which a shell completes plait and flows."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import click

from plait.cli.command import Command
from plait.cli.screen import Screen

# Each script asks the program itself, with the line so far in a variable. `python FILE.py` is asked
# only if FILE names FlowSpec: any other program of somebody's would run.

_BASH = r"""# Completes plait, and flows called as `python FLOW.py`, in bash.
_plait_offer() {
    local kind value rest
    COMPREPLY=()
    while IFS=$'\t' read -r kind value rest; do
        case "$kind" in
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(PLAIT_INTERNAL_COMPLETE="${COMP_LINE:0:COMP_POINT}" "$@" 2>/dev/null </dev/null)
}
_plait() {
    _plait_offer "$1"
}
_plait_python() {
    local flow="${COMP_WORDS[1]/#\~/$HOME}"
    COMPREPLY=()
    if ((COMP_CWORD > 1)) && [[ "$flow" == *.py ]] && grep -qs FlowSpec -- "$flow"; then
        _plait_offer "$1" "$flow"
    fi
}
complete -F _plait plait
complete -o default -F _plait_python python python3
"""

_ZSH = r"""#compdef plait
# Completes plait, and flows called as `python FLOW.py`, in zsh.
_plait_offer() {
    local line; local -a parts plain
    for line in ${(f)"$(PLAIT_INTERNAL_COMPLETE="${(j: :)words[1,CURRENT]}" "$@" 2>/dev/null)"}; do
        parts=("${(@ps:\t:)line}")
        case $parts[1] in
            dir) _path_files -/ ;;
            file) _path_files ;;
            plain) plain+=("${parts[2]//:/\\:}:$parts[3]") ;;
        esac
    done
    (( $#plain )) && _describe plait plain
}
_plait() {
    _plait_offer plait
}
_plait_python() {
    local flow=${words[2]/#\~/$HOME}
    if (( CURRENT > 2 )) && [[ $flow == *.py ]] && grep -qs FlowSpec -- $flow; then
        _plait_offer $words[1] $flow
    else
        (( $+functions[_python] )) || autoload -Uz _python
        _python "$@"
    fi
}
compdef _plait plait
compdef _plait_python python python3
"""

_FISH = r"""# Completes plait, and flows called as `python FLOW.py`, in fish.
function __plait_offer
    for line in (env PLAIT_INTERNAL_COMPLETE=(commandline -cp) $argv 2>/dev/null)
        set -l parts (string split \t -- $line)
        switch $parts[1]
            case dir
                __fish_complete_directories (commandline -ct)
            case file
                __fish_complete_path (commandline -ct)
            case plain
                printf '%s\t%s\n' $parts[2] "$parts[3]"
        end
    end
end
function __plait_is_flow
    set -l words (commandline -opc)
    test (count $words) -gt 1
    and string match -q '*.py' -- $words[2]
    and grep -qs FlowSpec -- $words[2]
end
function __plait_offer_flow
    set -l words (commandline -opc)
    __plait_offer $words[1] $words[2]
end
complete -c plait -f -a '(__plait_offer plait)'
complete -c python -n __plait_is_flow -f -a '(__plait_offer_flow)'
complete -c python3 -n __plait_is_flow -f -a '(__plait_offer_flow)'
"""

SCRIPTS: Mapping[str, str] = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
"""The script of each shell."""


@click.command(
    cls=Command,
    examples={
        "bash": "the script for bash: source <(plait completion bash), in ~/.bashrc",
        "zsh": "the one for zsh: source <(plait completion zsh), in ~/.zshrc after compinit",
        "fish": "the one for fish: plait completion fish | source, in config.fish",
    },
)
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
def completion(shell: str) -> None:
    """Print the script that completes plait, and flows called as `python FLOW.py`, in a shell.

    To complete a flow's command line, its file is run up to the line that starts the flow.
    """
    Screen(sys.stdout).write(SCRIPTS[shell])
