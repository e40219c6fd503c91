"""A history in a fresh directory, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import pwd
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from monitor.config.settings import StorageSettings
from monitor.domain.secret import Secret
from monitor.history import History, WriterLimits
from tests.builders import A_MOMENT

QUICK = WriterLimits(window=0.002, gather=0.005, linger=0.02, retry=0.02, farewell=1.0)


class HandClock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.moment = A_MOMENT
        self.seconds = 1000.0

    def now(self) -> dt.datetime:
        return self.moment

    def elapsed(self) -> float:
        import time

        return time.monotonic()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def _postgresql_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)
    if found:
        return found[0].parent
    on_path = shutil.which("postgres")
    return Path(on_path).parent if on_path else None


class PostgreSql:
    """A server of our own on a private socket, run by an unprivileged user, because it refuses to run as root."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self.folder = folder
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(folder, account.pw_uid, account.pw_gid)
        self._run("initdb", "-D", "data", "-U", "faultline", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments],
            cwd=self.folder,
            user=self._user,
            group="nogroup" if self._user else None,
            extra_groups=[] if self._user else None,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        self._run("pg_ctl", "-D", "data", "-w", "-o", options, "-l", "log", "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", "data", "-w", "-m", mode, "stop")

    def create(self, name: str) -> str:
        self._run("createdb", "-h", str(self.folder), "-U", "faultline", name)
        return f"postgresql+psycopg://faultline@/{name}?host={self.folder}"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    programs = _postgresql_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed (Debian: apt-get install postgresql)")
    # Not below pytest's own folder: another user must reach it, and the path of a socket must be short.
    folder = Path(subprocess.check_output(["mktemp", "-d", "/tmp/pg-XXXXXX"], text=True).strip())
    try:
        server = PostgreSql(programs, folder)
        yield server
        with contextlib.suppress(subprocess.CalledProcessError):
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sqlite_storage(tmp_path: Path) -> StorageSettings:
    return StorageSettings(directory=tmp_path / "data")


@pytest.fixture
def postgresql_storage(tmp_path: Path, postgresql: PostgreSql, request: pytest.FixtureRequest) -> StorageSettings:
    count = request.session.stash.setdefault(_COUNT, 0) + 1
    request.session.stash[_COUNT] = count
    url = postgresql.create(f"history{count}")
    return StorageSettings(directory=tmp_path / "data", url=Secret("storage_url", url))


_COUNT = pytest.StashKey[int]()


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest) -> StorageSettings:
    return request.getfixturevalue(f"{request.param}_storage")


@pytest.fixture
async def opened(clock: HandClock) -> AsyncIterator[Callable[..., object]]:
    """Opens histories that are closed when the test ends."""
    histories: list[History] = []

    async def open_history(storage: StorageSettings, limits: WriterLimits = QUICK) -> History:
        history = await History.open(storage, clock=clock, limits=limits)
        histories.append(history)
        return history

    yield open_history
    for history in reversed(histories):
        await history.close()


@pytest.fixture
async def history(opened: Callable[..., object], storage: StorageSettings) -> History:
    return await opened(storage)
