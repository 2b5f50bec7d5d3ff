"""Templates about tags and namespaces: whose a run is, and how people find it again."""

from plait_harness import FlowTest, steps

_ONE = {"single-linear-step": "tags are the run's, whatever its graph"}


class Tags(FlowTest):
    """Tags given to a run are on it, with blanks, quotes and any script, and steps see them."""

    PRIORITY = 70
    HEADER = """
GIVEN = frozenset({"späß mit tags", "刺身", "a:b/c", "it's \\"quoted\\"", "twice", "🐍"})
SYSTEM = ("date:", "plait_version:", "python_version:", "runtime:", "user:")
"""
    RUN_OPTIONS = [
        "--tag",
        "späß mit tags",
        "--tag",
        "刺身",
        "--tag=a:b/c",
        "--tag",
        'it\'s "quoted"',
        "--tag",
        "twice",
        "--tag",
        "twice",
        "--tag",
        "🐍",
    ]
    ONLY_GRAPHS = {
        "single-linear-step": "tags are the run's: here seen by single steps",
        "foreach-in-branch": "tags are the run's: here seen by tasks of every kind",
    }

    @steps(0, ["all"])
    def step_all(self):
        assert_equals(set(), GIVEN - current.tags)
        self.seen = sorted(current.tags)

    def check_results(self, flow, checker):
        user, system = checker.get_user_tags(), checker.get_system_tags()
        assert_equals(frozenset(), GIVEN - user)
        assert_equals(list(SYSTEM), sorted({tag.split(":")[0] + ":" for tag in system}))
        assert_equals(frozenset(), user & system)
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals(sorted(user | system), task.values["seen"])


class ChangedTags(FlowTest):
    """User tags can be added, removed and replaced after the run; system tags can't."""

    PRIORITY = 71
    RUN_OPTIONS = ["--tag", "first", "--tag", "second one"]
    ONLY_GRAPHS = _ONE

    @steps(0, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        before = checker.get_user_tags()
        system = checker.get_system_tags()
        assert_equals(frozenset(), {"first", "second one"} - before)

        checker.add_tag("größer als")
        checker.add_tag("größer als")
        assert_equals(before | {"größer als"}, checker.get_user_tags())
        checker.add_tags(["x", "y", "first"])
        assert_equals(before | {"größer als", "x", "y"}, checker.get_user_tags())
        checker.remove_tag("x")
        checker.remove_tags(["y", "never there"])
        assert_equals(before | {"größer als"}, checker.get_user_tags())
        checker.replace_tag("größer als", "kleiner als")
        assert_equals(before | {"kleiner als"}, checker.get_user_tags())
        checker.replace_tags(["first", "second one"], ["second one", "third"])
        assert_equals((before - {"first"}) | {"kleiner als", "third"}, checker.get_user_tags())

        a_system_tag = sorted(system)[0]
        try:
            checker.remove_tag(a_system_tag)
        except Exception as error:
            assert_equals((a_system_tag, True), (a_system_tag, a_system_tag in str(error)))
        else:
            raise ExpectationFailed("system tags to be refused", "nothing raised")
        assert_equals(system, checker.get_system_tags())

        # The next checker begins where this one did.
        checker.replace_tags(["kleiner als", "third"], ["first"])
        assert_equals(before, checker.get_user_tags())


class FoundByTags(FlowTest):
    """Runs are found by all of the tags asked for together, user's and system's."""

    PRIORITY = 72
    RUN_OPTIONS = ["--tag", "färbe: grün", "--tag", "shape: round"]
    ONLY_GRAPHS = _ONE

    @steps(0, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        run = checker.get_run()
        if run is None:
            raise NotOffered("only the client finds runs by tags")

        def found(*tags):
            return [each.id for each in run.parent.runs(*tags)]

        here = [checker.run_id]
        assert_equals(here, found())
        assert_equals(here, found("färbe: grün"))
        assert_equals(here, found("shape: round", "färbe: grün"))
        assert_equals(here, found("shape: round", sorted(run.system_tags)[0]))
        assert_equals([], found("shape: round", "färbe: blau"))
        assert_equals([], found("shape"))
        assert_equals(run.user_tags | run.system_tags, run.tags)
        assert_equals(run.tags, run["end"].task.tags)
        assert_equals(["end"], [step.id for step in run.steps("shape: round") if step.id == "end"])
        assert_equals([], list(run["end"].tasks("nobody's tag")))


class Namespaces(FlowTest):
    """A run of another namespace is invisible, and says so to those who name it."""

    PRIORITY = 73
    ENV = {"PLAIT_USER": "ada"}
    RUN_OPTIONS = ["--tag", "team: blue"]
    ONLY_GRAPHS = _ONE

    @steps(0, ["all"])
    def step_all(self):
        self.seen = (current.namespace, current.username)

    def check_results(self, flow, checker):
        checker.assert_artifact("end", "seen", ("user:ada", "ada"))
        run = checker.get_run()
        if run is None:
            raise NotOffered("only the client has a namespace")
        before = get_namespace()
        try:
            assert_equals("user:ada", default_namespace())
            for visible in ("user:ada", "team: blue", None):
                namespace(visible)
                assert_equals(visible, get_namespace())
                assert_equals(checker.run_id, Flow(checker.run.flow).latest_run.id)
                assert_equals(True, Run(run.pathspec).is_in_namespace())
            namespace("user:grace")
            assert_exception(lambda: Run(run.pathspec), PlaitNamespaceMismatch)
            assert_exception(lambda: Flow(checker.run.flow), PlaitNamespaceMismatch)
            assert_exception(lambda: Task(run["end"].task.pathspec), PlaitNamespaceMismatch)
            assert_equals(False, run.is_in_namespace())
            assert_exception(lambda: Run(checker.run.flow + "/9999"), PlaitNotFound)
        finally:
            namespace(before)
