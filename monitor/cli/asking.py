"""Reads history beside a running monitor, and has verdicts written by whoever holds the store."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from monitor.cli.explain import find
from monitor.config.settings import Settings, StorageSettings, WebSettings
from monitor.diagnosis.names import load_names
from monitor.domain.clock import SystemClock
from monitor.history import History, HistoryError, InUseError, Reader
from monitor.history.corrections import Saying, take
from monitor.history.rejudging import Rejudging
from monitor.service import StartupError
from monitor.web.verdicts import judgement_json

T = TypeVar("T")

_PATIENCE = 15.0
_MOST_BYTES = 1_000_000
_TAKEN = frozenset({200, 201})
_UNAUTHORIZED, _NOT_FOUND = 401, 404


@asynccontextmanager
async def reading(storage: StorageSettings) -> AsyncIterator[Reader]:
    """Lend history for reading, whether or not a monitor runs. Raises StartupError where there is none."""
    try:
        reader = await Reader.beside(storage, clock=SystemClock())
    except HistoryError as error:
        raise StartupError(str(error)) from error
    try:
        yield reader
    except HistoryError as error:
        raise StartupError(str(error)) from error
    finally:
        await reader.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """Nobody at the monitor's address could do it; ``why`` says what was found there."""

    why: str


Answer = dict[str, Any] | Unanswered


async def say(settings: Settings, saying: Saying, *, chosen: bool = False) -> dict[str, Any]:
    """Have a verdict added, and return it as the API does. Raises StartupError where it is refused."""

    async def write(history: History) -> dict[str, Any]:
        await find(history, saying.run_id, settings.storage)
        rejudging = Rejudging(settings, await asyncio.to_thread(load_names))
        said = await take(history, saying, at=SystemClock().now(), rejudge=rejudging.judge)
        return {"in_force": said.in_force, "verdict": judgement_json(said.judgement)}

    body = {"say": saying.say.value, "meant": saying.meant, "culprit": saying.culprit}
    body |= {"reason": saying.reason, "author": saying.author}
    path = f"/api/v1/runs/{saying.run_id}/verdicts"
    return await told(settings, path, body, write, chosen=chosen)


async def told(
    settings: Settings, path: str, body: Mapping[str, str], write: Callable[[History], Awaitable[T]], *, chosen: bool
) -> T | dict[str, Any]:
    """Have something kept: by the running monitor, else in its history. Raises StartupError where neither can.

    The store has one writer: the monitor that holds it is asked. ``chosen`` says that somebody named the folder of the
    history, so that one which nobody holds is what they mean, whatever monitor may run beside it.
    """
    answer: Answer | None = None if chosen else await asyncio.to_thread(ask, settings.web, path, body)
    if isinstance(answer, dict):
        return answer
    try:
        return await _written(settings.storage, write)
    except InUseError as error:
        held = str(error)
    except HistoryError as error:
        raise StartupError(f"{error}; and {answer.why}" if answer else str(error)) from error
    found: Answer = answer if answer is not None else await asyncio.to_thread(ask, settings.web, path, body)
    if isinstance(found, dict):
        return found
    msg = f"{held}; and {found.why}: name the monitor's address with --listen, or stop it and say it again"
    raise StartupError(msg)


async def _written(storage: StorageSettings, write: Callable[[History], Awaitable[T]]) -> T:
    """Write to a store that is there. Raises InUseError where another holds it, HistoryError for anything else."""
    History.require(storage)
    history = await History.open(storage, clock=SystemClock())
    try:
        return await write(history)
    finally:
        await history.close()


def ask(web: WebSettings, path: str, body: Mapping[str, str]) -> Answer:
    """Post to the running monitor, and return its answer. Raises StartupError where it refuses."""
    host = web.nearby
    where = f"http://{f'[{host}]' if ':' in host else host}:{web.port}"
    try:
        status, answer = _post(host, web, path, body)
    except (OSError, http.client.HTTPException) as error:
        return Unanswered(why=f"no monitor answers at {where} ({error})")
    if status == _UNAUTHORIZED:
        msg = f"the monitor at {where} wants a user name and a password: give --username and --password-file"
        raise StartupError(msg)
    found = _object_of(answer)
    if found is None:
        return Unanswered(why=f"what answers at {where} is no monitor, or an older one (status {status})")
    if status == _NOT_FOUND:
        return Unanswered(why=f"the monitor at {where} says: {found.get('error', 'not found')}")
    if status not in _TAKEN:
        raise StartupError(str(found.get("error") or f"the monitor at {where} answered {status}"))
    return found


def _object_of(answer: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(answer)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _post(host: str, web: WebSettings, path: str, body: Mapping[str, str]) -> tuple[int, bytes]:
    headers = {"content-type": "application/json"}
    if web.password is not None:
        token = base64.b64encode(f"{web.username}:{web.password.reveal()}".encode()).decode()
        headers["authorization"] = f"Basic {token}"
    connection = http.client.HTTPConnection(host, web.port, timeout=_PATIENCE)
    try:
        connection.request("POST", path, body=json.dumps(dict(body)).encode(), headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(_MOST_BYTES)
    finally:
        connection.close()
