"""Templates about what is done with runs afterwards: resumed, damaged and verified, cleaned up."""

from plait_harness import FlowTest, steps


class ResumedByCommand(FlowTest):
    """`resume` runs what failed and all after it, takes over the rest, and ends as a run that went well."""

    PRIORITY = 130
    SHOULD_FAIL = True
    PARAMETERS = {"alpha": {"default": "1"}}
    RUN_OPTIONS = ["--alpha", "5"]
    LEAVES = ["mended", "resumed-id"]
    HEADER = "import os\n"
    ONLY_GRAPHS = {"small-foreach": "it has a task that fails between others that do not"}

    @steps(0, ["foreach-inner-small"], required=True)
    def step_inner(self):
        self.ran_in = (current.run_id, current.origin_run_id)
        print("element", self.index)
        if self.index == 1 and not os.path.exists("mended"):
            raise ResumeFromHere

    @steps(1, ["join"])
    def step_join(self):
        self.ran_in = (current.run_id, current.origin_run_id)
        self.order = [(item.index, item.ran_in) for item in inputs]
        self.from_start = inputs[0].from_start

    @steps(2, ["all"])
    def step_all(self):
        self.ran_in = (current.run_id, current.origin_run_id)
        if current.step_name == "start":
            self.from_start = list(range(30_000))

    def check_results(self, flow, checker):
        import pickle

        os.chdir(checker.run.folder)
        with open("mended", "w"):
            pass
        try:
            checker.command(
                ["resume", "--origin-run-id", checker.run_id, "--run-id-file", "resumed-id"]
            )
        finally:
            # The next checker begins where this one did.
            os.unlink("mended")
        with open("resumed-id") as file:
            resumed = file.read()
        checker.command(["dump", resumed, "--file", "resumed.pickle"])
        with open("resumed.pickle", "rb") as file:
            tasks = pickle.load(file)
        os.unlink("resumed.pickle")
        there = {}
        for name, values in tasks.items():
            there.setdefault(name.split("/")[2], []).append(values)
        taken, anew = (checker.run_id, None), (resumed, checker.run_id)
        # Where one task runs at a time, the third element had not begun when the second failed.
        third = taken if len(checker.tasks("inner")) == 3 else anew
        expected = {"inner": [taken, anew, third], "join": [anew], "end": [anew]}
        for step in flow:
            ran_in = [values["ran_in"] for values in there[step.name]]
            assert_equals((step.name, expected.get(step.name, [taken])), (step.name, ran_in))
            assert_equals({5}, {values["alpha"] for values in there[step.name]})
        assert_equals(list(enumerate(expected["inner"])), there["join"][0]["order"])
        assert_equals(list(range(30_000)), there["end"][0]["from_start"])
        printed = checker.command(["logs", f"{resumed}/inner", "--stdout"]).stdout
        said = [line.partition("] ")[2] for line in printed.splitlines()]
        assert_equals(["element 0", "element 1", "element 2"], said)
        if checker.get_run() is not None:
            run = Run(f"{checker.run.flow}/{resumed}")
            assert_equals(("done", checker.run_id), (run.status, run.origin_run_id))
            origin = f"{checker.run.flow}/{checker.run_id}/start/1"
            assert_equals(origin, run["start"].task.origin_pathspec)
            assert_equals(None, run["end"].task.origin_pathspec)


class ResumedAtEnd(FlowTest):
    """A run that failed in its last step is resumed there."""

    PRIORITY = 130
    SHOULD_FAIL = True
    LEAVES = ["mended", "resumed-id"]
    HEADER = "import os\n"
    ONLY_GRAPHS = {"start-end": "the end alone is what runs again"}

    @steps(0, ["end"], required=True)
    def step_end(self):
        self.ran_in = current.run_id
        if not os.path.exists("mended"):
            raise ResumeFromHere

    @steps(1, ["all"])
    def step_all(self):
        self.ran_in = current.run_id

    def check_results(self, flow, checker):
        os.chdir(checker.run.folder)
        with open("mended", "w"):
            pass
        try:
            checker.command(
                ["resume", "--origin-run-id", checker.run_id, "--run-id-file", "resumed-id"]
            )
        finally:
            # The next checker begins where this one did.
            os.unlink("mended")
        with open("resumed-id") as file:
            resumed = file.read()
        for step, expected in (("start", checker.run_id), ("end", resumed)):
            said = checker.command(["dump", f"{resumed}/{step}", "--include", "ran_in"]).stdout
            assert_equals((step, repr(expected)), (step, said.split()[-1]))


class ResumedFromStep(FlowTest):
    """`resume STEP` of a run that is done runs that step and all after it again, and nothing else."""

    PRIORITY = 131
    LEAVES = ["resumed-id"]
    ONLY_GRAPHS = {"linear": "it has steps before and after the one that runs again"}

    @steps(0, ["all"])
    def step_all(self):
        self.ran_in = current.run_id

    def check_results(self, flow, checker):
        import os

        os.chdir(checker.run.folder)
        names = [step.name for step in flow]
        again = names[len(names) // 2]
        checker.command(
            ["resume", again, "--origin-run-id", checker.run_id, "--run-id-file", "resumed-id"]
        )
        with open("resumed-id") as file:
            resumed = file.read()
        for step in flow:
            said = checker.command(["dump", f"{resumed}/{step.name}", "--include", "ran_in"]).stdout
            expected = resumed if names.index(step.name) >= names.index(again) else checker.run_id
            assert_equals((step.name, repr(expected)), (step.name, said.split()[-1]))


class DamagedStore(FlowTest):
    """A value or a seal that is not as it was written is told by whoever reads it, and by verify."""

    PRIORITY = 132
    HEADER = "LARGE = bytes(range(256)) * 400\n"
    ONLY_GRAPHS = {"start-end": "it is about files, whichever tasks they are of"}

    @steps(0, ["all"])
    def step_all(self):
        self.large = LARGE + current.step_name.encode()
        self.small = "small of " + current.step_name

    def check_results(self, flow, checker):
        import contextlib
        import io
        import os

        from plait.cli.plait import call_plait

        def verify():
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                return call_plait(["verify"])

        os.chdir(checker.run.folder)
        assert_equals(0, verify())
        files = [
            os.path.join(folder, name)
            for folder, _, names in os.walk(".plait/store")
            for name in names
        ]
        values = [file for file in files if "/data/" in file]
        # The run's parameters are sealed like a task's results, which are those of `start` here.
        seals = [file for file in files if f"/{checker.run_id}/start/" in file]
        assert_equals((2, 1), (len(values), len(seals)))
        for file in (values[0], *seals):
            with open(file, "rb") as source:
                whole = source.read()
            middle = len(whole) // 2
            flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
            last = whole[:-1] + bytes([whole[-1] ^ 1])
            damages = [(flipped, []), (last, []), (whole[:-1], [])]
            if file in seals:
                # Told also where what is asked for lies in another file, and is as it was.
                time = whole.index(b'"started":') + len(b'"started":1')
                later = whole[:time] + bytes([whole[time] ^ 1]) + whole[time + 1 :]
                damages += [(whole[:-1], ["--include", "large"]), (later, ["--include", "large"])]
            for damaged, more in damages:
                os.unlink(file)
                with open(file, "wb") as target:
                    target.write(damaged)
                wanted = ["dump", checker.run_id, "--file", "all.pickle", *more]
                told = checker.command(wanted, expect=None)
                assert_equals((file, 1, True), (file, told.code, "error[" in told.stderr))
                assert_equals((file, 1), (file, verify()))
            with open(file, "wb") as target:
                target.write(whole)
        assert_equals(0, verify())


class CleanedStore(FlowTest):
    """`gc --keep-runs` takes whole runs away, and no value that a run which stays refers to."""

    PRIORITY = 133
    LEAVES = ["id", "other"]
    ONLY_GRAPHS = {"linear": "a resumed run refers to the steps before the one that runs again"}

    @steps(0, ["all"])
    def step_all(self):
        self.large = [current.run_id, current.step_name, *range(30_000)]
        self.small = [current.run_id, current.step_name]

    def check_results(self, flow, checker):
        if checker.get_run() is not None:
            raise NotOffered("it is about commands")
        import contextlib
        import io
        import os
        import pickle

        from plait.cli.plait import call_plait

        def call(*arguments):
            checker.command(["--datastore-root", "other", *arguments, "--run-id-file", "id"])
            with open("id") as file:
                return file.read()

        def house(*arguments):
            with contextlib.redirect_stdout(io.StringIO()) as out:
                assert_equals(0, call_plait([*arguments, "--datastore-root", "other"]))
            return out.getvalue()

        os.chdir(checker.run.folder)
        first = call("run")
        resumed = call("resume", "end")
        alone = call("run")
        assert_equals(True, "would be removed" in house("gc", "--keep-runs", "1", "--dry-run"))
        for kept, gone in (((resumed, alone), (first,)), ((alone,), (first, resumed))):
            house("gc", "--keep-runs", str(len(kept)))
            house("verify")
            for run in gone:
                checker.command(["--datastore-root", "other", "dump", run], expect=2)
            for run in kept:
                checker.command(["--datastore-root", "other", "dump", run, "--file", "all.pickle"])
                with open("all.pickle", "rb") as file:
                    tasks = pickle.load(file)
                os.unlink("all.pickle")
                assert_equals(len(list(flow)), len(tasks))
                for name, values in tasks.items():
                    step = name.split("/")[2]
                    ran = first if run == resumed and step != "end" else run
                    assert_equals([ran, step], values["small"])
                    assert_equals([ran, step, *range(30_000)], values["large"])
        house("gc", "--keep-runs", "0")
        left = [name for _, _, names in os.walk("other/store") for name in names]
        assert_equals([], left)


class KilledRun(FlowTest):
    """A run whose process is killed is lost; what its tasks finished is kept, and it can be resumed."""

    PRIORITY = 134
    SHOULD_FAIL = -9
    LEAVES = ["begun", "stopped", "mended", "resumed-id"]
    HEADER = '''
import os
import signal
import time


def find_parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def wait_for(is_so, what):
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def is_there(path):
    return lambda: os.path.exists(path)


def has_ended(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def kill_run_after_right():
    """Kill the run's process at a moment when it has not heard yet of a task that has ended."""
    # A task's parent is the keeper, its is the warden, and that one's is the run's process.
    run = find_parent(find_parent(os.getppid()))
    # A stopped process launches nothing: the task that is to end has to be there before.
    wait_for(is_there("begun"), "the other task does not begin")
    with open("begun") as file:
        right = int(file.read())
    os.kill(run, signal.SIGSTOP)
    with open("stopped", "w"):
        pass
    # Whichever store it is: what a task has kept it has kept when its process ends.
    wait_for(lambda: has_ended(right), "the other task does not end")
    os.kill(run, signal.SIGKILL)
    time.sleep(60)
'''
    ONLY_GRAPHS = {"two-way-branch": "of two tasks at once, one can see to what the run knows"}

    @steps(0, ["branch-inner"], required=True)
    def step_inner(self):
        self.ran_in = current.run_id
        if current.step_name == "right":
            with open("begin", "w") as file:
                file.write(str(os.getpid()))
            os.rename("begin", "begun")
            wait_for(is_there("stopped"), "the run is not stopped")
            print("from right")
        elif not os.path.exists("mended"):
            kill_run_after_right()

    @steps(1, ["all"])
    def step_all(self):
        self.ran_in = current.run_id
        print("from", current.step_name)

    def check_results(self, flow, checker):
        run = checker.get_run()
        if run is not None:
            assert_equals(("lost", False, True), (run.status, run.successful, run.finished))
        for step in ("start", "right"):
            checker.assert_artifact(step, "ran_in", checker.run_id)
        checker.assert_log("start", "stdout", "from start\n")
        assert_equals([], checker.tasks("join"))
        os.chdir(checker.run.folder)
        with open("mended", "w"):
            pass
        try:
            checker.command(
                ["resume", "--origin-run-id", checker.run_id, "--run-id-file", "resumed-id"]
            )
        finally:
            # The next checker begins where this one did.
            os.unlink("mended")
        with open("resumed-id") as file:
            resumed = file.read()
        for step in flow:
            said = checker.command(["dump", f"{resumed}/{step.name}", "--include", "ran_in"]).stdout
            expected = checker.run_id if step.name in ("start", "right") else resumed
            assert_equals((step.name, repr(expected)), (step.name, said.split()[-1]))


class RunInMemory(FlowTest):
    """Under `plait.testing` a flow leaves the same artifacts, logs and parents as a run of it does."""

    PRIORITY = 135
    PARAMETERS = {"alpha": {"default": "1"}}
    RUN_OPTIONS = ["--alpha", "7", "--tag", "in memory"]
    LEAVES = ["__pycache__"]
    ONLY_GRAPHS = {
        "branch-in-foreach": "it is about what tasks leave: here within splits",
        "switch-in-foreach": "it is about what tasks leave: here where a value says which run",
    }

    @steps(0, ["all"])
    def step_all(self):
        self.seen = (current.step_name, self.index, self.alpha, "in memory" in current.tags)
        self.stack = [frame[:2] for frame in self.foreach_stack()]
        print("from", current.step_name, self.index)

    def check_results(self, flow, checker):
        import contextlib
        import importlib
        import io

        from plait.testing import run_flow, run_step

        cls = getattr(importlib.import_module("flow"), checker.run.flow)
        with contextlib.redirect_stdout(io.StringIO()):
            run = run_flow(cls, parameters={"alpha": 7}, tags=["in memory"])
        assert_equals("done", run.status)
        for step in flow:
            real = checker.tasks(step.name)
            if not real:
                continue
            told = sorted(run[step.name], key=lambda task: int(task.id))
            for name in ("seen", "stack"):
                left = sorted(repr(task.values[name]) for task in real)
                assert_equals(left, sorted(repr(getattr(task.data, name)) for task in told))
            for task in told:
                assert_equals(f"from {step.name} {task.index}\n", task.stdout)
        (first,) = checker.tasks("start")
        with contextlib.redirect_stdout(io.StringIO()):
            alone = run_step(cls.start, parameters={"alpha": 7})
        assert_equals(("start", None, 7), alone["seen"][:3])
        assert_equals(True, alone.successful)
        assert_equals([], [name for name in alone.next if name not in dir(cls)])
        assert_equals(first.values["stack"], alone.artifacts["stack"])
