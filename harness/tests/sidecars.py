"""Templates about sidecars: what they are told, and that a run never waits for them."""

from plait_harness import FlowTest, steps, tag


class EventsAreTold(FlowTest):
    """An event logger and a monitor are told of each task of a run, once, with its ids."""

    PRIORITY = 170
    TOP_OPTIONS = ["--event-logger", "debug:events.jsonl", "--monitor", "debug:numbers.jsonl"]
    LEAVES = ["events.jsonl", "numbers.jsonl"]
    HEADER = "import json\n"
    ONLY_GRAPHS = {
        "start-end": "each task is told of alike: here the first and the last",
        "branch-in-foreach": "each task is told of alike: here many at once, some tried again",
    }

    @tag("retry(times=1, minutes_between_retries=0)")
    @steps(0, ["foreach-inner"])
    def step_inner(self):
        if current.retry_count == 0:
            raise ValueError("at first it fails")

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        with open(checker.run.folder + "/events.jsonl") as file:
            events = [json.loads(line) for line in file]
        assert_equals("run-started", events[0]["name"])
        assert_equals(("run-ended", "done"), (events[-1]["name"], events[-1]["details"]["status"]))
        assert_equals({checker.run_id}, {event["run"] for event in events})
        told = {}
        for event in events[1:-1]:
            told.setdefault((event["step"], event["task"]), []).append(event)
        tasks = {(s.name, t.task): s for s in flow for t in checker.tasks(s.name)}
        assert_equals(sorted(tasks), sorted(told))
        for key, step in tasks.items():
            names = [(event["name"], event["attempt"]) for event in told[key]]
            first = [("task-started", 0), ("task-retried", 0)]
            tried = "foreach-inner" in step.quals
            last = [("task-started", int(tried)), ("task-ended", int(tried))]
            assert_equals(first * tried + last, names)

        with open(checker.run.folder + "/numbers.jsonl") as file:
            numbers = [json.loads(line) for line in file]
        counts = {}
        for number in numbers:
            if number["kind"] == "counter":
                counts[number["name"]] = counts.get(number["name"], 0) + number["value"]
        retried = sum("foreach-inner" in step.quals for step in tasks.values())
        assert_equals(len(tasks), counts["plait.tasks.done"])
        assert_equals(len(tasks) + retried, counts["plait.tasks.started"])
        assert_equals(retried, counts.get("plait.tasks.retried", 0))
        gauges = [n["value"] for n in numbers if n["name"] == "plait.tasks.running"]
        running = [0]
        for event in events[1:-1]:
            running.append(running[-1] + (1 if event["name"] == "task-started" else -1))
        assert_equals((0, max(running)), (gauges[-1], max(gauges)))
        timers = [n["value"] for n in numbers if n["name"] == "plait.task.seconds"]
        assert_equals((len(tasks) + retried, True), (len(timers), min(timers) >= 0))


class BrokenSidecars(FlowTest):
    """A sidecar that hangs and one that is killed change nothing but a line each at the end."""

    PRIORITY = 171
    TOP_OPTIONS = ["--event-logger", "hanging", "--monitor", "killed"]
    REQUIRED_FILES = {
        "broken_sidecars.py": """
import os
import signal


class Hanging:
    def __init__(self, argument):
        pass

    def log(self, event):
        while True:
            signal.pause()


class Killed:
    def __init__(self, argument):
        os.kill(os.getpid(), signal.SIGKILL)
""",
        # As an installed package has it, in a folder that modules are looked for in.
        "broken_sidecars-1.0.dist-info/METADATA": (
            "Metadata-Version: 2.1\nName: broken-sidecars\nVersion: 1.0\n"
        ),
        "broken_sidecars-1.0.dist-info/entry_points.txt": (
            "[plait.event_loggers]\nhanging = broken_sidecars:Hanging\n"
            "[plait.monitors]\nkilled = broken_sidecars:Killed\n"
        ),
    }
    LEAVES = ["__pycache__"]
    ONLY_GRAPHS = {
        "small-foreach": "whatever runs is told of alike: here several tasks and a join",
    }

    @steps(0, ["all"])
    def step_all(self):
        self.name = current.step_name

    def check_results(self, flow, checker):
        checker.assert_status("done")
        predicted = predict(flow.to_json())
        for step in flow:
            checker.assert_tasks(step.name, predicted.counts[step.name])
            checker.assert_artifact(step.name, "name", step.name)
        said = checker.console
        for words in ("event logger 'hanging' missed", "was ended"):
            assert_equals((words, 1), (words, said.count(words)))
        for words in ("monitor 'killed' missed", "it was killed by SIGKILL"):
            assert_equals((words, 1), (words, said.count(words)))
