"""A shop that nobody here wrote: django-oscar, with its static files on a host of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import free_port

SITE = Path(__file__).parent / "site"


class Oscar:
    """The shop's two servers, and the ways in which a test breaks them."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port, self.static_port = free_port(), free_port()
        self._shop: subprocess.Popen[bytes] | None = None
        self._static: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start what is not running, and wait until it answers."""
        if self._shop is None:
            environ = {
                **os.environ,
                "OSCAR_DATA": str(self.data),
                "OSCAR_STATIC_URL": f"http://localhost:{self.static_port}/static/",
                "PYTHONWARNINGS": "ignore",
            }
            log = (self.data / "server.log").open("ab")
            command = [sys.executable, str(SITE / "oscar_serve.py"), str(self.port)]
            self._shop = subprocess.Popen(
                command, cwd=SITE, env=environ, stdout=log, stderr=log, start_new_session=True
            )
            log.close()
        if self._static is None:
            command = [sys.executable, "-m", "http.server", str(self.static_port), "--bind", "127.0.0.1"]
            self._static = subprocess.Popen(
                command, cwd=self.data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
        _wait_for(self.port)
        _wait_for(self.static_port)

    def signal(self, number: int) -> None:
        """Send the shop's server a signal."""
        if self._shop is not None:
            os.killpg(self._shop.pid, number)

    def stop_server(self) -> None:
        self._shop = _ended(self._shop)

    def refuse_static(self) -> None:
        self._static = _ended(self._static)

    def take_database_away(self) -> None:
        """Move the database aside; Django then finds an empty one."""
        (self.data / "shop.sqlite3").rename(self.data / "shop.sqlite3.away")

    def mend(self) -> None:
        """Put everything back."""
        away = self.data / "shop.sqlite3.away"
        if away.exists():
            away.replace(self.data / "shop.sqlite3")
        self.start()

    def close(self) -> None:
        self.stop_server()
        self.refuse_static()


def _ended(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(port: int, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    msg = f"nothing listens on port {port} after {seconds} s"
    raise TimeoutError(msg)


@pytest.fixture(scope="session")
def oscar_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oscar]:
    """The running shop, made once: its migrations alone take ten seconds."""
    data = tmp_path_factory.mktemp("oscar")
    oscar = Oscar(data)
    try:
        oscar.start()
        yield oscar
    finally:
        oscar.close()


@pytest.fixture
def oscar(oscar_process: Oscar) -> Iterator[Oscar]:
    """The shop in good health; whatever a test breaks is mended after it."""
    oscar_process.mend()
    yield oscar_process
    oscar_process.mend()
