"""A worker process as the main process sees it: how it is started, spoken to, watched and ended."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from monitor.dispatch import tree
from monitor.dispatch.channel import Channel
from monitor.dispatch.flight import Flight, Limits, Obituary
from monitor.dispatch.messages import Done, Failed, Kind, LaneName, Order, Ready, Setup, Told
from monitor.dispatch.orders import OutgoingOrders
from monitor.domain.clock import Clock
from monitor.domain.evidence import Evidence
from monitor.domain.journey import JourneyOutline
from monitor.execution.progress import Interruption
from monitor.execution.wire import Codec, WireError

_log = logging.getLogger(__name__)

_KILL_SECONDS = 2.0
_STOP_SECONDS = 5.0
_HANG_UP_SECONDS = 1.0


class WorkerState(StrEnum):
    """How far a worker has come."""

    STARTING = "starting"
    READY = "ready"
    ENDED = "ended"


class WorkerProcess:
    """One worker with its keeper, from start to removal."""

    def __init__(
        self,
        setup: Setup,
        *,
        limits: Limits,
        directory: Path,
        clock: Clock,
        changed: Callable[[WorkerProcess], None],
    ) -> None:
        """Prepare a worker whose temporary files live in ``directory``; ``changed`` is called as it gets on."""
        self.setup = setup
        self.limits = limits
        self.state = WorkerState.STARTING
        self.retiring = False
        self.spent = False
        self.flights: dict[str, Flight] = {}
        self.runs = 0
        self.memory = 0
        self.engine = ""
        self.refusal: Interruption | None = None
        self.heard = clock.elapsed()
        self.gone = asyncio.Event()
        self.obituary = Obituary()
        self._directory = directory
        self._clock = clock
        self._changed = changed
        self._codec = Codec()
        self._orders = OutgoingOrders(self._codec, remembered=setup.lane is LaneName.HTTP)
        self._process = 0
        self._keeper: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._channel: Channel | None = None
        self._silent = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._burial: asyncio.Task[None] | None = None
        self._said = b""

    async def start(self) -> None:
        """Start the process. It is ready some time after this returns. Raises OSError where none can be started."""
        self._directory.mkdir(parents=True, mode=0o700)
        control, its_control = socket.socketpair()
        channel, its_channel = socket.socketpair()
        with its_control, its_channel:
            self._keeper = self._spawn(its_control.fileno(), its_channel.fileno())
        control.setblocking(False)
        self._control = control
        self._loop.add_reader(control.fileno(), self._hear_keeper)
        self._channel = await Channel.over(channel, hear=self._hear, ended=self._hang_up)
        self._channel.send(Kind.SETUP, self._codec.encode(self.setup))

    def carry_out(self, order: Order, outline: JourneyOutline) -> Flight:
        """Order a run."""
        flight = Flight(
            order=order,
            outline=outline,
            worker=self,
            started_at=self._clock.now(),
            started=self._clock.elapsed(),
            landed=self._loop.create_future(),
        )
        self.flights[order.assignment.run_id] = flight
        self.runs += 1
        assert self._channel is not None
        for kind, value in self._orders.frames(order):
            self._channel.send(kind, value)
        return flight

    def forget(self, flight: Flight) -> None:
        """Expect nothing more of a run."""
        self.flights.pop(flight.order.assignment.run_id, None)
        self._go_if_idle()
        self._changed(self)

    def silence(self) -> float:
        """Return the seconds since the worker was last heard of."""
        return self._clock.elapsed() - self.heard

    def is_stopped(self) -> bool:
        """Say whether somebody has stopped the process with a signal."""
        return tree.state_of(self._process) == "T"

    def retire(self) -> None:
        """Give it no more runs, and let it go when those it has are over."""
        if not self.retiring:
            self.retiring = True
            self._go_if_idle()

    def kill(self) -> None:
        """End it now, with everything that descends from it."""
        self.retiring = True
        if self._control is not None and self.state is not WorkerState.ENDED:
            with suppress(OSError):
                self._control.send(b"end")
            self._loop.call_later(_KILL_SECONDS, self._kill_hard)

    def _spawn(self, control: int, channel: int) -> subprocess.Popen[bytes]:
        limits = [str(self.limits.memory_bytes), str(self.limits.processes)]
        numbers = [str(control), str(channel)]
        return subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", "monitor.dispatch.keeper", *numbers, *limits, str(self._directory)],
            pass_fds=(control, channel),
            cwd=self._directory,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _environment(self) -> dict[str, str]:
        """Return all that a worker may know of ours: no secret, no proxy, nothing that changes how libraries behave."""
        home = str(self._directory)
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": home,
            "TMPDIR": home,
            "LANG": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *self.setup.import_paths]),
        }

    def _hear(self, kind: Kind, value: memoryview) -> None:
        self.heard = self._clock.elapsed()
        try:
            self._take(kind, value)
        except WireError:
            # What journey code writes into the channel is no reason to believe anything of this worker any more.
            self.kill()

    def _take(self, kind: Kind, value: memoryview) -> None:
        match kind:
            case Kind.TOLD:
                told = self._codec.decode(value, Told)
                if flight := self.flights.get(told.run_id):
                    flight.told.append(told.progress)
            case Kind.DONE:
                done = self._codec.decode(value, Done)
                self.spent = self.spent or done.spent
                self._land(done.run_id, done.evidence)
            case Kind.FAILED:
                failed = self._codec.decode(value, Failed)
                interruption = Interruption(fault=failed.fault, text=failed.text)
                if failed.run_id:
                    self._land(failed.run_id, interruption)
                else:
                    self.refusal = interruption
            case Kind.READY:
                ready = self._codec.decode(value, Ready)
                self._process, self.engine = ready.process, ready.engine
                self.state = WorkerState.READY
                self._changed(self)
            case _:
                pass

    def _land(self, run_id: str, result: Evidence | Interruption) -> None:
        flight = self.flights.pop(run_id, None)
        if flight is not None:
            flight.land(result)
            self._go_if_idle()
            self._changed(self)

    def _go_if_idle(self) -> None:
        if self.retiring and not self.flights and self._channel is not None:
            self._channel.send(Kind.STOP)
            self._loop.call_later(_STOP_SECONDS, self.kill)

    def _hear_keeper(self) -> None:
        assert self._control is not None
        try:
            heard = self._control.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        *lines, self._said = (self._said + heard).split(b"\n")
        for line in lines:
            self._note(json.loads(line))
        if not heard:
            self._loop.remove_reader(self._control.fileno())
            self._burial = self._loop.create_task(self._bury())

    def _note(self, said: dict[str, object]) -> None:
        if "memory" in said:
            self.memory = int(str(said["memory"]))
        else:
            status = said["status"]
            self.obituary = Obituary(
                status=status if isinstance(status, int) else None,
                reason=str(said["reason"]),
                oom=bool(said["oom"]),
                tail=str(said["tail"]),
            )

    def _hang_up(self) -> None:
        self._silent.set()
        if self.state is not WorkerState.ENDED:
            # A worker that died is announced by its keeper at once; one that lives but does not listen is of no use.
            self._loop.call_later(_HANG_UP_SECONDS, self.kill)

    async def _bury(self) -> None:
        """See the processes and their files off, once the keeper is gone."""
        # What the worker had sent before it died is still to be heard.
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._silent.wait()
        self.state = WorkerState.ENDED
        flights, self.flights = self.flights, {}
        for flight in flights.values():
            flight.land(self.obituary)
        self._changed(self)
        try:
            await asyncio.to_thread(self._clean_up)
        except Exception:  # noqa: BLE001 - whatever it was, the worker counts as gone
            _log.exception("could not see a worker off", extra={"worker": self._directory.name})
        finally:
            # Whoever waits for this worker to be gone, a stop of the monitor above all, must not wait for ever.
            if self._control is not None:
                self._control.close()
            if self._channel is not None:
                self._channel.close()
            self.gone.set()

    def _clean_up(self) -> None:
        assert self._keeper is not None
        try:
            self._keeper.wait(_KILL_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill_hard()
            self._keeper.wait()
        if self._directory.exists():
            # The keeper itself was killed: what it would have ended is told by the directory it was given.
            tree.kill_at_home_in(str(self._directory))
            shutil.rmtree(self._directory, ignore_errors=True)

    def _kill_hard(self) -> None:
        if self._keeper is not None and self._keeper.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._keeper.pid, signal.SIGKILL)
