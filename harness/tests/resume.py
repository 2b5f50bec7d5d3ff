"""Templates about `resume`: what is taken over, what runs again, and what is refused."""

from plait_harness import FlowTest, steps, tag

_SHAPES = {
    "single-linear-step": "what is taken over is each task's own: here of single steps",
    "two-way-branch": "what is taken over is each task's own: here of branches",
    "branch-in-foreach": "what is taken over is each task's own: here within splits",
    "switch-recursive": "what is taken over is each task's own: here of rounds",
}

_ONE = {"small-foreach": "it is about the command, whatever the graph: here with a few tasks"}


class _Marked(FlowTest):
    """Each task leaves the run that it ran in, in an artifact and in its log."""

    RESUME = True

    @steps(100, ["all"])
    def step_all(self):
        print("ran in", current.run_id)
        self.ran_in = current.run_id

    def check_results(self, flow, checker):
        checker.assert_status("done")
        for step in flow:
            checker.assert_ran(step.name, "ran_in")
            for task in checker.tasks(step.name):
                # What a clone's code printed can be read where the clone is.
                printed = checker.log_dict(step.name, "stdout", lines=True)[task.task]
                assert_equals(f"ran in {task.values['ran_in']}\n", printed)
        assert_equals(1, len(checker.origins))
        run = checker.get_run()
        if run is not None:
            assert_equals((checker.origins[-1], True), (run.origin_run_id, run.successful))
            origin = Run(f"{checker.run.flow}/{checker.origins[-1]}")
            assert_equals(("failed", False), (origin.status, origin.successful))


class ResumeAtEnd(_Marked):
    """A run that failed in its last step goes on there, and takes over all tasks before it."""

    PRIORITY = 300
    ONLY_GRAPHS = {
        "start-end": "what is taken over follows from what comes before: here one task",
        "unequal-branches": "what is taken over follows from what comes before: here of branches",
        "wide-branch": "what is taken over follows from what comes before: here of many branches",
        "foreach-width-0": "what is taken over follows from what comes before: here of a foreach over nothing",
        "inner-width-0-for-some": "what is taken over follows from what comes before: here of one within one",
        "branch-in-foreach": "what is taken over follows from what comes before: here of mixed splits",
        "three-level-foreach": "what is taken over follows from what comes before: here of nested ones",
        "join-splits": "what is taken over follows from what comes before: here of a join that splits",
        "switch": "what is taken over follows from what comes before: here of a switch",
        "switch-in-foreach": "what is taken over follows from what comes before: here of one for each element",
        "switch-recursive": "what is taken over follows from what comes before: here of rounds",
        "switch-self-loop": "what is taken over follows from what comes before: here of a step that follows itself",
    }

    @steps(0, ["end"], required=True)
    def step_end(self):
        print("ran in", current.run_id)
        self.ran_in = current.run_id
        if not is_resumed():
            raise ResumeFromHere


class ResumeAtStart(_Marked):
    """A run that failed in its first step takes nothing over, and runs whole."""

    PRIORITY = 301
    ONLY_GRAPHS = _SHAPES

    @steps(0, ["start"], required=True)
    def step_start(self):
        print("ran in", current.run_id)
        self.ran_in = current.run_id
        if not is_resumed():
            raise ResumeFromHere


class ResumeAtSplit(_Marked):
    """A run that failed in a split goes on there; where others ran beside it, they are kept."""

    PRIORITY = 302
    ONLY_GRAPHS = {
        "two-way-branch": "a split fails like any step: here the first one",
        "small-foreach": "a split fails like any step: here of a foreach",
        "three-level-foreach": "a split fails like any step: here one that is many tasks",
        "foreach-in-branch": "a split fails like any step: here beside another branch",
        "join-fans-out": "a split fails like any step: here one that is a join, too",
    }

    @steps(0, ["split", "foreach"], required=True)
    def step_split(self):
        print("ran in", current.run_id)
        self.ran_in = current.run_id
        if not is_resumed():
            raise ResumeFromHere


class ResumeInner(_Marked):
    """Of the elements of a foreach those that finished are taken over, and the others run."""

    PRIORITY = 303
    ONLY_GRAPHS = {
        "small-foreach": "each element is taken over by itself: here one step each",
        "branch-in-foreach": "each element is taken over by itself: here with branches in them",
        "three-level-foreach": "each element is taken over by itself: here with elements of their own",
        "switch-in-foreach": "each element is taken over by itself: here each on its own way",
        "switch-recursive": "each element is taken over by itself: here each with rounds of its own",
    }

    @steps(0, ["foreach-inner"], required=True)
    def step_inner(self):
        print("ran in", current.run_id)
        self.ran_in = current.run_id
        # The first of the elements fails, and others run beside it.
        if not is_resumed() and self.foreach_stack()[0][0] == 0:
            raise ResumeFromHere


class ResumeAtJoin(_Marked):
    """A run that failed in a join goes on there, with what the tasks before it left."""

    PRIORITY = 304
    ONLY_GRAPHS = {
        "two-way-branch": "a join fails like any step: here of branches",
        "small-foreach": "a join fails like any step: here of a foreach",
        "foreach-width-0": "a join fails like any step: here without inputs",
        "foreach-in-branch": "a join fails like any step: here of mixed splits",
        "three-level-foreach": "a join fails like any step: here one that is many tasks",
        "join-fans-out": "a join fails like any step: here one that splits again",
        "switch-in-branch": "a join fails like any step: here behind a switch",
    }

    @steps(0, ["join"], required=True)
    def step_join(self):
        print("ran in", current.run_id)
        self.ran_in = current.run_id
        self.ran_before = [item.ran_in for item in inputs]
        if not is_resumed():
            raise ResumeFromHere


class ResumeFromStep(_Marked):
    """`resume STEP` runs a step again that succeeded, with all that comes after it."""

    PRIORITY = 305
    RESUME_STEP = "split"
    ONLY_GRAPHS = {
        "small-foreach": "it is about a step and what follows it: here a foreach",
        "foreach-width-0": "it is about a step and what follows it: here one over nothing",
        "switch-recursive": "it is about a step and what follows it: here one of rounds",
    }

    @steps(0, ["end"])
    def step_end(self):
        print("ran in", current.run_id)
        self.ran_in = current.run_id
        if not is_resumed():
            raise ResumeFromHere


class ResumeFromInnerStep(_Marked):
    """`resume STEP` of a step within a foreach runs it for every element, and no split again."""

    PRIORITY = 306
    RESUME_STEP = "inner"
    ONLY_GRAPHS = {
        "small-foreach": "it is about every element of a foreach: here one step each",
        "foreach-width-0": "it is about every element of a foreach: here there is none",
        "foreach-in-branch": "it is about every element of a foreach: here beside a branch",
    }

    @steps(0, ["end"])
    def step_end(self):
        print("ran in", current.run_id)
        self.ran_in = current.run_id
        if not is_resumed():
            raise ResumeFromHere


class ResumeOfResume(_Marked):
    """A run that was resumed and failed again is resumed, and keeps what both had finished."""

    PRIORITY = 307
    RESUME = 2
    LEAVES = ["failed"]
    HEADER = "import os\n"
    ONLY_GRAPHS = {
        **_SHAPES,
        "three-level-foreach": "what is taken over is each task's own: here deep in foreaches",
        "wide-branch": "what is taken over is each task's own: here of twenty branches",
    }

    @steps(0, ["start"])
    def step_start(self):
        print("ran in", current.run_id)
        self.ran_in = current.run_id

    @steps(1, ["end"])
    def step_end(self):
        print("ran in", current.run_id)
        self.ran_in = current.run_id
        if not os.path.exists("failed"):
            os.mkdir("failed")
            raise ResumeFromHere

    @steps(2, ["all"])
    def step_all(self):
        print("ran in", current.run_id)
        self.ran_in = current.run_id
        if not is_resumed() and (self.index or 0) == 0:
            raise ResumeFromHere

    def check_results(self, flow, checker):
        checker.assert_status("done")
        assert_equals(2, len(checker.origins))
        for step in flow:
            checker.assert_ran(step.name, "ran_in")
            for task in checker.tasks(step.name):
                printed = checker.log_dict(step.name, "stdout", lines=True)[task.task]
                assert_equals(f"ran in {task.values['ran_in']}\n", printed)
        # Of each run something was worth keeping.
        ran = {task.values["ran_in"] for step in flow for task in checker.tasks(step.name)}
        assert_equals({*checker.origins, checker.run_id}, ran)


class ResumeLosesNothing(FlowTest):
    """What a run finished is still there for the third one, when the second failed at once."""

    PRIORITY = 308
    RESUME = 2
    RUN_OPTIONS = ["--max-workers", "1"]
    RESUME_OPTIONS = ["--max-workers", "1"]
    LEAVES = ["failed"]
    HEADER = "import os\n"
    ONLY_GRAPHS = {"small-foreach": "its first element comes before the others, with one worker"}

    # While it waits for its next attempt, the others run.
    @tag("retry(times=1, minutes_between_retries=0.005)")
    @steps(0, ["foreach-inner"], required=True)
    def step_inner(self):
        self.ran_in = current.run_id
        if self.index == 0 and not is_resumed():
            raise ResumeFromHere
        if self.index == 0 and not os.path.exists("failed"):
            os.mkdir("failed")
            print("ResumeFromHere, without another attempt", flush=True)
            os._exit(202)

    @steps(1, ["all"])
    def step_all(self):
        self.ran_in = current.run_id

    def check_results(self, flow, checker):
        checker.assert_status("done")
        for step in flow:
            checker.assert_ran(step.name, "ran_in")
        first, _second = checker.origins
        ran = [task.values["ran_in"] for task in checker.tasks("inner")]
        assert_equals([checker.run_id, first, first], ran)


class ResumeOfAWideRun(FlowTest):
    """A foreach that was allowed its width goes on without being allowed it again."""

    PRIORITY = 309
    RESUME = True
    RUN_OPTIONS = ["--max-num-splits", "3", "--max-workers", "1"]
    RESUME_OPTIONS = ["--max-num-splits", "2"]
    ONLY_GRAPHS = {"small-foreach": "it is about the width of one foreach: here three elements"}

    @steps(0, ["foreach-inner"], required=True)
    def step_inner(self):
        self.ran_in = current.run_id
        if self.index == 2 and not is_resumed():
            raise ResumeFromHere

    @steps(1, ["all"])
    def step_all(self):
        self.ran_in = current.run_id

    def check_results(self, flow, checker):
        checker.assert_status("done")
        (origin,) = checker.origins
        ran = [task.values["ran_in"] for task in checker.tasks("inner")]
        assert_equals([origin, origin, checker.run_id], ran)


class ResumedValues(FlowTest):
    """What a task left before is what those after it are given in the resumed run, in order."""

    PRIORITY = 309
    RESUME = True
    HEADER = "import os\n"
    ONLY_GRAPHS = {
        "join-fans-out": "it follows values along every path: here by a join that splits",
        "branch-in-foreach": "it follows values along every path: here by branches in a foreach",
        "three-level-foreach": "it follows values along every path: here deep in foreaches",
    }

    @steps(0, ["start"])
    def step_start(self):
        self.position = ()
        self.tokens = [os.urandom(8)]
        self.large = os.urandom(200_000)

    @steps(1, ["join"], required=True)
    def step_join(self):
        if not is_resumed():
            self.never_seen = True
            raise ResumeFromHere
        self.position = tuple(frame[0] for frame in self.foreach_stack())
        self.tokens = [token for item in inputs for token in item.tokens]
        self.merge_artifacts(inputs, include=["large"])

    @steps(2, ["all"])
    def step_all(self):
        self.position = tuple(frame[0] for frame in self.foreach_stack())
        self.tokens = [*self.tokens, os.urandom(8)]

    def check_results(self, flow, checker):
        checker.assert_status("done")
        tokens = {}
        for task in predict(flow.to_json()).tasks:
            (values,) = [
                seen.values
                for seen in checker.tasks(task.step)
                if seen.values["position"] == task.position
            ]
            assert_equals(False, "never_seen" in values)
            given = [token for each in task.inputs for token in tokens[each]]
            if not flow[task.step].join:
                given.append(values["tokens"][-1])
            assert_equals(given, values["tokens"])
            tokens[task.id] = given
        for step in flow:
            checker.assert_artifact(step.name, "large", checker.tasks("start")[0].values["large"])
        run = checker.get_run()
        if run is not None:
            origin = Run(f"{checker.run.flow}/{checker.origins[-1]}")
            for name in ("tokens", "large"):
                was, is_now = origin["start"].task[name], run["start"].task[name]
                assert_equals((was.sha, was.data), (is_now.sha, is_now.data))


class ResumeWithParameters(_Marked):
    """Parameters are those of the run that is resumed, however they came to it."""

    PRIORITY = 310
    PARAMETERS = {"alpha": {"default": 1}, "beta": {"default": "'b'"}, "gamma": {"type": "str"}}
    RUN_OPTIONS = ["--alpha", "5", "--gamma", "größer"]
    ENV = {"PLAIT_RUN_BETA": "from the environment"}
    ONLY_GRAPHS = _SHAPES

    @steps(0, ["end"])
    def step_end(self):
        print("ran in", current.run_id)
        self.ran_in = current.run_id
        self.seen = (self.alpha, self.beta, self.gamma)
        if not is_resumed():
            raise ResumeFromHere

    def check_results(self, flow, checker):
        expected = (5, "from the environment", "größer")
        checker.assert_artifact("end", "seen", expected)
        for step in flow:
            checker.assert_ran(step.name, "ran_in")
            for task in checker.tasks(step.name):
                values = task.values
                assert_equals(expected, (values["alpha"], values["beta"], values["gamma"]))


class ResumeRefusesParameters(FlowTest):
    """A parameter given to `resume` is refused, with what to do instead, and no run is made."""

    PRIORITY = 311
    RESUME = True
    SHOULD_FAIL = 2
    PARAMETERS = {"alpha": {"default": 1}}
    RESUME_OPTIONS = ["--alpha", "7"]
    ONLY_GRAPHS = _ONE

    @steps(0, ["end"])
    def step_end(self):
        raise ResumeFromHere

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        assert_equals(None, checker.run_id)
        for said in ("error[parameter-in-resume]", "--alpha", "why:", "fix:"):
            assert_equals((said, True), (said, said in checker.console))
        assert_equals(False, "Traceback" in checker.console)


class ResumeOfWhatIsNotThere(FlowTest):
    """To resume a run that is not there is refused, and the message names those that are."""

    PRIORITY = 312
    RESUME = True
    SHOULD_FAIL = 2
    RESUME_OPTIONS = ["--origin-run-id", "987654"]
    ONLY_GRAPHS = _ONE

    @steps(0, ["end"])
    def step_end(self):
        raise ResumeFromHere

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        assert_equals(None, checker.run_id)
        latest = f"its latest are: {checker.origins[-1]}"
        for said in ("error[nothing-to-resume]", "987654", latest, "fix:"):
            assert_equals((said, True), (said, said in checker.console))
        assert_equals(False, "Traceback" in checker.console)


class ResumeWithoutAStepThatFinished(FlowTest):
    """A run that finished a step which the code has no longer is refused, and the step is named."""

    PRIORITY = 313
    RESUME = True
    SHOULD_FAIL = True
    RESUME_CHANGES = {"def inner(": "def innner(", "self.inner,": "self.innner,"}
    ONLY_GRAPHS = {"small-foreach": "it is about a step that the template knows by name"}

    @steps(0, ["end"])
    def step_end(self):
        raise ResumeFromHere

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        assert_equals(None, checker.run_id)
        for said in ("error[origin-changed]", "'inner'", "'innner'", checker.origins[-1], "fix:"):
            assert_equals((said, True), (said, said in checker.console))
        assert_equals(False, "Traceback" in checker.console)


class ResumeWithOtherCode(_Marked):
    """Code that was mended is what runs, of what runs; what finished is as the code was then."""

    PRIORITY = 314
    CLASS_VARS = {"LEVEL": 1}
    RESUME_CHANGES = {
        'raise ResumeFromHere("to be mended")': "self.mended = True",
        'made_by = "old"': 'made_by = "new"',
        "LEVEL = 1": "LEVEL = 2",
    }
    ONLY_GRAPHS = {
        "two-way-branch": "what runs is the code as it is: here behind branches",
        "switch-recursive": "what runs is the code as it is: here behind rounds",
    }

    @steps(0, ["end"])
    def step_end(self):
        print("ran in", current.run_id)
        self.ran_in = current.run_id
        self.made_by = "old"
        raise ResumeFromHere("to be mended")

    @steps(1, ["all"])
    def step_all(self):
        print("ran in", current.run_id)
        self.ran_in = current.run_id
        self.made_by = "old"

    def check_results(self, flow, checker):
        checker.assert_status("done")
        checker.assert_artifact("end", "mended", True)
        for step in flow:
            checker.assert_ran(step.name, "ran_in")
            for task in checker.tasks(step.name):
                # A class attribute is the code's, and no result.
                assert_equals(2, task.values["LEVEL"])
                by = "new" if task.values["ran_in"] == checker.run_id else "old"
                assert_equals(by, task.values["made_by"])


class ResumeWithTags(_Marked):
    """A resumed run has the tags that it is given, and none of the run before it."""

    PRIORITY = 315
    RUN_OPTIONS = ["--tag", "first", "--tag", "both"]
    RESUME_OPTIONS = ["--tag", "größer als", "--tag", "both"]
    ONLY_GRAPHS = _ONE

    @steps(0, ["join"])
    def step_join(self):
        self.ran_in = current.run_id
        self.tags = set(current.tags)
        if not is_resumed():
            raise ResumeFromHere

    def check_results(self, flow, checker):
        given = {"größer als", "both"}
        (join,) = checker.tasks("join")
        assert_equals(given, join.values["tags"] & {"first", *given})
        assert_equals(given, set(checker.get_user_tags()))
        run = checker.get_run()
        if run is not None:
            origin = Run(f"{checker.run.flow}/{checker.origins[-1]}")
            assert_equals({"first", "both"}, set(origin.user_tags))


class ResumeWithRunIdFile(_Marked):
    """The id of the resumed run, a new one, is in the file asked for before a task runs."""

    PRIORITY = 316
    RESUME_OPTIONS = ["--run-id-file", "id of the resumed.txt"]
    LEAVES = ["id of the resumed.txt"]
    ONLY_GRAPHS = _ONE

    @steps(0, ["join"])
    def step_join(self):
        self.ran_in = current.run_id
        if not is_resumed():
            raise ResumeFromHere
        with open("id of the resumed.txt") as file:
            assert_equals(current.run_id, file.read())
        assert_equals(True, current.run_id != origin_run_id_for_resume())

    def check_results(self, flow, checker):
        with open(checker.run.folder + "/id of the resumed.txt") as file:
            assert_equals(checker.run_id, file.read())
        assert_equals(False, checker.run_id in checker.origins)


class ResumeAroundDecorators(FlowTest):
    """What a retry or a @catch ended well is taken over as it ended; what failed begins anew."""

    PRIORITY = 317
    RESUME = True
    ONLY_GRAPHS = {
        **_SHAPES,
        "small-foreach": "what is taken over is each task's own: here of elements",
    }

    @tag("retry(times=2, minutes_between_retries=0)")
    @steps(0, ["start"])
    def step_start(self):
        print("attempt", current.retry_count)
        self.attempt, self.ran_in = current.retry_count, current.run_id
        if current.retry_count < 2:
            raise TestRetry

    @tag("retry(times=1, minutes_between_retries=0)")
    @steps(1, ["end"])
    def step_end(self):
        print("attempt", current.retry_count)
        self.attempt, self.ran_in = current.retry_count, current.run_id
        if not is_resumed():
            raise ResumeFromHere

    @steps(2, ["foreach", "switch"])
    def step_split(self):
        print("attempt", current.retry_count)
        self.attempt, self.ran_in = current.retry_count, current.run_id

    @tag("catch(var='caught', print_exception=False)")
    @tag("retry(times=1, minutes_between_retries=0)")
    @steps(3, ["all"])
    def step_all(self):
        print("attempt", current.retry_count)
        self.attempt, self.ran_in = current.retry_count, current.run_id
        raise ValueError("passed over")

    def check_results(self, flow, checker):
        checker.assert_status("done")
        for step in flow:
            checker.assert_ran(step.name, "ran_in")
            caught = step.name not in ("start", "end") and step.kind not in ("foreach", "switch")
            last = 2 if step.name == "start" else int(caught)
            for task in checker.tasks(step.name):
                assert_equals(last, task.values["attempt"])
                printed = checker.log_dict(step.name, "stdout", lines=True)[task.task]
                assert_equals(f"attempt {last}\n", printed)
                if caught:
                    assert_equals("passed over", task.values["caught"].message)
                    assert_equals(checker.origins[-1], task.values["ran_in"])
                    run = checker.get_run()
                    if run is not None:
                        shown = run[step.name][task.task]
                        assert_equals(
                            (True, 1, "passed over"),
                            (shown.successful, shown.attempts, shown.exception.message),
                        )
                # A clone is made once.
                clone = task.values["ran_in"] != checker.run_id
                assert_equals(True, task.attempt in (None, 0 if clone else last))
        run = checker.get_run()
        if run is not None:
            (end,) = run["end"]
            assert_equals((1, None), (end.attempts, end.exception))


class CurrentInResume(FlowTest):
    """`current` says what a run resumes: nothing in the first, the run before it in the second."""

    PRIORITY = 318
    RESUME = True
    ONLY_GRAPHS = _ONE

    @steps(0, ["join"])
    def step_join(self):
        self.origin = current.origin_run_id
        self.resumed = is_resumed()
        if not is_resumed():
            raise ResumeFromHere
        assert_equals(origin_run_id_for_resume(), self.origin)

    @steps(1, ["all"])
    def step_all(self):
        self.origin = current.origin_run_id
        self.resumed = is_resumed()

    def check_results(self, flow, checker):
        for step in flow:
            # What runs after the join runs in the resumed run, and nothing before it.
            resumed = step.name in ("join", "end")
            checker.assert_artifact(step.name, "resumed", resumed)
            origin = checker.origins[-1] if resumed else None
            checker.assert_artifact(step.name, "origin", origin)
