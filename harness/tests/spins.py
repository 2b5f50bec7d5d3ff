"""Templates about `spin`: one step alone, on what a past task of it had before it."""

from plait_harness import FlowTest, steps


class SpunAgain(FlowTest):
    """Each step, spun on a past task's inputs, sets what it had set, and no run knows of it."""

    PRIORITY = 75
    ONLY_GRAPHS = {
        "small-foreach": "a spin is of one task: here of a foreach and its join",
        "two-way-branch": "a spin is of one task: here in branches and their join",
        "foreach-width-0": "a spin is of one task: here of a join without inputs",
        "switch": "a spin is of one task: here of one that chooses",
    }

    @steps(0, ["join"])
    def step_join(self):
        self.mark = sorted(i.mark for i in inputs)

    @steps(1, ["all"])
    def step_all(self):
        self.mark = f"{current.step_name} {self.index}"

    def check_results(self, flow, checker):
        listed = sorted(
            checker.tasks(step.name)[0].task for step in flow if checker.tasks(step.name)
        )
        for step in flow:
            for task in checker.tasks(step.name):
                path = f"{checker.run_id}/{step.name}/{task.task}"
                said = checker.command(
                    ["--quiet", "spin", step.name, "--spin-pathspec", path]
                ).stdout
                mark = next(line for line in said.splitlines() if line.strip().startswith("mark "))
                assert_equals(repr(task.values["mark"]), mark.split("  ")[-1])
        again = sorted(
            checker.tasks(step.name)[0].task for step in flow if checker.tasks(step.name)
        )
        assert_equals(listed, again)
        found = checker.command(["tag", "list", "--run-id", "2"], expect=2)
        assert_equals(True, "error[no-such-run]" in found.stderr)
