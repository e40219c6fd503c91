"""Makes probes by our own engine and prints, as one line of JSON, what they measured and what they cost.

Usage: ``client.py URL CA_PEM|- RATE|burst COUNT [burn]``.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import json
import resource
import sys
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from monitor.domain.assignment import Assignment
from monitor.domain.check import Check
from monitor.domain.clock import SystemClock
from monitor.probes.http.probe import HttpProbe
from monitor.probes.vantage.resolver import Resolver
from tests.builders import A_MOMENT, a_check, a_target

WARM_UP = 30


def assignment(check: Check, name: str) -> Assignment:
    return Assignment(
        run_id=name,
        check=check,
        location="here",
        scheduled_at=A_MOMENT,
        not_after=A_MOMENT,
        attempt_limit=1,
        artifact_directory="",
        traceparent=name,
        first_party=("127.0.0.1",),
    )


async def one(probe: HttpProbe, check: Check, name: str) -> tuple[str, float, str]:
    session = await probe.open(assignment(check, name), 1, started=time.monotonic())
    session.begin_step("front-page")
    response = await session.handle.get("/")
    assert response.status == 200
    seen = await session.finish(failed=False)
    timings = seen.exchanges[0].timings
    assert timings.wait is not None
    return name, timings.wait, timings.source.value


async def main(url: str, extra_ca: str | None, rate: float | None, count: int, *, busy: bool) -> None:
    check = a_check(target=a_target(base_url=url, extra_ca=extra_ca), deadline=dt.timedelta(seconds=20))
    probe = HttpProbe(clock=SystemClock(), resolver=Resolver(elapsed=time.monotonic))
    for number in range(WARM_UP):
        await one(probe, check, f"warm-{number}")
    gc.collect()
    gc.freeze()
    stop = threading.Event()
    if busy:
        threading.Thread(target=burn, args=(stop,), daemon=True).start()
    before = resource.getrusage(resource.RUSAGE_SELF)
    results = await spread(probe, check, rate, count)
    after = resource.getrusage(resource.RUSAGE_SELF)
    stop.set()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sources = Counter(source for _, _, source in results)
    print(json.dumps({"cpu": cpu / count, "waits": {name: wait for name, wait, _ in results}, "sources": sources}))
    await probe.close()


async def spread(probe: HttpProbe, check: Check, rate: float | None, count: int) -> list[tuple[str, float, str]]:
    """Begin probes at a steady rate, or all at once where there is none."""
    loop = asyncio.get_running_loop()
    start = loop.time() + 0.05
    tasks: list[asyncio.Task[tuple[str, float, str]]] = []
    begun = asyncio.Event()

    def begin(number: int) -> None:
        tasks.append(loop.create_task(one(probe, check, f"own-{number}")))
        if number + 1 == count:
            begun.set()
        elif rate is None:
            loop.call_soon(begin, number + 1)
        else:
            loop.call_at(start + (number + 1) / rate, begin, number + 1)

    loop.call_at(start, begin, 0)
    await begun.wait()
    return await asyncio.gather(*tasks)


def burn(stop: threading.Event) -> None:
    while not stop.is_set():
        sum(range(1000))


if __name__ == "__main__":
    address, pem, pace, number_of_probes = sys.argv[1:5]
    asyncio.run(
        main(
            address,
            None if pem == "-" else Path(pem).read_text(),
            None if pace == "burst" else float(pace),
            int(number_of_probes),
            busy="burn" in sys.argv,
        )
    )
