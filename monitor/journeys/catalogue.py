"""How the main process learns which journeys there are, without ever running a line of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import monitor
from monitor.domain.journey import JourneyCatalogue, JourneyProblem
from monitor.execution.wire import Codec, WireError

_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")


async def catalogue(folder: Path, *, timeout: float = 60.0, file_timeout: float = 10.0) -> JourneyCatalogue:  # noqa: ASYNC109 - the process is killed at its end, which asyncio.timeout cannot do
    """Return what a process of its own found in the folder. Never raises: what goes wrong is a problem in it."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "monitor.journeys.discovery",
            str(folder),
            str(file_timeout),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
            start_new_session=True,
        )
    except OSError as error:
        return _nothing(folder, f"the discovery of journeys could not be started: {error.strerror}")
    try:
        async with asyncio.timeout(timeout):
            output, errors = await process.communicate()
    except TimeoutError:
        return _nothing(folder, f"the discovery of journeys was not done after {timeout:g} s")
    finally:
        await _end(process)
    try:
        return Codec().decode(output, JourneyCatalogue)
    except WireError:
        last = errors.decode(errors="replace").strip().rpartition("\n")[2]
        return _nothing(folder, f"the discovery of journeys died (status {process.returncode}) {last[:200]}".rstrip())


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # The very engine that asks, wherever it was imported from.
    return {**kept, "PYTHONPATH": str(Path(monitor.__file__).parent.parent)}


def _nothing(folder: Path, message: str) -> JourneyCatalogue:
    return JourneyCatalogue(problems=(JourneyProblem(source=folder.name, message=message),))
