"""Templates about cards and reports: the pages that tasks leave, and those that are made of runs."""

from plait_harness import FlowTest, steps, tag

_SHAPES = {
    "start-end": "a card is made alike on every graph: here of the first and the last",
    "two-way-branch": "a card is made alike on every graph: here in branches and their join",
    "foreach-in-branch": "a card is made alike on every graph: here in mixed splits",
    "foreach-width-0": "a card is made alike on every graph: here in a join without inputs",
    "switch-in-foreach": "a card is made alike on every graph: here on the ways of a switch",
}

_ONE = {"small-foreach": "it is about the pages, not about the graph: here with a foreach in it"}


class Cards(FlowTest):
    """Every kind of step leaves its own card, and no card is passed on to the tasks after it."""

    PRIORITY = 2000
    HEADER = "from plait.cards import Markdown, Table\n"
    ONLY_GRAPHS = _SHAPES

    @tag("card")
    @tag("card(type='blank', id='extra')")
    @steps(0, ["join"])
    def step_join(self):
        self.place = current.pathspec
        current.card.append(Table([[i.place] for i in inputs], headers=["came from"]))
        current.card["extra"].append(Markdown(f"**{current.pathspec}**"))

    @tag("card")
    @steps(1, ["linear", "foreach", "switch", "split"])
    def step_linear(self):
        self.place = current.pathspec
        current.card.append(Markdown(f"**{current.pathspec}**"))

    @steps(2, ["all"])
    def step_all(self):
        # No card here: those of the steps before must not show up.
        self.place = current.pathspec

    def check_results(self, flow, checker):
        from plait.cards import get_cards

        run = checker.get_run()
        for step in flow:
            ids = [None, "extra"] if "join" in step.quals else [None]
            ids = [] if step.name == "end" else ids
            for task in checker.tasks(step.name):
                where = f"{checker.run_id}/{step.name}/{task.task}"
                listed = checker.command(["card", "list", where]).stdout.splitlines()
                assert_equals([i or "-" for i in ids], [line.split()[3] for line in listed])
                if run is not None:
                    cards = get_cards(run[step.name][task.task])
                    assert_equals(ids, [card.id for card in cards])
                    assert_equals([None] * len(ids), [card.failure for card in cards])
                if ids:
                    arguments = ["card", "get", where, "--number", str(len(ids) - 1)]
                    page = checker.command(arguments).stdout
                    place = f"<strong>{task.values['place']}</strong>"
                    assert_equals((where, True), (where, place in page))
                    if run is not None:
                        assert_equals(page, cards[-1].html)


class FailingCard(FlowTest):
    """A card that cannot be made does not fail its task: it says so itself, and so does the log."""

    PRIORITY = 2001
    HEADER = """
from plait.cards import Component


class Broken(Component):
    def render(self):
        raise ValueError("no ink: größer")
"""
    ONLY_GRAPHS = _ONE

    @tag("card")
    @steps(0, ["all"])
    def step_all(self):
        self.made = current.step_name
        current.card.append(Broken())

    def check_results(self, flow, checker):
        checker.assert_status("done")
        for step in flow:
            checker.assert_artifact(step.name, "made", step.name)
            said = "the card could not be made: ValueError: no ink: größer"
            checker.assert_log(step.name, "stderr", said, exact=False)
            listed = checker.command(["card", "list", f"{checker.run_id}/{step.name}"]).stdout
            assert_equals(len(checker.tasks(step.name)), listed.count("ValueError: no ink"))


class CardsOfResumedTasks(FlowTest):
    """A task that a resumed run takes over has the card that it had."""

    PRIORITY = 2002
    RESUME = True
    HEADER = "from plait.cards import Markdown\n"
    ONLY_GRAPHS = _ONE

    @tag("card")
    @steps(0, ["foreach-join"], required=True)
    def step_join(self):
        current.card.append(Markdown(f"made in run **{current.run_id}**"))
        if not is_resumed():
            raise ResumeFromHere

    @tag("card")
    @steps(1, ["all"])
    def step_all(self):
        current.card.append(Markdown(f"made in run **{current.run_id}**"))

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                where = f"{checker.run_id}/{step.name}/{task.task}"
                page = checker.command(["card", "get", where]).stdout
                again = step.name in ("join", "end")
                mine = f"made in run <strong>{checker.run_id}</strong>" in page
                assert_equals((where, again), (where, mine))


class ReportOfAFailedRun(FlowTest):
    """The report of a run that failed shows the failure, every task that ran, and its card."""

    PRIORITY = 2003
    SHOULD_FAIL = True
    HEADER = "from plait.cards import Markdown\n"
    ONLY_GRAPHS = _ONE

    @tag("card")
    @steps(0, ["foreach-inner"], required=True)
    def step_inner(self):
        self.kept = "<b>kept</b>"
        current.card.append(Markdown("# Mine"))
        if self.index == 1:
            raise ValueError("element 1 is <bad>")

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        import os

        file = os.path.join(checker.run.folder, "report.html")
        for name in ("report.html", "graph.html"):
            what = ["report", checker.run_id, "--output"] if "rep" in name else ["show", "--html"]
            checker.command([*what, os.path.join(checker.run.folder, name)])
        with open(file, encoding="utf-8") as opened:
            page = opened.read()
        with open(os.path.join(checker.run.folder, "graph.html"), encoding="utf-8") as opened:
            graph = opened.read()
        for name in ("report.html", "graph.html"):
            os.unlink(os.path.join(checker.run.folder, name))
        for expected in (
            "First failure",
            "ValueError: element 1 is &lt;bad&gt;",
            "raise ValueError(",
            "&lt;b&gt;kept&lt;/b&gt;",
            "&lt;h1&gt;Mine&lt;/h1&gt;",
        ):
            assert_equals((expected, True), (expected, expected in page))
        for step in flow:
            anchor = f'id="step-{step.name}"'
            assert_equals((step.name, True, True), (step.name, anchor in page, anchor in graph))
            for task in checker.tasks(step.name):
                anchor = f'id="task-{step.name}-{task.task}"'
                assert_equals((anchor, True), (anchor, anchor in page))
        assert_equals((False, False), ("<script" in page, "<script" in graph))
