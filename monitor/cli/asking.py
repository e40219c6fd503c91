"""Reads history beside a running monitor, and has verdicts written by whoever holds the store."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from monitor.config.settings import Settings, StorageSettings, WebSettings
from monitor.diagnosis.names import load_names
from monitor.domain.clock import SystemClock
from monitor.history import History, HistoryError, InUseError, Reader
from monitor.history.corrections import Saying, take
from monitor.history.rejudging import Rejudging
from monitor.service import StartupError
from monitor.web.verdicts import judgement_json

_PATIENCE = 15.0
_MOST_BYTES = 1_000_000
_TAKEN = frozenset({200, 201})
_UNAUTHORIZED = 401
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - turned into loopback, not bound


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


async def say(settings: Settings, saying: Saying) -> dict[str, Any]:
    """Have a verdict added, and return it as the API does. Raises StartupError where it is refused.

    The store has one writer: while a monitor runs, that one is asked; otherwise we are it for a moment.
    """
    try:
        history = await History.open(settings.storage, clock=SystemClock())
    except InUseError as error:
        return await asyncio.to_thread(_ask, settings.web, saying, str(error))
    except HistoryError as error:
        raise StartupError(str(error)) from error
    try:
        rejudging = Rejudging(settings, await asyncio.to_thread(load_names))
        said = await take(history, saying, at=SystemClock().now(), rejudge=rejudging.judge)
    except HistoryError as error:
        raise StartupError(str(error)) from error
    finally:
        await history.close()
    return {"in_force": said.in_force, "verdict": judgement_json(said.judgement)}


def ask(web: WebSettings, path: str, body: dict[str, str], held: str) -> dict[str, Any]:
    """Post to the running monitor, and return its answer. Raises StartupError where it refuses or does not answer.

    ``held`` says why it has to be asked.
    """
    host = _ANYWHERE.get(web.host.strip("[]"), web.host.strip("[]"))
    where = f"http://{f'[{host}]' if ':' in host else host}:{web.port}"
    try:
        status, answer = _post(host, web, path, body)
    except (OSError, http.client.HTTPException) as error:
        remedy = "name the monitor's address with --listen, or stop it and say it again"
        msg = f"{held}; and no monitor answers at {where} ({error}): {remedy}"
        raise StartupError(msg) from error
    if status == _UNAUTHORIZED:
        msg = f"the monitor at {where} wants a user name and a password: give web.username and web.password"
        raise StartupError(msg)
    try:
        found = json.loads(answer)
    except ValueError:
        found = {}
    if status not in _TAKEN or not isinstance(found, dict):
        words = found.get("error") if isinstance(found, dict) else None
        raise StartupError(str(words or f"the monitor at {where} answered {status}: is it an older version?"))
    return found


def _ask(web: WebSettings, saying: Saying, held: str) -> dict[str, Any]:
    body = {"say": saying.say.value, "meant": saying.meant, "culprit": saying.culprit}
    body |= {"reason": saying.reason, "author": saying.author}
    return ask(web, f"/api/v1/runs/{saying.run_id}/verdicts", body, held)


def _post(host: str, web: WebSettings, path: str, body: dict[str, str]) -> tuple[int, bytes]:
    headers = {"content-type": "application/json"}
    if web.password is not None:
        token = base64.b64encode(f"{web.username}:{web.password.reveal()}".encode()).decode()
        headers["authorization"] = f"Basic {token}"
    connection = http.client.HTTPConnection(host, web.port, timeout=_PATIENCE)
    try:
        connection.request("POST", path, body=json.dumps(body).encode(), headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(_MOST_BYTES)
    finally:
        connection.close()
