"""What the decorators of one step ask of its attempts, as one plan."""

from __future__ import annotations

from collections.abc import Sequence

from plait.hooks.step import AttemptPlan, Needs, StepDecorator


def plan_attempts(decorators: Sequence[StepDecorator]) -> AttemptPlan:
    """Give what the decorators of one step ask for together.

    The decorator with the most retries says how many there are and how long to wait; a fallback
    is made if any has one. The shortest limit holds, the largest of each need, and of variables
    that two set, what the inner one says.
    """
    plans = [decorator.plan_attempts() for decorator in decorators]
    most = max(plans, key=lambda plan: plan.retries, default=AttemptPlan())
    limits = [plan.limit for plan in plans if plan.limit is not None]
    needs = [plan.needs for plan in plans if plan.needs is not None]
    return AttemptPlan(
        retries=most.retries,
        minutes_between=most.minutes_between,
        fallback=any(plan.fallback for plan in plans),
        limit=min(limits, key=lambda limit: limit.seconds, default=None),
        needs=_largest(needs) if needs else None,
        environment={k: v for plan in plans for k, v in plan.environment.items()},
    )


def _largest(needs: Sequence[Needs]) -> Needs:
    return Needs(
        cpu=max(need.cpu for need in needs),
        memory=max(need.memory for need in needs),
        gpu=max(need.gpu for need in needs),
    )
