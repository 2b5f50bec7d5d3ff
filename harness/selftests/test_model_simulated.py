"""The reference model against a simulation: tokens run through the graph, in any order.

A join of the simulation waits at a barrier named by the task that split. It has no recursion and
no notion of a region, so that it errs in other ways than the model.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter, deque

import pytest

from plait_harness.model import TaskId, predict

GRAPHS = os.path.join(os.path.dirname(__file__), os.pardir, "graphs")


def simulate(nodes, rng):
    """Run *nodes* by tokens in an order that *rng* picks; give tasks with parents and stacks."""
    done = {}
    turns = Counter()
    barriers = {}
    ready = deque([("start", (), (), ())])
    while ready:
        ready.rotate(rng.randrange(len(ready)))
        step, parents, opened, stack = ready.popleft()
        node = nodes[step]
        where = (step, tuple(frame[0] for frame in stack))
        me = TaskId(*where, turns[where])
        turns[where] += 1
        assert me not in done
        done[me] = (parents, stack)
        if "branch" in node:
            for place, to in enumerate(node["branch"]):
                frame = (me, place, len(node["branch"]), stack)
                ready.append((to, (me,), (*opened, frame), stack))
        elif "foreach" in node:
            elements = simulated_elements(node["foreach_var_default"], stack)
            for place, element in enumerate(elements):
                frame = (me, place, len(elements), stack)
                inner = (*stack, (place, len(elements), element))
                ready.append((node["foreach"], (me,), (*opened, frame), inner))
            if not elements:
                ready.append((join_by_depth(nodes, node["foreach"]), (me,), opened, stack))
        elif "linear" in node or "switch" in node:
            to = node.get("linear") or chosen(node, stack, me.turn)
            if not nodes[to].get("join"):
                ready.append((to, (me,), opened, stack))
                continue
            split, place, width, outside = opened[-1]
            arrived = barriers.setdefault((to, split), {})
            arrived[place] = me
            if len(arrived) == width:
                parents = tuple(arrived[place] for place in range(width))
                ready.append((to, parents, opened[:-1], outside))
    assert all(len(arrived) for arrived in barriers.values())
    return done


def simulated_elements(source, stack):
    """Evaluate a foreach's elements without the model's stand-in for `self`."""
    element = type("Element", (), {"input": stack[-1][2] if stack else None})
    return list(eval(source, {"self": element}))


def chosen(node, stack, turn):
    """Evaluate which way a switch goes when its step runs for the time *turn* at its place."""
    element = type("Element", (), {"input": stack[-1][2] if stack else None})
    return node["switch"][eval(node["condition_default"], {"self": element, "turn": turn})]


def join_by_depth(nodes, step):
    """Find the join that closes the split around *step* by counting open splits on one path."""
    depth = 1
    while True:
        node = nodes[step]
        if node.get("join"):
            depth -= 1
            if depth == 0:
                return step
        if "branch" in node or "foreach" in node:
            depth += 1
        step = node["branch"][0] if "branch" in node else node.get("foreach") or node["linear"]


def random_graph(rng):
    """Make a valid graph of random nesting, widths from 0, in the harness's form."""
    nodes = {}
    count = 0

    def fresh():
        nonlocal count
        count += 1
        return f"s{count}"

    def block(name, depth):
        """Fill in *name* and what it opens; give the node that still lacks its `linear`."""
        form = rng.choice(["linear", "branch", "foreach"]) if depth else "linear"
        nodes.setdefault(name, {})
        if form == "linear":
            return name
        heads = [fresh() for _ in range(rng.randint(2, 3) if form == "branch" else 1)]
        if form == "branch":
            nodes[name]["branch"] = heads
        else:
            source = rng.choice(
                ["range(0)", "range(1)", "range(2)", "range((self.input or 0) % 3)"]
            )
            nodes[name] |= {"foreach": heads[0], "foreach_var": "x", "foreach_var_default": source}
        join = fresh()
        nodes[join] = {"join": True}
        for head in heads:
            nodes[chain(head, depth - 1)]["linear"] = join
        # The join may itself open the next split.
        return block(join, depth - 1)

    def chain(name, depth):
        last = block(name, depth)
        for _ in range(rng.randint(0, 2)):
            name = fresh()
            nodes[last]["linear"] = name
            last = block(name, depth - 1 if depth else 0)
        return last

    nodes[chain("start", 3)]["linear"] = "end"
    nodes["end"] = {}
    return nodes


def check_against_simulation(nodes, rng):
    """Assert that model and simulation agree on every task, its parents and its stack."""
    prediction = predict({"name": "test", "shows": "", "graph": nodes})

    simulated = simulate(nodes, rng)
    assert {task.id: (task.parents, task.stack) for task in prediction.tasks} == simulated
    counts = Counter(task.step for task in simulated)
    assert prediction.counts == {step: counts[step] for step in nodes}
    seen = set()
    for task in prediction.tasks:
        assert seen.issuperset(task.parents)
        seen.add(task.id)


@pytest.mark.parametrize("seed", range(200))
def test_model_agrees_with_simulation_on_random_graphs(seed):
    """On random graphs the model predicts what tokens running through them do, in any order."""
    rng = random.Random(seed)

    check_against_simulation(random_graph(rng), rng)


@pytest.mark.parametrize("name", sorted(file[:-5] for file in os.listdir(GRAPHS)))
def test_model_agrees_with_simulation_on_the_harness_s_graphs(name):
    """On every graph of the harness the model predicts what the simulation does."""
    with open(os.path.join(GRAPHS, f"{name}.json"), encoding="utf-8") as file:
        nodes = json.load(file)["graph"]

    check_against_simulation(nodes, random.Random(0))
