"""The code of a run, kept with its results; a folder that is too large never stops a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.packaging.errors import NoCode, TooMuchCode, UnreadableCode
from plait.packaging.manifest import read_code
from plait.packaging.store import CodeStore

if TYPE_CHECKING:
    from plait.flow.definition import FlowDefinition
    from plait.runtime.options import RunOptions
    from plait.storage.protocol import Storage


def keep_code(
    definition: FlowDefinition, options: RunOptions, storage: Storage
) -> tuple[str | None, tuple[str, ...]]:
    """Keep the code that a run is about to use, unless it is there or the person wants none.

    Args:
        definition: The flow.
        options: The choices of the run.
        storage: Where to.

    Returns:
        The package's address, None if none is kept; and what the person should be told.
    """
    if not options.keep_code:
        return None, ()
    name, file = definition.name, definition.file
    store = CodeStore(storage, name)
    try:
        return store.keep(read_code(name, file, options.package_suffixes)), ()
    except NoCode:
        return None, ()
    except (TooMuchCode, UnreadableCode) as error:
        why = f"{error.findings[0].what}; {error.findings[0].fix}"
    try:
        alone = store.keep(read_code(name, file, script_alone=True))
    except (TooMuchCode, UnreadableCode):
        return None, (f"the run keeps no copy of its code: {why}",)
    said = f"of its code the run keeps only the flow's own file: {why}, or set PLAIT_KEEP_CODE=0"
    return alone, (said,)
