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
        import os
        import shutil
        from contextlib import closing

        from plait import Flow, default_metadata, default_namespace, metadata, namespace
        from plait.wiring.stores import open_source

        os.chdir(checker.run.folder)
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
        # One that is kept is a store by itself, whatever stores its run had.
        step = next(step.name for step in flow if checker.tasks(step.name))
        task = checker.tasks(step)[0]
        path = f"{checker.run_id}/{step}/{task.task}"
        said = checker.command(["spin", step, "--spin-pathspec", path, "--persist"]).stdout
        place = next(line for line in said.splitlines() if line.startswith("kept in "))[8:]
        place = place.partition(";")[0]
        metadata(f"local@{place}")
        namespace(None)
        try:
            (kept,) = Flow(checker.run.flow)
            assert_equals(task.values["mark"], list(kept[step])[0].data.mark)
        finally:
            default_namespace()
            default_metadata()
        shutil.rmtree(place)
        # Others may have runs of the same flow; what ran in this folder is one run.
        with closing(open_source(None)) as stores:
            runs = stores.metadata.list_runs(checker.run.flow, limit=1000)
        script = os.path.join(checker.run.folder, "flow.py")
        mine = [run.key.run for run in runs if run.facts["script"] == script]
        assert_equals([checker.run_id], mine)
