"""Serves until a signal says otherwise: pages and metrics beside the running checks."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence

import uvicorn

from monitor.cli.exits import Exit
from monitor.config.settings import Settings, WebSettings
from monitor.domain.clock import SystemClock
from monitor.service import Service, StartupChoices, StartupError, open_service
from monitor.web.app import create_app

_log = logging.getLogger(__name__)

_BACKLOG = 512
# For how long somebody may not take what was sent, in milliseconds. Then the kernel ends the connection.
_UNTAKEN = 30_000
_SHUTDOWN_GRACE = 8.0


class QuietServer(uvicorn.Server):
    """Leaves signals to us: a stop must first let runs end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve(
    settings: Settings,
    choices: StartupChoices,
    *,
    environ: Mapping[str, str],
    announce: Callable[[Sequence[str]], None],
) -> Exit:
    """Run the monitor until SIGTERM or SIGINT; SIGHUP reloads. Raises StartupError where it cannot start."""
    listener = bound(settings.web)
    try:
        running = await open_service(settings, choices, environ=environ, clock=SystemClock())
    except BaseException:
        listener.close()
        raise
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    asked = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, asked.set)
    reloading = asyncio.create_task(_reload_when(asked, running))
    config = uvicorn.Config(
        create_app(running),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_keep_alive=30,
    )
    server = QuietServer(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await running.start()
        announce((f"Faultline serves {settings.web.url}/ and {settings.web.url}/metrics",))
        await _first_of(stop, serving)
    finally:
        reloading.cancel()
        await running.close(_SHUTDOWN_GRACE)
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await serving
    return Exit.GOOD if stop.is_set() else Exit.FAILED


async def _first_of(stop: asyncio.Event, serving: asyncio.Task[None]) -> None:
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait((waiting, serving), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def _reload_when(asked: asyncio.Event, running: Service) -> None:
    """Reload once for all the signals that came since the last reload began, however many they were."""
    while True:
        await asked.wait()
        asked.clear()
        try:
            await running.reload()
        except Exception:  # noqa: BLE001 - whatever it was, the next signal is heeded too
            _log.exception("could not reload")


def bound(web: WebSettings, *, untaken: int = _UNTAKEN) -> socket.socket:
    """Return a listening socket at the configured address. Raises StartupError naming the port that is in use.

    A connection whose other end takes nothing for ``untaken`` milliseconds is ended, so that a scraper that hangs keeps
    neither its answer nor its place.
    """
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, untaken)
    try:
        listener.bind((web.host.strip("[]"), web.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        rival = "is another monitor running? Then " if error.errno == errno.EADDRINUSE else ""
        remedy = f"{rival}choose another address with --listen or web.listen"
        msg = f"cannot listen on {web.host}:{web.port}: {error.strerror}; {remedy}"
        raise StartupError(msg) from error
    return listener
