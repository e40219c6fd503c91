"""The worker: carries out the runs it is ordered to and tells of each step. Journey code runs here alone."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from monitor.dispatch.channel import LARGEST_FRAME, Channel
from monitor.dispatch.equipment import Equipment
from monitor.dispatch.messages import Done, Failed, Kind, LaneName, Order, Ready, Setup, Told
from monitor.dispatch.orders import IncomingOrders
from monitor.domain.clock import SystemClock
from monitor.domain.evidence import Evidence, ProberFault, Truncation
from monitor.domain.journey import Journey
from monitor.domain.secret import Redactor
from monitor.execution.progress import Progress
from monitor.execution.run import execute, secrets_of
from monitor.execution.wire import Codec
from monitor.probes.session import ProberError

BEAT = 0.5

_SLACK = 1_024
_SWEEP_SECONDS = 0.1


class Worker:
    """One worker process, from its first word to its last."""

    def __init__(self) -> None:
        """Prepare to be told what to do."""
        self._codec = Codec()
        self._clock = SystemClock()
        self._over = asyncio.Event()
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._setup: asyncio.Future[Setup] = asyncio.get_running_loop().create_future()
        self._orders = IncomingOrders(self._codec, remembered=False)
        self._equipment: Equipment | None = None
        self._channel: Channel | None = None
        self._name = ""
        self._alone = self._sweeps = False
        self._untold: dict[str, list[Progress]] = {}

    async def serve(self, end: socket.socket) -> None:
        """Work until told to stop or until nobody listens any more."""
        self._channel = await Channel.over(end, hear=self._hear, ended=self._over.set)
        setup = await self._setup
        self._sweeps = setup.lane is LaneName.SCRIPT
        self._name, self._alone = setup.name, setup.lane is not LaneName.HTTP
        try:
            self._equipment = await _equip(setup)
        except Exception as error:  # noqa: BLE001 - whatever it is, the main process is told why there is no worker
            fault = error.fault if isinstance(error, ProberError) else ProberFault.INTERNAL
            self._send(Kind.FAILED, Failed(fault=fault, text=_words(error)))
            self._channel.close()
            return
        # What is loaded by now stays; not looking through it again keeps the collector's pauses short.
        gc.collect()
        gc.freeze()
        self._send(Kind.READY, Ready(process=os.getpid(), engine=self._equipment.probe.engine))
        beats = asyncio.create_task(self._beat())
        await self._over.wait()
        beats.cancel()
        await self._equipment.probe.close()

    def _hear(self, kind: Kind, value: memoryview) -> None:
        if kind is Kind.ORDER:
            order = self._orders.take(value)
            # Whoever keeps no task may lose it to the collector.
            self._runs[order.assignment.run_id] = asyncio.create_task(self._carry_out(order))
        elif kind is Kind.TERMS:
            self._orders.learn(value)
        elif kind is Kind.SETUP:
            setup = self._codec.decode(value, Setup)
            self._orders = IncomingOrders(self._codec, remembered=setup.lane is LaneName.HTTP)
            self._setup.set_result(setup)
        elif kind is Kind.STOP:
            self._over.set()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            # Most runs that share a process are over before the next beat: telling of their steps would be wasted.
            for run_id in tuple(self._untold):
                self._tell(run_id)
            self._write(Kind.BEAT, b"")

    async def _carry_out(self, order: Order) -> None:
        assert self._equipment is not None
        assignment = order.assignment
        run_id = assignment.run_id
        try:
            journey = self._equipment.load(assignment.check.journey, order.source)
            before = asyncio.all_tasks() if self._sweeps else set()
            evidence = await self._execute(self._equipment, order, journey)
            spent = self._sweeps and not await _swept(before)
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a module of journeys must cost this run only
            text = Redactor(secrets_of(assignment)).mask(_words(error))
            self._send(Kind.FAILED, Failed(run_id=run_id, fault=ProberFault.SCRIPT, text=text))
            return
        finally:
            self._untold.pop(run_id, None)
            self._runs.pop(run_id, None)
        self._send_evidence(Done(run_id=run_id, evidence=evidence, spent=spent))

    async def _execute(self, equipment: Equipment, order: Order, journey: Journey) -> Evidence:
        effects = {step.name for step in journey.steps if step.effects}
        run_id = order.assignment.run_id
        untold: list[Progress] = []
        self._untold[run_id] = untold

        def tell(progress: Progress) -> None:
            untold.append(progress)
            effect = progress.step in effects and progress.result is None
            if self._alone or effect:
                self._tell(run_id)
            if effect and self._channel is not None:
                # Known before the step can have an effect, whatever becomes of this process then.
                self._channel.flush()

        return await execute(
            order.assignment,
            journey,
            equipment.probe,
            clock=self._clock,
            progress=tell,
            vantage=equipment.vantage,
            worker=self._name,
        )

    def _tell(self, run_id: str) -> None:
        untold = self._untold[run_id]
        for progress in untold:
            self._send(Kind.TOLD, Told(run_id=run_id, progress=progress))
        untold.clear()

    def _send_evidence(self, done: Done) -> None:
        value = self._codec.encode(done)
        if len(value) > LARGEST_FRAME - _SLACK:
            value = self._codec.encode(replace(done, evidence=_without_exchanges(done.evidence)))
        self._write(Kind.DONE, value)

    def _send(self, kind: Kind, value: object) -> None:
        self._write(kind, self._codec.encode(value))

    def _write(self, kind: Kind, value: bytes) -> None:
        if self._channel is not None:
            self._channel.send(kind, value)


def work(channel: int) -> None:
    """Be the worker at this end of the channel, and leave the process when done."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    code = 0
    try:
        asyncio.run(_serve(channel))
    except BaseException:
        logging.getLogger(__name__).exception("the worker failed")
        code = 70
    finally:
        os._exit(code)


async def _serve(channel: int) -> None:
    await Worker().serve(socket.socket(fileno=channel))
    # Whatever journey code has left running may go on for ever, and is not waited for.
    os._exit(0)


async def _swept(before: set[asyncio.Task[Any]]) -> bool:
    """Cancel the tasks that have come since, and say whether none is left: the next run must not meet them."""
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=_SWEEP_SECONDS)
    return all(task.done() for task in left)


async def _equip(setup: Setup) -> Equipment:
    module, _, name = setup.equipment.partition(":")
    equip: Callable[[Setup], Awaitable[Equipment]] = getattr(importlib.import_module(module), name)
    return await equip(setup)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _without_exchanges(evidence: Evidence) -> Evidence:
    cut = Truncation(what="exchanges", kept=0, seen=len(evidence.exchanges))
    return replace(
        evidence,
        exchanges=(),
        console=(),
        page_errors=(),
        websockets=(),
        events=(),
        truncated=(*evidence.truncated, cut),
    )
