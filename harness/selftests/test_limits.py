"""What a context takes away from its processes: permissions, open files, a place to write."""

from __future__ import annotations

import os
import sys

import pytest

from plait_harness.limits import Limits
from plait_harness.starter import Command

WRITE = """
import os, resource
try:
    open("made", "w").close()
    print(oct(os.stat("made").st_mode & 0o777))
except PermissionError:
    print("refused")
print(resource.getrlimit(resource.RLIMIT_NOFILE))
"""
TEMPLATE = '''
class Mine(FlowTest):
    """It."""

    @steps(0, ["start"])
    def first(self):
        self.large = b"large" * 50_000
        {first}

    @steps(2, ["all"])
    def rest(self):
        pass

    def check_results(self, flow, checker):
        checker.assert_artifact("end", "large", b"large" * 50_000)
'''


@pytest.fixture
def told(tmp_path, prepared, base_env):
    """Give a function that runs the program above, and what it printed."""

    def run(limits: Limits) -> list[str]:
        (tmp_path / "it").mkdir()
        (tmp_path / "it" / "program.py").write_text(WRITE)
        os.chmod(tmp_path / "it", 0o500 if limits.read_only else 0o700)
        out, err = str(tmp_path / "out"), str(tmp_path / "err")
        prepared.run(
            Command(
                argv=["program.py"],
                env=base_env,
                cwd=str(tmp_path / "it"),
                stdout=out,
                stderr=err,
                timeout=30,
                limits=limits.to_request(),
            )
        )
        with open(out, encoding="utf-8") as file:
            return file.read().splitlines()

    return run


def test_a_process_has_the_umask_and_the_open_files(told):
    """Both hold for a fork, which is otherwise like any other."""
    assert told(Limits(umask=0o077, open_files=48)) == ["0o600", "(48, 48)"]


@pytest.mark.skipif(sys.platform != "linux", reason="root gives up its rights by prctl")
def test_not_even_root_writes_where_nothing_can_be_made(told):
    """Permissions hold for every process of the case, whoever runs the harness."""
    assert Limits(read_only=True).find_lack() is None
    assert told(Limits(read_only=True))[0] == "refused"


def test_a_context_writes_its_umask_in_octal():
    """As in a shell; what it does not say is left as it is."""
    assert Limits.from_json({"umask": "077", "open_files": 48}) == Limits(0o077, 48)
    assert Limits.from_json({}).to_request() == {}


def test_a_case_runs_with_its_home_and_store_elsewhere(run_case, make_template, make_graph, shapes):
    """In a home with a space, with a folder that is for reading only; nothing is left there."""
    result = run_case(
        make_template(TEMPLATE.format(first="")),
        make_graph(shapes["linear"]),
        home="Zoë's home",
        env={"PLAIT_DATASTORE_ROOT": "{home}/.plait", "WHERE": "{folder}", "NUMBER": "{number}"},
        limits=Limits(read_only=True, umask=0o077, open_files=48),
    )

    assert not result.failed, result.failed
    assert os.path.isdir(os.path.join(result.folder, "_case", "Zoë's home", ".plait", "store"))
    assert sorted(os.listdir(result.folder)) == ["_case", "check.py", "flow.py"]


def test_permissions_that_the_umask_takes_away_are_found(
    run_case, make_template, make_graph, shapes
):
    """A file that is opened to others in spite of the umask is a failure."""
    opened = "import os; os.chmod('.plait/store', 0o755)"
    result = run_case(
        make_template(TEMPLATE.format(first=opened)),
        make_graph(shapes["linear"]),
        limits=Limits(umask=0o077),
    )

    (check,) = result.failed
    assert "store has the permissions 755 under the umask 077" in check.message
