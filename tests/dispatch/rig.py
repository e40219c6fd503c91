"""Equipment for workers under test: journeys that misbehave, and a probe that touches nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from monitor.dispatch.equipment import Equipment
from monitor.dispatch.messages import LaneName, Setup
from monitor.domain.assignment import Assignment
from monitor.domain.evidence import ProberFault, StepError, StepErrorKind
from monitor.domain.journey import Journey, ProbeKind, Step
from monitor.probes.session import Observations, ProberError

WORD = "word"
MEETING = 100
# Of one worker: whoever waits there waits for all others in the same process.
_MEETING = asyncio.Barrier(MEETING)


class StillSession:
    handle = None

    def begin_step(self, name: str) -> None:
        pass

    def explain(self, error: BaseException) -> StepError:
        return StepError(kind=StepErrorKind.SCRIPT, message=f"{type(error).__name__}: {error}")

    async def complete(self, error: StepError) -> StepError:
        return error

    async def keep_failure(self, step: str, *, sensitive: bool) -> None:
        pass

    async def finish(self, *, failed: bool) -> Observations:
        return Observations()


class StillProbe:
    engine = "still 1.0"

    def __init__(self, kind: ProbeKind) -> None:
        self.kind = kind

    async def open(self, assignment: Assignment, attempt: int, *, started: float) -> StillSession:
        return StillSession()

    async def alive(self) -> bool:
        return True

    async def close(self) -> None:
        pass


async def look(handle: object) -> None:
    await asyncio.sleep(0)


async def wait_long(handle: object) -> None:
    await asyncio.sleep(60)


async def wait_a_second(handle: object) -> None:
    await asyncio.sleep(1)


async def wait_for_the_word(handle: object) -> None:
    word = Path(os.environ["HOME"]).parent / WORD
    while not word.exists():  # noqa: ASYNC110 - it is given by another process
        await asyncio.sleep(0.02)


async def meet(handle: object) -> None:
    await _MEETING.wait()


async def block(handle: object) -> None:
    time.sleep(60)  # noqa: ASYNC251 - what the test is about


async def ignore_cancellation(handle: object) -> None:
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)


async def leave(handle: object) -> None:
    sys.exit(3)


async def leave_hard(handle: object) -> None:
    os._exit(1)


async def print_two_gigabytes(handle: object) -> None:
    block = b"x" * (1 << 20)
    for _ in range(2_000):
        os.write(1, block)


async def start_many_processes(handle: object) -> None:
    for _ in range(200):
        subprocess.Popen(["sleep", "60"])  # noqa: ASYNC220 - what the test is about
    await asyncio.sleep(60)


async def start_a_daemon(handle: object) -> None:
    subprocess.Popen(["sleep", "600"], start_new_session=True)  # noqa: ASYNC220 - what the test is about


async def take_memory(handle: object) -> None:
    hoard = []
    for _ in range(400):
        hoard.append(bytearray(os.urandom(1 << 10) * 1_024))
        await asyncio.sleep(0.005)
    # Held until somebody looks, who on a machine with many processes does so every other second only.
    await asyncio.sleep(60)


async def die_by_signal(handle: object) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


async def stop_oneself(handle: object) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


async def tell_the_environment(handle: object) -> None:
    raise AssertionError(" ".join(sorted(os.environ)))


async def write_into_every_channel(handle: object) -> None:
    for descriptor in range(3, 64):
        with suppress(OSError):
            os.write(descriptor, b"nonsense " * 100)
    await asyncio.sleep(60)


ACTS: dict[str, Callable[..., Awaitable[Any]]] = {
    act.__name__.replace("_", "-"): act
    for act in (
        look,
        wait_long,
        wait_a_second,
        wait_for_the_word,
        meet,
        block,
        ignore_cancellation,
        leave,
        leave_hard,
        print_two_gigabytes,
        start_many_processes,
        start_a_daemon,
        take_memory,
        die_by_signal,
        stop_oneself,
        tell_the_environment,
        write_into_every_channel,
    )
}


def journey(name: str) -> Journey:
    """Return the journey of that name: ``look``, then what the name says; ``order-`` in front marks an effect."""
    act = ACTS[name.removeprefix("order-")]
    return Journey(
        name=name,
        title=name,
        steps=(
            Step(name="look", title="Look", act=look),
            Step(name="act", title="Act", act=act, effects=name.startswith("order-")),
        ),
        probe=ProbeKind.HTTP,
    )


def load(name: str, source: str) -> Journey:
    if name == "broken-module":
        sys.exit("a module that leaves")
    if name == "endless-module":
        time.sleep(60)
    return journey(name)


async def equip(setup: Setup) -> Equipment:
    kind = ProbeKind.BROWSER if setup.lane is LaneName.BROWSER else ProbeKind.HTTP
    return Equipment(probe=StillProbe(kind), load=load)


async def refuse_browsers(setup: Setup) -> Equipment:
    if setup.lane is LaneName.BROWSER:
        message = "no chromium-headless-shell was found; install the package or name it under workers.headless_shell"
        raise ProberError(ProberFault.BROWSER_MISSING, message)
    return await equip(setup)


async def never(setup: Setup) -> Equipment:
    print("nothing works today", file=sys.stderr)
    os._exit(9)


def folder() -> str:
    return str(Path(__file__).parent)
