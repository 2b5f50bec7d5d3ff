"""The interface of Metaflow's metadata service, so that its clients keep what they know here.

Its requests are those that its documentation and its users' reports name, and that an installed
client sends. Names in its JSON are its own: `flow_id`, `run_number`, `ts_epoch`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from plait.metadata import wire
from plait.metadata.errors import SystemTag
from plait.metadata.guests import Entry, Guest, Guests, Path
from plait.metadata.rules import parse_id
from plait.service import guest_wire
from plait.service.api import MAX_FACTS, Asked
from plait.service.limits import Refused

SERVICE_VERSION = "2.5.0"
"""What clients are told that they speak to: by it they know which requests there are."""

_BEAT_SECONDS = 10


def list_flows(guests: Guests, _asked: Asked) -> Any:
    """Give all flows."""
    return sorted(
        map(guest_wire.flow_to_json, guests.children(())), key=lambda flow: flow["flow_id"]
    )


def find_flow(guests: Guests, asked: Asked) -> Any:
    """Give a flow."""
    return guest_wire.flow_to_json(guests.get(_path(asked)))


def create_flow(guests: Guests, asked: Asked) -> Any:
    """Make a flow, or give the one that is there."""
    return guest_wire.flow_to_json(guests.add(_path(asked), guest_wire.read_facts(asked.body)))


def create_run(guests: Guests, asked: Asked) -> Any:
    """Make a run; its number is given here, a name may come with it."""
    facts = guest_wire.read_facts(asked.body)
    name = guest_wire.read_id(asked.body, "run_number")
    run = guests.add_numbered(_path(asked), name, facts)
    return guest_wire.run_to_json(run)


def list_runs(guests: Guests, asked: Asked) -> Any:
    """Give the runs of a flow, newest first."""
    return [guest_wire.run_to_json(run) for run in guests.children(_path(asked))]


def find_run(guests: Guests, asked: Asked) -> Any:
    """Give a run."""
    return guest_wire.run_to_json(guests.get(_path(asked)))


def change_tags(guests: Guests, asked: Asked) -> Any:
    """Change a run's user tags."""
    body = asked.members("tags_to_add", "tags_to_remove")
    add = wire.read_tags(body.get("tags_to_add", []), "'tags_to_add'")
    remove = wire.read_tags(body.get("tags_to_remove", []), "'tags_to_remove'")
    try:
        return {"tags": guests.change_tags(_path(asked), add, remove)}
    except SystemTag as error:
        # Not 409, as elsewhere: clients take that for somebody else's change, and try again.
        raise Refused(422, error.slug, error.findings[0].what, tags=list(error.tags)) from error


def beat(guests: Guests, asked: Asked) -> Any:
    """Keep that a run or a task goes on."""
    guests.beat(_path(asked))
    return {"wait_time_in_seconds": _BEAT_SECONDS}


def create_step(guests: Guests, asked: Asked) -> Any:
    """Make a step, or give the one that is there."""
    facts = guest_wire.read_facts(asked.body)
    return _graft(guests, guests.add(_path(asked), facts))


def list_steps(guests: Guests, asked: Asked) -> Any:
    """Give the steps of a run, newest first."""
    return _list(guests, _path(asked))


def find_step(guests: Guests, asked: Asked) -> Any:
    """Give a step."""
    return _graft(guests, guests.get(_path(asked)))


def create_task(guests: Guests, asked: Asked) -> Any:
    """Make a task; its number is given here, a name may come with it."""
    facts = guest_wire.read_facts(asked.body)
    name = guest_wire.read_id(asked.body, "task_id")
    return _graft(guests, guests.add_numbered(_path(asked), name, facts))


def list_tasks(guests: Guests, asked: Asked) -> Any:
    """Give the tasks of a step, newest first."""
    return _list(guests, _path(asked))


def find_task(guests: Guests, asked: Asked) -> Any:
    """Give a task."""
    return _graft(guests, guests.get(_path(asked)))


def filter_tasks(guests: Guests, asked: Asked) -> Any:
    """Give the pathspecs of tasks of which metadata of a name, or like a pattern, was told."""
    name = asked.query.get("metadata_field_name") or None
    if name is not None:
        wire.read_name(name, "'metadata_field_name'")
    fits = guest_wire.read_pattern(asked.query.get("pattern") or ".*")
    found = guests.told(_path(asked), "metadata", name=name)
    fitting = (entry.path for entry in found if fits(str(entry.facts["value"])))
    return ["/".join(path) for path in dict.fromkeys(fitting)]


def tell_artifacts(guests: Guests, asked: Asked) -> Any:
    """Keep which artifacts a task has made."""
    entries = _entries(asked, guest_wire.artifact_from_json)
    guests.tell(_path(asked), "artifact", entries)
    return {"artifacts_created": len(entries)}


def list_artifacts(guests: Guests, asked: Asked) -> Any:
    """Give the artifacts below a run, a step or a task: of one attempt, or each task's last."""
    return _artifacts(guests, asked)


def find_artifact(guests: Guests, asked: Asked) -> Any:
    """Give one artifact of a task."""
    found = [one for one in _artifacts(guests, asked) if one["name"] == asked.path["artifact"]]
    if not found:
        raise Refused(404, "not-there", "no artifact is called so")
    return found[0]


def tell_metadata(guests: Guests, asked: Asked) -> Any:
    """Keep what is told of a task."""
    entries = _entries(asked, guest_wire.metadatum_from_json)
    guests.tell(_path(asked), "metadata", entries)
    return {"metadata_created": len(entries)}


def list_metadata(guests: Guests, asked: Asked) -> Any:
    """Give what was told of the tasks below a run or a task, oldest first."""
    path = _path(asked)
    run = guests.get(path[:2])
    return [guest_wire.entry_to_json(entry, run) for entry in guests.told(path, "metadata")]


ROUTES: tuple[tuple[str, str, Callable[[Guests, Asked], Any]], ...] = (
    ("GET", "/flows", list_flows),
    ("GET", "/flows/{flow}", find_flow),
    ("POST", "/flows/{flow}", create_flow),
    ("POST", "/flows/{flow}/run", create_run),
    ("GET", "/flows/{flow}/runs", list_runs),
    ("GET", "/flows/{flow}/runs/{run}", find_run),
    ("PATCH", "/flows/{flow}/runs/{run}/tag/mutate", change_tags),
    ("GET", "/flows/{flow}/runs/{run}/artifacts", list_artifacts),
    ("GET", "/flows/{flow}/runs/{run}/metadata", list_metadata),
    ("GET", "/flows/{flow}/runs/{run}/steps", list_steps),
    ("GET", "/flows/{flow}/runs/{run}/steps/{step}", find_step),
    ("POST", "/flows/{flow}/runs/{run}/steps/{step}/step", create_step),
    ("GET", "/flows/{flow}/runs/{run}/steps/{step}/artifacts", list_artifacts),
    ("GET", "/flows/{flow}/runs/{run}/steps/{step}/filtered_tasks", filter_tasks),
    ("POST", "/flows/{flow}/runs/{run}/steps/{step}/task", create_task),
    ("GET", "/flows/{flow}/runs/{run}/steps/{step}/tasks", list_tasks),
    *(
        (method, f"/flows/{{flow}}/runs/{{run}}/steps/{{step}}/tasks/{{task}}{rest}", handler)
        for method, rest, handler in (
            ("GET", "", find_task),
            ("POST", "/artifact", tell_artifacts),
            ("GET", "/artifacts", list_artifacts),
            ("GET", "/artifacts/{artifact}", find_artifact),
            ("GET", "/attempt/{attempt}/artifacts", list_artifacts),
            ("GET", "/attempt/{attempt}/artifacts/{artifact}", find_artifact),
            ("POST", "/metadata", tell_metadata),
            ("GET", "/metadata", list_metadata),
        )
    ),
)
"""What is answered: method, path, and by whom."""

BEATS: tuple[tuple[str, str, Callable[[Guests, Asked], Any]], ...] = (
    ("POST", "/flows/{flow}/runs/{run}/heartbeat", beat),
    ("POST", "/flows/{flow}/runs/{run}/steps/{step}/tasks/{task}/heartbeat", beat),
)
"""The same, where what a request holds is not looked at: clients do not say that it is JSON."""


def _path(asked: Asked) -> Path:
    return tuple(asked.part(name) for name in ("flow", "run", "step", "task") if name in asked.path)


def _graft(guests: Guests, guest: Guest) -> dict[str, Any]:
    """Give a step or a task as JSON; its tags are its run's, which change."""
    return guest_wire.guest_to_json(guest, guests.get(guest.path[:2]))


def _list(guests: Guests, path: Path) -> list[dict[str, Any]]:
    found = guests.children(path)
    run = guests.get(path[:2])
    return [guest_wire.guest_to_json(guest, run) for guest in found]


def _entries(asked: Asked, read: Callable[[Any], Entry]) -> list[Entry]:
    if not isinstance(asked.body, list):
        raise wire.BadRecord("the body is not a list")
    if len(asked.body) > MAX_FACTS:
        raise Refused(413, "too-large", f"a request holds at most {MAX_FACTS} of them")
    return [read(data) for data in asked.body]


def _artifacts(guests: Guests, asked: Asked) -> list[dict[str, Any]]:
    path = _path(asked)
    attempt = None
    if "attempt" in asked.path:
        attempt = parse_id(asked.path["attempt"])
        if attempt is None:
            raise Refused(404, "not-there", "no attempt is called so")
    run = guests.get(path[:2])
    found = guests.told(path, "artifact", attempt=attempt)
    if attempt is None:
        found = _last_attempts(found)
    return [guest_wire.entry_to_json(entry, run) for entry in found]


def _last_attempts(entries: Iterable[Entry]) -> list[Entry]:
    kept = list(entries)
    last: dict[Path, int] = {}
    for entry in kept:
        last[entry.path] = max(entry.attempt, last.get(entry.path, 0))
    return [entry for entry in kept if entry.attempt == last[entry.path]]
