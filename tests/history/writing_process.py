"""A process that plans, starts and finishes runs, and says which were committed, until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from monitor.config.settings import StorageSettings
from monitor.domain.clock import SystemClock
from monitor.history import History, HistoryError
from tests.history.runs import CHECK, a_passed_run, a_slot, at


async def one(history: History, number: int) -> None:
    run = a_passed_run(number)
    history.started(CHECK, at(number), run.run_id, at(number))
    await history.finished(run)
    # A full stop tells a whole line from one that the kill cut short.
    sys.stdout.write(f"{run.run_id}.\n")
    sys.stdout.flush()


async def main(directory: Path, first: int) -> None:
    history = await History.open(StorageSettings(directory=directory), clock=SystemClock())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for start in range(first, first + 100_000, 20):
        await history.plan([a_slot(number) for number in range(start, start + 30)])
        await asyncio.gather(*(one(history, number) for number in range(start, start + 20)))


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
    except HistoryError as error:
        sys.exit(str(error))
