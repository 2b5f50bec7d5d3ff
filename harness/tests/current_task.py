"""Templates about `current`: what a step may ask about its run and task."""

from plait_harness import FlowTest, steps

_SHAPES = {
    "start-end": "every task knows itself alike: here of the first and the last",
    "linear": "every task knows itself alike: here from one to the next",
    "two-way-branch": "every task knows itself alike: here in branches and their join",
    "simple-foreach": "every task knows itself alike: here in a foreach",
    "foreach-width-0": "every task knows itself alike: here in a join without inputs",
    "three-level-foreach": "every task knows itself alike: here deep in foreaches",
    "foreach-in-branch": "every task knows itself alike: here in mixed splits",
    "join-splits": "every task knows itself alike: here in a join that splits",
}


class CurrentTask(FlowTest):
    """`current` knows the run, step, task and attempt of every task, and no two are the same."""

    PRIORITY = 75
    PARAMETERS = {"alpha": {"default": 1}, "beta": {"default": "'b'"}}
    RUN_OPTIONS = ["--tag", "seen by current"]
    HEADER = """
NAMES = (
    "flow_name run_id step_name task_id pathspec retry_count origin_run_id namespace username "
    "parameter_names is_running_flow tags project_name"
).split()
"""
    ONLY_GRAPHS = _SHAPES

    @steps(0, ["all"])
    def step_all(self):
        self.facts = {name: getattr(current, name) for name in NAMES}
        for name in NAMES:
            assert_equals(self.facts[name], current.get(name))
            assert_equals((name, self.facts[name] is not None), (name, name in current))
        assert_equals("a default", current.get("no_such_fact", "a default"))
        assert_equals(False, "no_such_fact" in current)
        assert_exception(lambda: current.no_such_fact, AttributeError)

    def check_results(self, flow, checker):
        ids = []
        for step in flow:
            for task in checker.tasks(step.name):
                facts = task.values["facts"]
                expected = {
                    "flow_name": checker.run.flow,
                    "run_id": checker.run_id,
                    "step_name": step.name,
                    "task_id": task.task,
                    "pathspec": f"{checker.run.flow}/{checker.run_id}/{step.name}/{task.task}",
                    "retry_count": 0,
                    "origin_run_id": None,
                    "is_running_flow": True,
                    "project_name": None,
                    "parameter_names": ["alpha", "beta"],
                }
                got = {name: facts[name] for name in expected}
                assert_equals(expected, {**got, "parameter_names": sorted(got["parameter_names"])})
                assert_equals(True, "seen by current" in facts["tags"])
                assert_equals(f"user:{facts['username']}", facts["namespace"])
                assert_equals(True, f"user:{facts['username']}" in facts["tags"])
                ids.append(task.task)
        assert_equals(len(ids), len(set(ids)))


class CurrentOutsideARun(FlowTest):
    """Outside a run `current` says that none is running, and knows nothing."""

    PRIORITY = 76
    HEADER = (
        "from plait import current\n\nSEEN_AT_IMPORT = (current.is_running_flow, current.run_id)\n"
    )
    ONLY_GRAPHS = {"start-end": "what happens outside tasks is the same on every graph"}

    @steps(0, ["all"])
    def step_all(self):
        self.seen = SEEN_AT_IMPORT
        assert_equals(True, current.is_running_flow)

    def check_results(self, flow, checker):
        assert_equals((False, None), SEEN_AT_IMPORT)
        assert_equals((False, None), (current.is_running_flow, current.get("run_id")))
        for step in flow:
            checker.assert_artifact(step.name, "seen", (False, None))
