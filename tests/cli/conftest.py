"""A configuration with one check, and a store with runs of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from typer.testing import CliRunner, Result

from monitor.cli.commands import app
from monitor.config.settings import Settings, WebSettings
from monitor.domain.clock import SystemClock
from monitor.domain.run import Run
from monitor.history import History
from monitor.service import StartupError, read_settings
from monitor.web.app import create_app
from tests.web.conftest import StillClock, TestMonitor

CONFIG = """\
location: lab
journeys: checks
storage: {directory: data}
web: {listen: "127.0.0.1:9"}
targets: {shop: {base_url: "https://www.shop.example"}}
checks: [{journey: browse, target: shop, every: 60s, deadline: 30s}]
"""
CHECK = "browse@shop/desktop"


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that is typed in this process sets up logging for a process of its own."""
    root, ours = logging.getLogger(), logging.getLogger("monitor")
    handlers, level, our_level = list(root.handlers), root.level, ours.level
    yield
    for handler in [each for each in root.handlers if each not in handlers]:
        root.removeHandler(handler)
    root.setLevel(level)
    ours.setLevel(our_level)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "checks").mkdir()
    path = tmp_path / "monitor.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def settings(config: Path) -> Settings:
    return read_settings(config, {})


async def keep(settings: Settings, *runs: Run) -> None:
    """Store runs as a monitor would, and let go of the store."""
    history = await History.open(settings.storage, clock=SystemClock())
    for run in runs:
        await history.finished(run)
    await history.close()


@pytest.fixture
def typed(config: Path) -> Callable[..., Result]:
    """Type a command; an error that a person can mend ends up in ``output`` as it does in a terminal."""

    def type_(*words: str) -> Result:
        result = CliRunner().invoke(app, [*words, "--config", str(config)])
        if isinstance(result.exception, StartupError):
            result.stdout_bytes += "\n".join(result.exception.lines).encode()
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return type_


@contextlib.asynccontextmanager
async def a_running_monitor(settings: Settings, web: WebSettings) -> AsyncIterator[Settings]:
    """A store that is held, and its pages on a real socket."""
    history = await History.open(settings.storage, clock=SystemClock())
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        settings = replace(settings, web=replace(web, port=listener.getsockname()[1]))
        clock = StillClock()
        clock.moment = SystemClock().now()
        parts = TestMonitor(settings, history, clock)
        server = uvicorn.Server(uvicorn.Config(create_app(parts), log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield settings
        finally:
            server.should_exit = True
            await serving
            await history.close()
