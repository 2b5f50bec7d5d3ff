"""Templates about IncludeFile: the content of a file as it was when the run began."""

from plait_harness import FlowTest, steps

_SHAPES = {
    "linear": "the content is the same in every task: here from task to task",
    "three-level-foreach": "the content is the same in every task: here deep in foreaches",
    "foreach-width-0": "the content is the same in every task: here in a join without inputs",
}


class IncludedText(FlowTest):
    """Text files come as they were at launch, in their encoding, whatever happens to them later."""

    PRIORITY = 20
    HEADER = """
import os

EXPECTED = {
    "by_default": "first line\\n日本語 and ü\\n\\nno newline at the end",
    "by_option": "given on the command line\\n",
    "by_environment": "given in the environment\\n",
    "in_latin": "größer\\n",
    "empty": "",
    "with_line_ends": "of Windows\\nof old\\nand ours\\n",
    "not_given": None,
}
"""
    INCLUDE_FILES = {
        "by_default": {"default": "'texts/doc.txt'", "help": "'A text.'"},
        "by_option": {"required": True},
        "by_environment": {"default": "'absent.txt'"},
        "in_latin": {"default": "'latin.txt'", "encoding": "'latin-1'"},
        "empty": {"default": "'empty.txt'"},
        "with_line_ends": {"default": "'line-ends.txt'"},
        "not_given": {"required": False},
    }
    REQUIRED_FILES = {
        "line-ends.txt": b"of Windows\r\nof old\rand ours\n",
        "texts/doc.txt": "first line\n日本語 and ü\n\nno newline at the end",
        "given one.txt": "given on the command line\n",
        "environment.txt": "given in the environment\n",
        "latin.txt": "größer\n".encode("latin-1"),
        "empty.txt": "",
    }
    RUN_OPTIONS = ["--by_option", "given one.txt"]
    ENV = {"PLAIT_RUN_BY_ENVIRONMENT": "environment.txt"}
    ONLY_GRAPHS = _SHAPES

    @steps(0, ["start"])
    def step_start(self):
        with open(os.path.join("texts", "doc.txt"), "w") as file:
            file.write("changed while the flow runs")
        assert_equals(EXPECTED, {name: getattr(self, name) for name in EXPECTED})

    @steps(1, ["join"])
    def step_join(self):
        for flow in [self, *inputs]:
            assert_equals(EXPECTED, {name: getattr(flow, name) for name in EXPECTED})

    @steps(2, ["all"])
    def step_all(self):
        assert_equals(EXPECTED, {name: getattr(self, name) for name in EXPECTED})
        assert_exception(lambda: setattr(self, "by_default", "x"), AttributeError)

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals(EXPECTED, {name: task.values[name] for name in EXPECTED})


class IncludedBytes(FlowTest):
    """Binary files come byte by byte, large ones too."""

    PRIORITY = 21
    HEADER = """
BYTES = bytes(range(256)) * 2_000
"""
    INCLUDE_FILES = {
        "binary": {"is_text": False, "default": "'data.bin'"},
        "empty": {"is_text": False, "default": "'empty.bin'"},
        "looks_like_text": {"is_text": False, "default": "'text.txt'"},
    }
    REQUIRED_FILES = {
        "data.bin": bytes(range(256)) * 2_000,
        "empty.bin": b"",
        "text.txt": b"a\r\nb\r\n",
    }
    ONLY_GRAPHS = _SHAPES

    @steps(0, ["all"])
    def step_all(self):
        assert_equals(bytes, type(self.binary))
        assert_equals(True, self.binary == BYTES)
        assert_equals((b"", b"a\r\nb\r\n"), (self.empty, self.looks_like_text))

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals(True, task.values["binary"] == BYTES)
                assert_equals(b"a\r\nb\r\n", task.values["looks_like_text"])


class MissingFile(FlowTest):
    """A file that is not there is an error before anything runs, by parameter and path."""

    PRIORITY = 22
    SHOULD_FAIL = 2
    INCLUDE_FILES = {"document": {"default": "'no/such file.txt'"}}
    ONLY_GRAPHS = {"start-end": "the command fails before the graph matters"}

    @steps(0, ["all"])
    def step_all(self):
        raise AssertionError("no task may run")

    def check_results(self, flow, checker):
        assert_equals(None, checker.run_id)
        for said in ("document", "no/such file.txt"):
            assert_equals((said, True), (said, said in checker.console))
        assert_equals(False, "Traceback" in checker.console)
