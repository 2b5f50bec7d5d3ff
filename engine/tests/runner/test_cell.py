"""A notebook's cell as a program: what is kept of it, what it needs, and what it lacks."""

from __future__ import annotations

import linecache
import textwrap
from itertools import count
from typing import Any

import pytest

from plait.runner.cell import format_program
from plait.runner.errors import IncompleteCell, NoCellSource

_cells = count(1)


def run_cell(source: str, names: dict[str, Any]) -> None:
    """Run a cell as IPython does: its lines under a file's name of its own."""
    source = textwrap.dedent(source)
    name = f"<cell {next(_cells)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec", dont_inherit=True), names)


def program_of(*cells: str, flow: str = "F") -> str:
    """Give the program of the flow in the last of *cells*."""
    names: dict[str, Any] = {"__name__": "__main__", "get_ipython": lambda: None}
    for cell in cells:
        run_cell(cell, names)
    return format_program(names[flow], names)


FLOW = """
class F(FlowSpec):
    @step
    def start(self):
        {body}
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def test_a_whole_cell_becomes_a_program() -> None:
    """What stands before the class stays, what uses it after goes; comments stay."""
    cell = '''
    from plait import FlowSpec, step
    get_ipython()
    LIMIT = 3  # by hand

    def about(x):
        return LIMIT + x + extra()
    ''' + textwrap.indent(FLOW.format(body="self.x = about(1)  # note"), "    ") + '''
    def extra():
        return 1

    run = F(use_cli=False)
    if __name__ == "__main__":
        print("here")
    '''  # fmt: skip

    program = program_of(cell)

    assert program.startswith("from plait import FlowSpec, step\n\nLIMIT = 3")
    assert "# note" in program
    assert "def extra" in program
    assert "get_ipython" not in program
    assert "use_cli" not in program
    assert program.endswith('if __name__ == "__main__":\n    F()\n')
    assert "here" not in program
    compile(program, "F.py", "exec")


def test_imports_of_other_cells_are_taken_along() -> None:
    """Modules, classes, functions and decorators, under the names that they have here."""
    imports = """
    import json as js
    import os.path
    from collections import OrderedDict as Ordered
    from plait import FlowSpec, current, step
    """
    body = "self.x = js.dumps(Ordered(a=os.path.sep)) + str(current.run_id)"

    program = program_of(imports, FLOW.format(body=body))

    head = program[: program.index("class F")].split("\n")
    assert head[:6] == [
        "from plait.flow.spec import FlowSpec as FlowSpec",
        "from collections import OrderedDict as Ordered",
        "from plait import current",
        "import json as js",
        "import os as os",
        "from plait.flow.step import step as step",
    ]


def test_imports_from_the_future_stay_first() -> None:
    """A module cannot begin with anything else."""
    imports = "from plait import FlowSpec, step"
    cell = '"""A cell."""\nfrom __future__ import annotations\n' + FLOW.format(body="pass")

    program = program_of(imports, cell)

    compile(program, "F.py", "exec")
    assert "from plait.flow.spec import FlowSpec" in program


def test_what_only_another_cell_defines() -> None:
    """All of it is named, for there is no way to take it along."""
    other = "from plait import FlowSpec, step\nTABLE = [1]\ndef helper(): pass"

    with pytest.raises(IncompleteCell, match="flow 'F' uses 'TABLE', 'helper', 'typo'"):
        program_of(other, FLOW.format(body="self.x = (helper(), TABLE, typo, len)"))


def test_names_of_a_steps_own_are_not_missed() -> None:
    """Locals, comprehensions, globals that the cell sets."""
    body = "global seen; seen = [i for i in range(3)]; self.x = [seen, (lambda a: a)(1)]"

    assert "global seen" in program_of("from plait import FlowSpec, step", FLOW.format(body=body))


def test_a_class_whose_cell_cannot_be_found() -> None:
    """Each reason in words of its own."""
    hidden: dict[str, Any] = {"__name__": "__main__"}
    exec("from plait import FlowSpec, step\n" + FLOW.format(body="pass"), hidden)

    with pytest.raises(NoCellSource, match="does not have the text"):
        format_program(hidden["F"], hidden)
    with pytest.raises(NoCellSource, match="no methods of its own"):
        format_program(type("G", (), {}), {})
    with pytest.raises(NoCellSource, match="it is no class"):
        format_program("F", {})
    with pytest.raises(NoCellSource, match="does not hold the class"):
        program_of("from plait import FlowSpec, step", FLOW.format(body="pass") + "\nG = F; "
                   "G.__name__ = 'G'")  # fmt: skip
