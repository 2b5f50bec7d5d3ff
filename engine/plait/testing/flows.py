"""A whole flow, run in this process and kept in memory, for tests of what its steps do together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plait.client.run import Run


def run_flow(
    flow: type,
    *,
    parameters: Mapping[str, Any] | None = None,
    tags: Iterable[str] = (),
    with_: Iterable[str] = (),
    configs: Mapping[str, Any] | None = None,
    max_num_splits: int = 100,
    **more: Any,
) -> Run:
    """Run a flow from `start` to `end` in this process, one task after another.

    Debuggers stop in steps, and fakes that the test has put in place are found by them. Nothing
    is written to disk. What the steps print is printed, and kept in their logs.

    Args:
        flow: The class.
        parameters: Values of its parameters; the others have their defaults.
        tags: Tags of the run.
        with_: Decorators for every step, as `--with` takes them.
        configs: Values of its configs, dicts by name; the others have their defaults.
        max_num_splits: The widest foreach allowed.
        more: Values of parameters, too.

    Returns:
        The run, done or failed: see its `status` and `successful`.

    Raises:
        InvalidFlow, InvalidParameters, InvalidConfigs: The flow, or a value given, is wrong.
    """
    from plait.base.settings import DEFAULT_STORES
    from plait.client.opening import open_run
    from plait.client.run import Run
    from plait.client.source import Connection
    from plait.flow.definition import give_configs, read_definition
    from plait.runtime.options import RunOptions
    from plait.runtime.reporter import SilentReporter
    from plait.wiring.runs import run_flow as run
    from plait.wiring.stores import open_memory_stores

    definition = read_definition(
        flow, with_=tuple(with_), configs=give_configs(flow, configs or {})
    )
    stores = open_memory_stores()
    options = RunOptions(
        workers="inline", max_num_splits=max_num_splits, tags=frozenset(tags), keep_code=False
    )
    given = {**(parameters or {}), **more}
    outcome = run(definition, given, options, DEFAULT_STORES, SilentReporter(), stores=stores)
    connection = Connection(lambda _spec: stores, None)
    return Run(open_run(connection, str(outcome.key), any_namespace=True))
