"""Templates about whole runs: their ids, processes, random numbers, and facts in the client."""

from plait_harness import FlowTest, steps

_ALIKE = {
    "diamond-of-diamonds": "many times the same as join-splits",
    "eight-way-nested-branches": "many times the same as unequal-branches",
    "foreach-width-1": "the same as small-foreach but for the joins, which others look at",
    "foreach-width-1000": "a thousand times the same as small-foreach",
    "inner-width-0-for-all": "the same as inner-width-0-for-some but for the joins",
    "long-chain": "fifty times the same as linear",
    "nested-foreach-same-name": "the same as three-level-foreach but for the stack",
    "wide-branch": "twenty times the same as two-way-branch",
}


class RunIdFile(FlowTest):
    """The run's id is in the file asked for before the first task runs, and stays."""

    PRIORITY = 120
    RUN_OPTIONS = ["--run-id-file", "id of the run.txt"]
    LEAVES = ["id of the run.txt"]
    ONLY_GRAPHS = {
        "start-end": "the file is the run's, whatever its graph: here with few tasks",
        "two-way-branch": "the file is the run's, whatever its graph: here with several",
    }

    @steps(0, ["all"])
    def step_all(self):
        with open("id of the run.txt") as file:
            assert_equals(current.run_id, file.read())

    def check_results(self, flow, checker):
        with open(checker.run.folder + "/id of the run.txt") as file:
            assert_equals(checker.run_id, file.read())


class IsolatedTasks(FlowTest):
    """No task sees what another did to its modules, environment, directory or signals."""

    PRIORITY = 121
    HEADER = """
import os
import signal
import sys

COUNTER = [0]
"""
    SKIP_GRAPHS = _ALIKE

    @steps(0, ["all"])
    def step_all(self):
        COUNTER[0] += 1
        assert_equals(1, COUNTER[0])
        assert_equals(None, os.environ.get("LEFT_BY_A_TASK"))
        os.environ["LEFT_BY_A_TASK"] = "yes"
        assert_equals(True, os.path.exists("flow.py"))
        os.chdir("/")
        assert_equals(False, "left_by_a_task" in sys.modules)
        sys.modules["left_by_a_task"] = sys
        assert_equals(signal.SIG_DFL, signal.getsignal(signal.SIGTERM))
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        assert_equals(signal.default_int_handler, signal.getsignal(signal.SIGINT))
        assert_equals("", sys.stdin.read())
        self.process = os.getpid()

    def check_results(self, flow, checker):
        processes = [t.values["process"] for step in flow for t in checker.tasks(step.name)]
        assert_equals(len(processes), len(set(processes)))


class RandomState(FlowTest):
    """No two tasks draw the same random numbers, by Python's or NumPy's global state, unless seeded."""

    PRIORITY = 122
    HEADER = """
import random

import numpy.random  # as a whole, so that tasks begin with what it holds here
"""
    ONLY_GRAPHS = {
        "simple-foreach": "it is about tasks that begin from one state: here elements",
        "two-way-branch": "it is about tasks that begin from one state: here branches",
        "nested-foreach-same-name": "it is about tasks that begin from one state: here nested ones",
    }

    @steps(0, ["all"])
    def step_all(self):
        self.by_python = random.random()
        self.by_numpy = float(numpy.random.random())
        random.seed(5)
        numpy.random.seed(5)
        self.seeded = (random.random(), float(numpy.random.random()))

    def check_results(self, flow, checker):
        tasks = [task for step in flow for task in checker.tasks(step.name)]
        drawn = [task.values[name] for task in tasks for name in ("by_python", "by_numpy")]
        assert_equals(2 * len(tasks), len(set(drawn)))
        assert_equals(1, len({task.values["seeded"] for task in tasks}))


class FactsInTheClient(FlowTest):
    """The client knows when, how and in what order everything ran, and what led to what."""

    PRIORITY = 123
    ONLY_GRAPHS = {
        "single-linear-step": "it reads everything there is of a run: here of single steps",
        "unequal-branches": "it reads everything there is of a run: here of branches",
        "three-level-foreach": "it reads everything there is of a run: here of nested foreaches",
        "inner-width-0-for-some": "it reads everything there is of a run: here with empty splits",
        "join-fans-out": "it reads everything there is of a run: here of a join that splits",
    }

    @steps(0, ["join"])
    def step_join(self):
        self.position = tuple(frame[0] for frame in self.foreach_stack())
        self.last = "kept"

    @steps(1, ["all"])
    def step_all(self):
        self.position = tuple(frame[0] for frame in self.foreach_stack())
        self.last = "kept"

    def check_results(self, flow, checker):
        run = checker.get_run()
        if run is None:
            raise NotOffered("it is about the client")
        predicted = predict(flow.to_json())
        ran = [step.name for step in flow if predicted.counts[step.name]]
        assert_equals((True, True, "done"), (run.successful, run.finished, run.status))
        assert_equals(
            (checker.run_id, f"{checker.run.flow}/{checker.run_id}"), (run.id, run.pathspec)
        )
        assert_equals(True, run.created_at <= run.finished_at)
        assert_equals(("kept", "end"), (run.data.last, run.end_task.parent.id))
        assert_equals((run["end"].task.pathspec, None), (run.end_task.pathspec, run.origin_run_id))
        assert_equals(sorted(ran), sorted(step.id for step in run))
        assert_equals(True, all(name in run for name in ran))
        assert_equals(False, "no_such_step" in run)
        assert_exception(lambda: run["no_such_step"], KeyError)
        assert_equals("end", list(run)[0].id)

        for name in ran:
            step = run[name]
            tasks = {task.data.position: task for task in step}
            expected = {task.position: task for task in predicted.of(name)}
            assert_equals(sorted(expected), sorted(tasks))
            ids = [int(task.id) for task in step]
            assert_equals(sorted(ids, reverse=True), ids)
            ways = list(dict.fromkeys(p.step for e in expected.values() for p in e.parents))
            # A foreach over nothing goes straight to its join, which its step does not name.
            before = [way for way in ways if name in flow[way].targets] or ways
            assert_equals(before, [each.id for each in step.parent_steps])
            for position, task in tasks.items():
                facts = expected[position]
                parents = [(p.parent.id, p.data.position) for p in task.parent_tasks]
                assert_equals([(p.step, p.position) for p in facts.parents], parents)
                children = sorted(
                    tuple(each.id)[:2] for each in predicted.tasks if facts.id in each.parents
                )
                got = sorted((c.parent.id, c.data.position) for c in task.child_tasks)
                assert_equals(children, got)
                assert_equals((facts.index, 0), (task.index, task.attempt))
                assert_equals((True, True, None), (task.successful, task.finished, task.exception))
                times = [run.created_at, task.created_at, task.finished_at, run.finished_at]
                assert_equals(sorted(times), times)
                for parent in task.parent_tasks:
                    assert_equals(True, parent.finished_at <= task.finished_at)
                assert_equals(("kept", True), (task.data.last, "last" in task.data))
                assert_equals(False, "no_such_artifact" in task.data)
                assert_exception(lambda: task["no_such_artifact"], KeyError)
                assert_exception(lambda: task.data.no_such_artifact, AttributeError)
                artifact = task["last"]
                assert_equals(("kept", "last"), (artifact.data, artifact.id))
                assert_equals(64, len(artifact.sha))
                assert_equals(True, artifact.size > 0)
                again = Task(task.pathspec)
                assert_equals((task.id, "kept"), (again.id, again.data.last))


class InheritedParts(FlowTest):
    """A flow has the parameters, attributes and methods of its bases, and its own in their place."""

    PRIORITY = 124
    HEADER = '''
from plait import FlowSpec, Parameter, step


class Tools:
    """A mixin that is no flow."""

    def times(self, number):
        return self.scale * number

    @property
    def half(self):
        return self.scale / 2


class Base(Tools, FlowSpec):
    """A flow of its own, of which the one under test takes what it does not replace."""

    scale = 3
    table = {"from": "base"}
    kept = Parameter("kept", default=5)
    replaced = Parameter("replaced", default="base")

    @step
    def start(self):
        self.next(self.end)
        raise AssertionError("the flow has a step of that name")

    @step
    def end(self):
        raise AssertionError("the flow has a step of that name")

    @staticmethod
    def plus_one(number):
        return number + 1

    @classmethod
    def own_name(cls):
        return cls.__name__


FlowSpec = Base
'''
    PARAMETERS = {"replaced": {"default": "'flow'"}}
    CLASS_VARS = {"table": {"from": "flow"}}
    ONLY_GRAPHS = {
        "single-linear-step": "what a class has is the same on every graph: here in single steps",
        "branch-in-foreach": "what a class has is the same on every graph: here within splits",
    }

    @steps(0, ["all"])
    def step_all(self):
        self.called = (self.times(4), self.half, self.plus_one(1), self.own_name())

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                values = task.values
                assert_equals((12, 1.5, 2, checker.run.flow), values["called"])
                assert_equals((3, {"from": "flow"}), (values["scale"], values["table"]))
                assert_equals((5, "flow"), (values["kept"], values["replaced"]))
