"""The run that is being resumed, as the stores know it: its parameters, and what it finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from plait.artifacts.store import ArtifactStore, SealedAttempt, UnreadAttempt
from plait.base.errors import UsageError, nearest
from plait.base.garbage import collection_paused
from plait.base.pathspec import PARAMETERS_STEP, AttemptKey, RunKey, parameters_key
from plait.base.records import ArtifactRef, AttemptFacts
from plait.flow.definition import FlowDefinition
from plait.metadata.protocol import MetadataStore, RunRecord, Status
from plait.runtime.resume import ClonePlan, plan_clones
from plait.upkeep.ownership import Holding, check_holding, find_holding
from plait.upkeep.rescue import rescue_run

_HELD_BYTES = 1 << 24
"""So much is held of what was read of the origin's attempts: 40,000 of them with few artifacts."""


class NothingToResume(UsageError):
    """The flow has no run, or not the one that `--origin-run-id` names."""

    slug = "nothing-to-resume"

    def __init__(self, flow: str, run: str | None, known: Iterable[str], place: str) -> None:
        what = f"flow '{flow}' has no run" if run is None else f"there is no run '{flow}/{run}'"
        ids = sorted(known, key=lambda known: (len(known), known), reverse=True)
        there = f"; its latest are: {', '.join(ids[:5])}" if ids else ""
        super().__init__(
            f"{what} that could be resumed",
            why=f"looked in {place}{there}",
            fix="name one that is there by --origin-run-id, or start one with 'run'",
        )


class UnknownResumeStep(UsageError):
    """`resume STEP` names a step that the flow has not."""

    slug = "unknown-resume-step"

    def __init__(self, flow: str, step: str, known: Iterable[str]) -> None:
        super().__init__(
            f"flow '{flow}' has no step '{step}' to resume from",
            why=nearest(step, known),
            fix="name a step of the flow, or none to go on where the run failed",
        )


class ParameterInResume(UsageError):
    """A parameter was given to `resume`, which has its parameters from the origin."""

    slug = "parameter-in-resume"

    def __init__(self, names: Iterable[str]) -> None:
        given = sorted(names)
        super().__init__(
            f"resume takes no parameters, and was given {', '.join(f'--{n}' for n in given)}",
            why="a resumed run has the parameters of the run that it goes on with, so that what "
            "that run finished still holds",
            fix="leave them out, or start over with 'run'",
        )


_LOOKED_AT = 20
"""So many of the latest runs are looked at for one to resume."""


class OriginStores(Protocol):
    """The stores that an origin is looked for in."""

    @property
    def root(self) -> str:
        """The folder of the local store."""
        ...

    @property
    def metadata(self) -> MetadataStore:
        """Facts."""
        ...

    def artifacts(self, flow: str) -> ArtifactStore:
        """Values."""
        ...


@dataclass(frozen=True, slots=True)
class Origin:
    """What a resumed run takes from the run before it.

    Args:
        key: That run.
        constants: Its parameters and class attributes.
        clones: Its tasks that may be taken over.
        left: Of these, what was read of them in order to decide, as far as memory is given to it.
        is_running: Whether it goes on all the while.
    """

    key: RunKey
    constants: Mapping[str, ArtifactRef]
    clones: ClonePlan
    left: dict[AttemptKey, UnreadAttempt] = field(default_factory=dict, repr=False)
    is_running: bool = False

    def describe(self) -> tuple[str, ...]:
        """Give what whoever resumes it should know of it, in sentences."""
        if not self.is_running:
            return ()
        told = (
            f"run {self.key.run}, which is resumed, is still running: its tasks that have not "
            "finished run here a second time"
        )
        return (told,)

    def find_parameters(self, definition: FlowDefinition) -> dict[str, ArtifactRef]:
        """Give the parameters and configs that a resumed run of *definition* takes over."""
        taken = definition.parameters.keys() | definition.configs.keys()
        return {name: ref for name, ref in self.constants.items() if name in taken}

    def adopt(
        self, artifacts: Mapping[str, ArtifactRef], constants: Mapping[str, ArtifactRef]
    ) -> dict[str, ArtifactRef]:
        """Give a taken-over task's artifacts with the resumed run's class attributes.

        Args:
            artifacts: What the origin's task left.
            constants: The parameters and class attributes of the resumed run.

        A class attribute that no step had changed follows the code as it is now.
        """
        adopted = dict(artifacts)
        for name, ref in self.constants.items():
            if name in constants and adopted.get(name) == ref:
                adopted[name] = constants[name]
        return adopted

    def take_over(
        self, attempt: AttemptKey, artifacts: ArtifactStore, constants: Mapping[str, ArtifactRef]
    ) -> SealedAttempt:
        """Give a task to take over, as it ended, with the resumed run's class attributes.

        Args:
            attempt: The origin's attempt; asked for once.
            artifacts: The flow's values.
            constants: The parameters and class attributes of the resumed run.
        """
        unread = self.left.pop(attempt, None)
        sealed = artifacts.get(attempt) if unread is None else artifacts.read(unread)
        return SealedAttempt(sealed.facts, self.adopt(sealed.artifacts, constants))


def find_origin(flow: str, stores: OriginStores, run: str | None) -> RunRecord:
    """Give the facts of the run to resume.

    Where facts are shared, the latest run may be another person's, and its values where only they
    can read them. So the latest is that of this store of values.

    Args:
        flow: The flow's name.
        stores: Where to look.
        run: The run's id; None for the flow's latest.

    Raises:
        NothingToResume: There is no such run.
        OtherResults: Its values are not here, but those of another run of that number.
    """
    latest = stores.metadata.list_runs(flow, limit=_LOOKED_AT)
    artifacts = stores.artifacts(flow)
    if run is None and latest:
        for found in latest:
            if find_holding(found, artifacts) is Holding.OWN:
                return found
        run = latest[0].key.run
    record = None if run is None else stores.metadata.find_run(RunKey(flow, run))
    if record is None:
        raise NothingToResume(flow, run, (r.key.run for r in latest), stores.root)
    check_holding(record, artifacts, needed=True)
    return record


def load_origin(
    definition: FlowDefinition, stores: OriginStores, *, run: str | None, step: str | None
) -> Origin:
    """Find the run to resume and decide what to take over.

    Args:
        definition: The flow as it is written now.
        stores: Where to look.
        run: The run's id; None for the flow's latest.
        step: The step that is to run again, with all after it; None for what did not finish.

    Raises:
        NothingToResume: There is no such run.
        OtherResults: Its values are not here, but those of another run of that number.
        UnknownResumeStep: The flow has no such step.
        OriginChanged: It finished a step that the flow no longer has.
    """
    if step is not None and step not in definition.graph.nodes:
        raise UnknownResumeStep(definition.name, step, definition.graph.nodes)
    record = find_origin(definition.name, stores, run)
    key = record.key
    artifacts = stores.artifacts(definition.name)
    record = rescue_run(record, stores.metadata, artifacts)
    constants = artifacts.get(parameters_key(key))
    rerun = frozenset(() if step is None else (step,))
    left: dict[AttemptKey, UnreadAttempt] = {}
    with collection_paused():
        facts = _iter_facts(artifacts, key.run, left)
        clones = plan_clones(key, facts, definition.graph, rerun=rerun)
    is_running = record.status is Status.RUNNING
    return Origin(key, constants.artifacts, clones, left, is_running)


def _iter_facts(
    artifacts: ArtifactStore, run: str, left: dict[AttemptKey, UnreadAttempt]
) -> Iterator[AttemptFacts]:
    """Give the facts of all attempts of a run, and put into *left* what was read along with them.

    Only of those that may be taken over, and up to some size: what is not in it is read again.
    """
    held = 0
    attempts = (key for key in artifacts.iter_attempts(run) if key.step != PARAMETERS_STEP)
    # They stay near, for the tasks read values out of them, too.
    for attempt in artifacts.iter_near(attempts, keep=True):
        unread = artifacts.find_unread(attempt)
        if unread is None:
            continue
        held += len(unread.index.text)
        if unread.facts.ok and held <= _HELD_BYTES:
            left[attempt] = unread
        yield unread.facts
