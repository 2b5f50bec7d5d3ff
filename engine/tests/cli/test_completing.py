"""What a shell offers when somebody presses tab: asked as the scripts ask, and in a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from plait.cli.commands.completion import SCRIPTS
from plait.cli.plait import call_plait


@pytest.fixture
def ask(project, monkeypatch, capsys):
    """A function that gives what is offered after a line: of a flow, or of plait."""

    def ask(line: str) -> list[str]:
        monkeypatch.setenv("PLAIT_INTERNAL_COMPLETE", line)
        if line.startswith("plait"):
            assert call_plait([]) == 0
            said = capsys.readouterr().out
        else:
            said = project.call().out
        rows = [row.split("\t") for row in said.splitlines()]
        assert all(len(row) == 3 for row in rows)
        return [row[1] if row[0] == "plain" else row[0] for row in rows]

    return ask


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("plait sta", ["status"]),
        ("plait completion ", ["bash", "zsh", "fish"]),
        ("plait completion z", ["zsh"]),
        ("plait help gc", ["gc"]),
        ("plait gc --dry", ["--dry-run"]),
        ("plait nonsense --", []),
        ("python trial.py res", ["resume"]),
        ("python trial.py st", []),  # `step` is called by machines
        ("python trial.py --quiet ru", ["run"]),
        ("python trial.py --workers ", ["fork", "spawn", "inline"]),
        ("python trial.py --workers=sp", ["spawn"]),
        ("python trial.py --with re", ["retry", "resources"]),
        ("python trial.py run --user", ["--user_title", "--user-title"]),
        ("python trial.py run --max-w", ["--max-workers"]),
        ("python trial.py resume ", ["start", "work", "join", "end"]),
        ("python trial.py resume jo", ["join"]),
        ("python trial.py logs 3/w", ["3/work"]),
        ("python trial.py dump 3", []),
        ("python trial.py dump 3/work/", []),
        ("python trial.py help lo", ["logs"]),
    ],
)
def test_what_comes_next_is_offered(ask, line, offered) -> None:
    """Commands, options, values, parameters and steps, of plait and of a flow."""
    assert ask(line) == offered


def test_a_flow_with_mistakes_offers_no_steps(ask, project) -> None:
    """To say what is wrong with it is for whoever calls it."""
    source = project.script.read_text().replace("self.next(self.end)", "self.next(self.ned)")
    project.script.write_text(source)

    assert ask("python trial.py resume ") == []
    assert ask("python trial.py re") == ["resume", "report"]


BASH = """
plait() {{ {python} -c 'from plait.cli.plait import main; main()' "$@"; }}
source <(env -u PLAIT_INTERNAL_COMPLETE {python} -c 'from plait.cli.plait import main; main()' \
completion bash)
press() {{
    COMP_LINE="$1" COMP_POINT=${{#1}}
    read -ra COMP_WORDS <<< "$1"
    [[ "$1" == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
    $2 "${{COMP_WORDS[0]}}"
    echo "${{COMPREPLY[*]}}"
}}
complete -p plait python3
press 'plait tut' _plait
press '{python} trial.py resume w' _plait_python
press '{python} other.py resume w' _plait_python
press '{python} tri' _plait_python
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_a_real_bash_completes(project) -> None:
    """It offers what the programs say; a program that is no flow is not run."""
    (project.folder / "other.py").write_text("raise SystemExit(print('ran'))")
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH.format(python=sys.executable)],
        cwd=project.folder,
        env={name: text for name, text in os.environ.items() if not name.startswith("PLAIT_")},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "complete -F _plait plait",
        "complete -o default -F _plait_python python3",
        "tutorials",
        "work",
        "",
        "",
    ]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_take_their_scripts(shell: str) -> None:
    """Each is parsed where it is installed; what it opens, it closes, in any case."""
    script = SCRIPTS[shell]
    words = [line.split()[0] for line in script.splitlines() if line.strip()]
    if shutil.which(shell) is not None:
        subprocess.run([shell, "-n", "-c", script], check=True)

    assert "PLAIT_INTERNAL_COMPLETE=" in script
    assert script.count("{") == script.count("}")
    assert [words.count(word) for word in ("do", "then", "fi")] == [0, 0, shell == "zsh"]
    if shell == "fish":
        opened = sum(words.count(word) for word in ("function", "for", "switch"))
        assert words.count("end") == opened
    else:
        assert words.count("done") == words.count("for")
        assert words.count("esac") == words.count("case")
