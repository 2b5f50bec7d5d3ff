"""The rules of the graph, one function each, and the one place that lists and applies them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from plait.base.errors import Finding
from plait.graph.validate import declarations, joins, loops, targets, transitions
from plait.graph.validate.subject import Subject

RULES: tuple[Callable[[Subject], Iterable[Finding]], ...] = (
    declarations.source_not_found,
    declarations.no_start,
    declarations.no_end,
    declarations.bad_step_name,
    declarations.reserved_step_name,
    declarations.step_alias,
    declarations.step_defined_twice,
    declarations.step_is_parameter,
    declarations.parameter_names_clash,
    declarations.not_a_plain_method,
    declarations.wrong_arguments,
    declarations.end_takes_inputs,
    declarations.two_firsts,
    declarations.two_lasts,
    transitions.no_next,
    transitions.end_has_next,
    transitions.next_twice,
    transitions.next_not_last,
    transitions.next_without_target,
    transitions.bad_next_argument,
    transitions.unknown_next_keyword,
    transitions.mixed_next,
    transitions.bad_foreach,
    transitions.duplicate_target,
    transitions.bad_condition,
    transitions.bad_case,
    transitions.duplicate_case,
    targets.unknown_target,
    targets.target_not_a_step,
    targets.next_to_start,
    loops.loop,
    loops.endless_loop,
    loops.loop_across_split,
    targets.unreachable_step,
    joins.join_without_split,
    joins.join_of_unrelated_splits,
    joins.missing_inputs,
    joins.split_into_join,
    joins.split_not_joined,
    joins.incomplete_join,
)
"""Every rule. A rule says one kind of mistake, and stays silent where another rule's mistake is the
cause; the slug of its findings is its own name with dashes."""

LINT: frozenset[Callable[[Subject], Iterable[Finding]]] = frozenset(
    {
        declarations.step_defined_twice,
        declarations.parameter_names_clash,
        transitions.next_not_last,
        targets.unreachable_step,
    }
)
"""Rules that say what is nearly always a mistake, and that a run can do without: Python has kept
one of two steps, a variable would set both Parameters, what `self.next` did is checked when it is
called, and a step that nothing leads to does not run."""


def validate(subject: Subject, *, lint: bool = True) -> list[Finding]:
    """Give everything that is wrong with a flow, in the order of its source.

    Args:
        subject: The flow.
        lint: Whether to apply the rules that a run can do without as well.
    """
    rules = [rule for rule in RULES if lint or rule not in LINT]
    findings = [finding for rule in rules for finding in rule(subject)]
    files = [subject.source.where, *(step.where for step in subject.steps.values())]
    order = {where.file: index for index, where in reversed([*enumerate(files)]) if where}

    def place(finding: Finding) -> tuple[int, int]:
        if finding.where is None:
            return -1, 0
        return order.get(finding.where.file, len(order)), finding.where.line or 0

    return sorted(findings, key=place)
