"""Reads runs back from the files of the store, by its documented format and with no engine code."""

from __future__ import annotations

import os
from functools import cached_property

from plait_harness.checker import Checker, NotOffered, Stream, TaskSeen
from plait_harness.seals import SealedTask, SealReader

_NAMES = {b"out": "stdout", b"err": "stderr"}


class StorageChecker(Checker):
    """What somebody sees who has the files and docs/store-format.md, and no plait."""

    name = "storage"

    def read_step(self, step: str) -> list[TaskSeen]:
        """Read the last sealed attempt of every task with its values."""
        return [
            TaskSeen(
                step=step,
                task=seal.task,
                # What begins with an underscore is the engine's own.
                values={
                    name: self._reader.value_of(row)
                    for name, row in seal.rows.items()
                    if not name.startswith("_")
                },
                attempt=seal.attempt,
                index=seal.frames[-1][0] if seal.frames else None,
                origin=seal.origin,
                parents=tuple("/".join(parent) for parent in seal.parents),
            )
            for seal in self._seals.values()
            if seal.step == step
        ]

    def read_log(self, step: str, stream: Stream) -> dict[str, str]:
        """Read the log of every task of *step*."""
        return {
            seal.task: self._read_log(seal, stream)
            for seal in self._seals.values()
            if seal.step == step
        }

    @cached_property
    def _reader(self) -> SealReader:
        if not os.path.isdir(self.run.store):
            raise NotOffered("the store is not in files of this machine")
        return SealReader(self.run.store)

    @cached_property
    def _seals(self) -> dict[tuple[str, str], SealedTask]:
        """The last sealed attempt of each task."""
        last: dict[tuple[str, str], SealedTask] = {}
        for seal in self._reader.read_run(self.run.flow, f"{self.run_id}"):
            place = (seal.step, seal.task)
            if place not in last or last[place].attempt < seal.attempt:
                last[place] = seal
        return last

    def _read_log(self, seal: SealedTask, stream: Stream) -> str:
        # What was taken over has its log where it ran.
        path = seal.origin or f"{self.run.flow}/{self.run_id}/{seal.step}/{seal.task}"
        flow, rest = path.split("/", 1)
        file = os.path.join(self.run.store, flow, "runs", f"{rest}.{seal.logged}.log")
        if not os.path.exists(file):
            return ""
        text = b""
        with open(file, "rb") as log:
            for record in filter(None, log.read().split(b"\n")):
                _time, name, flag, piece = record.split(b" ", 3)
                if _NAMES[name] == stream:
                    text += piece + (b"\n" if flag == b"." else b"")
        return text.decode(errors="backslashreplace")
