"""A file that others append deployments to: read a little at a time, off the loop."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import os
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from monitor.domain.clock import Clock
from monitor.domain.deployment import Deployment, deployment_from
from monitor.history import HistoryError

_log = logging.getLogger(__name__)

_PAUSE = 2.0
_AT_ONCE = 262_144
_LONGEST_LINE = 16_384
_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    data: bytes


class EventFile:
    """Follows one file from its beginning; what is known already is not taken twice, so that no place is remembered."""

    def __init__(
        self,
        path: Path,
        take: Callable[[Deployment], Awaitable[bool]],
        *,
        clock: Clock,
        targets: Callable[[], Collection[str]],
        keep: dt.timedelta,
        pause: float = _PAUSE,
    ) -> None:
        """Hand each deployment of ``path`` that is younger than ``keep`` to ``take``; look again after ``pause`` s."""
        self._path = path
        self._take = take
        self._clock = clock
        self._targets = targets
        self._keep = keep
        self._pause = pause
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self._number = 0
        self._skipping = False
        self._told = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow; needs a running loop."""
        self._task = asyncio.create_task(self._follow(), name="deployments file")

    async def close(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def read(self) -> None:
        """Take what was appended since the last time, whole lines only."""
        before = None
        while before != self._offset:
            before = self._offset
            for line in await asyncio.to_thread(self._appended):
                await self._take_line(line)

    async def _follow(self) -> None:
        while True:
            try:
                await self.read()
            except HistoryError as error:
                # Begin anew, for what was not kept must be told again.
                self._identity = None
                _log.warning("deployments of the file are not kept yet", extra={"error": str(error)})
            except OSError as error:
                _log.warning("the file of deployments cannot be read", extra={"error": error.strerror})
            await asyncio.sleep(self._pause)

    def _appended(self) -> list[_Line]:
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return []
        with file:
            state = os.fstat(file.fileno())
            if (state.st_dev, state.st_ino) != self._identity or state.st_size < self._offset:
                self._identity = state.st_dev, state.st_ino
                self._offset = self._number = self._told = 0
                self._skipping = False
            file.seek(self._offset)
            return self._whole_lines(file.read(_AT_ONCE))

    def _whole_lines(self, data: bytes) -> list[_Line]:
        end = data.rfind(b"\n") + 1
        if not end:
            if len(data) > _LONGEST_LINE:
                # A line without an end is not kept in memory; what follows up to its end is left out.
                self._offset += len(data)
                self._skipping = True
            return []
        self._offset += end
        lines = []
        for piece in data[: end - 1].split(b"\n"):
            self._number += 1
            lines.append(_Line(self._number, b"\0" if self._skipping else piece))
            self._skipping = False
        return lines

    async def _take_line(self, line: _Line) -> None:
        if not line.data.strip():
            return
        try:
            deployment = self._parsed(line.data)
        except ValueError as error:
            self._tell(line.number, str(error))
            return
        # A file that is only ever appended to holds old ones, which is nothing to complain about.
        if deployment.at >= self._clock.now() - self._keep:
            await self._take(deployment)

    def _parsed(self, data: bytes) -> Deployment:
        if len(data) > _LONGEST_LINE or data == b"\0":
            msg = f"it is longer than {_LONGEST_LINE} bytes"
            raise ValueError(msg)
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            msg = "it is no JSON"
            raise ValueError(msg) from None
        return deployment_from(event, now=self._clock.now(), targets=self._targets(), dated=True)

    def _tell(self, number: int, reason: str) -> None:
        self._told += 1
        if self._told > _MOST_TOLD:
            return
        rest = "; further ones are not told" if self._told == _MOST_TOLD else ""
        extra = {"file": self._path.name, "line": number, "reason": reason + rest}
        _log.warning("a line of the file of deployments is left out", extra=extra)
