"""The bundled shop, alone or beside the monitor."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.cli.exits import Exit
from monitor.demo import MONITOR, Ports, PortTakenError, Shop, serve
from monitor.service import StartupError

FIRST_PORT = 8443
READY = "the shop is open"
_PATIENCE = 10.0


def make_authority(data: Path) -> Path:
    """Make the authority of the shop's certificates where there is none yet, and return its file."""
    try:
        return Shop(data).ca_path
    except OSError as error:
        msg = f"--data: {data} cannot hold the shop's certificates: {error.strerror}"
        raise StartupError(msg) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the shop listens, and where its control page leads.

    Attributes:
        ports_from: The first of its ports.
        control_address: The address of the control page; the shop itself stays on loopback.
        monitor_url: Where Faultline is.
    """

    ports_from: int = FIRST_PORT
    control_address: str = "127.0.0.1"
    monitor_url: str = MONITOR


async def shop_alone(data: Path, place: Place, announce: Callable[[Sequence[str]], None]) -> Exit:
    """Serve the shop until SIGTERM or SIGINT. Raises StartupError where a port is in use or out of range."""

    def tell(shop: Shop) -> None:
        announce((READY, f"  shop           {shop.url('shop')}/", f"  break and mend {shop.url('control')}/"))

    try:
        ports = Ports.starting_at(place.ports_from)
    except ValueError as error:
        msg = f"--ports-from: {error}"
        raise StartupError(msg) from error
    opening = serve(data, ports, control_address=place.control_address, monitor_url=place.monitor_url, on_ready=tell)
    serving = asyncio.ensure_future(opening)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    try:
        await serving
    except PortTakenError as error:
        raise StartupError(str(error)) from error
    except asyncio.CancelledError:
        return Exit.GOOD
    return Exit.GOOD


@contextlib.contextmanager
def shop_beside(data: Path, monitor_url: str) -> Iterator[None]:
    """Run the shop in a process of its own, so that neither slows the other. Raises StartupError where it cannot."""
    command = [sys.executable, "-m", "monitor.cli", "demo", "--data", str(data), "--monitor-url", monitor_url]
    shop = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=None, text=True, start_new_session=True)  # noqa: S603 - our own program
    try:
        _wait_until_open(shop)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shop.pid, signal.SIGTERM)
        try:
            shop.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(shop.pid, signal.SIGKILL)
            shop.wait()


def _wait_until_open(shop: subprocess.Popen[str]) -> None:
    assert shop.stdout is not None
    for line in shop.stdout:
        if line.strip() == READY:
            return
    msg = "the bundled shop did not start; the lines above say why"
    raise StartupError(msg)


def where_to_look(url: str) -> tuple[str, ...]:
    """Return what a newcomer should open."""
    return (
        "",
        f"  Faultline       {url}/            what works, what does not, and whose it is",
        f"  metrics         {url}/metrics     for Prometheus",
        "  the shop        https://www.shop.localhost:8443/  (its certificate is signed by data/demo/ca.pem)",
        "  break and mend  http://127.0.0.1:8470/            break the shop here, then look at Faultline",
        "",
        "The first runs come within a minute or two. Ctrl-C stops everything.",
        "",
    )
