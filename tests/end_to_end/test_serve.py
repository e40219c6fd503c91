from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import json
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from monitor.domain.outcome import SlotState
from tests import servers
from tests.end_to_end.conftest import BROWSER_PATIENCE, LOGIN, PASSWORD, PATIENCE, SEARCH, Program, command, until

pytestmark = pytest.mark.slow

API = "api@shop-api/desktop"
ORDER = "order@shop-api/desktop"


def slots(folder: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "data" / "history.db") as database:
        return database.execute("select check_id, scheduled_at, state, run_id from slots").fetchall()


def holding(folder: Path, forms: set[bytes]) -> list[Path]:
    """Return the files below a folder in which one of these stands, the shop's own aside."""
    found = []
    # Not rglob: it raises where a worker tidies a folder away that it was about to read.
    for directory, _, names in os.walk(folder):
        for path in (Path(directory, name) for name in names):
            if path.is_file() and folder / "shop" not in path.parents:
                with contextlib.suppress(OSError):
                    content = path.read_bytes()
                    if any(form in content for form in forms):
                        found.append(path)
    return found


def failed_since(moment: dt.datetime, program: Program) -> object:
    """Return the id of a failed run that was due after a moment, if there is one."""
    failed = (run for run in program.runs(API) if run["outcome"] == "failed")
    return next((run["run_id"] for run in failed if dt.datetime.fromisoformat(str(run["scheduled_at"])) > moment), None)


async def off_loop(act, *arguments):
    """The shop lives on this loop, so whoever waits for the program must not stand in its way."""
    return await asyncio.to_thread(act, *arguments)


# Longer than all its patience together, so that what was waited for in vain is told.
@pytest.mark.timeout(600)
@pytest.mark.browser
async def test_journeys_run_on_schedule_in_browser_and_over_http_and_can_be_looked_up(
    folder: Path, program: Program
) -> None:
    with (folder / "monitor.yaml").open("a") as config:
        config.write(SEARCH)
    program.start()
    for check, patience in ((API, PATIENCE), (ORDER, PATIENCE), ("search@shop/desktop", BROWSER_PATIENCE)):
        run_id = await off_loop(program.wait_for_run, check, "passed", patience)
        page = await off_loop(program.get, f"/runs/{run_id}")
        assert run_id in page
        told = json.loads(await off_loop(program.get, f"/api/v1/runs/{run_id}"))
        assert told["schema"] == "faultline.run/v1"
        assert told["check"] == check
        code, out, _ = await command(folder, "explain", run_id, "--config", "monitor.yaml")
        assert code == 0
        assert f"passed  {check}" in out
    assert "healthy" in await off_loop(program.get, "/-/healthy")
    assert "ready" in await off_loop(program.get, "/-/ready")
    front = await off_loop(program.get, "/")
    assert "Find a tea" in front


async def test_a_failure_names_its_owner_in_the_store_the_metrics_and_the_log(
    folder: Path, program: Program, shop
) -> None:
    config = folder / "monitor.yaml"
    # A run that a busy machine is late with fails too, and is another failure than the one that is looked for.
    config.write_text(config.read_text().replace("every: 2s, deadline: 2s", "every: 5s, deadline: 5s"))
    program.start()
    await off_loop(program.wait_for_run, API)
    await shop.break_("api-500")
    broken_at = dt.datetime.now(dt.UTC)
    run_id = await off_loop(until, lambda: failed_since(broken_at, program), "a run failed after the shop broke")
    told = json.loads(await off_loop(program.get, f"/api/v1/runs/{run_id}"))
    assert told["diagnosis"]["cause"] == "own_infrastructure"
    assert told["diagnosis"]["detail"] == "own.http_status"
    assert "500" in told["diagnosis"]["because"]
    metrics = await off_loop(program.get, "/metrics")
    failures = [line for line in metrics.splitlines() if line.startswith("faultline_journey_run_failures_total")]
    blamed = [line for line in failures if 'journey="api"' in line and 'cause="own_infrastructure"' in line]
    assert float(blamed[0].rpartition(" ")[2]) >= 1
    lines = [json.loads(line) for line in program.log.read_text().splitlines() if line.startswith("{")]
    logged = next(line for line in lines if line.get("run_id") == run_id and line["event"] == "run finished")
    assert logged["cause"] == "own_infrastructure"
    await shop.mend()
    before = len(await off_loop(program.runs, API))
    await off_loop(
        until, lambda: program.runs(API)[0]["outcome"] == "passed" and len(program.runs(API)) > before, "mended"
    )


async def test_a_real_prometheus_scrapes_the_counters(folder: Path, program: Program) -> None:
    program.start()
    await off_loop(program.wait_for_run, API)
    config = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "faultline", "static_configs": [{"targets": [program.address]}]}],
    }
    with servers.prometheus(folder, config) as running:
        async with servers.Prometheus(running.url) as prometheus:
            await prometheus.become('faultline_journey_runs_total{journey="api"} > 0 and on () up == 1')
            # Of a while, not of this moment: a scrape that a busy machine was late for leaves nothing at its own.
            (series,) = await prometheus.query('last_over_time(faultline_journey_runs_total{journey="api"}[1m])')
    assert series.labels["target"] == "shop-api"


async def test_sigterm_ends_within_ten_seconds_and_every_slot_has_one_end(folder: Path, program: Program) -> None:
    program.start()
    await off_loop(program.wait_for_run, ORDER)
    began = time.monotonic()
    program.signal(signal.SIGTERM)
    assert await off_loop(program.wait) == 0
    assert time.monotonic() - began < 20
    with sqlite3.connect(folder / "data" / "history.db") as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
        started = database.execute("select count(*) from slots where state = 'started'").fetchone()
    assert started == (0,)
    assert not (folder / "data" / "workers").exists() or not list((folder / "data" / "workers").iterdir())


async def test_after_kill_minus_nine_every_past_slot_still_ends_in_one_state(folder: Path, program: Program) -> None:
    for _ in range(3):
        program.start()
        await off_loop(program.wait_for_run, API)
        program.signal(signal.SIGKILL)
        await off_loop(program.wait)
    # What comes due while the program stops stays planned until the next start, however long a busy machine takes.
    again = time.time()
    program.start()
    await off_loop(until, lambda: program.get("/-/ready"), "ready again")
    program.signal(signal.SIGTERM)
    assert await off_loop(program.wait) == 0
    found = slots(folder)
    assert len({row[:2] for row in found}) == len(found)
    past = [row for row in found if int(row[1]) / 1e6 < again]
    assert past
    assert {row[2] for row in past} <= {SlotState.FINISHED, SlotState.MISSED, SlotState.LOST, SlotState.SKIPPED}


async def test_no_process_outlives_a_killed_monitor(folder: Path, program: Program) -> None:
    program.start()
    await off_loop(program.wait_for_run, API)
    mark = str(folder / "data" / "workers")

    def survivors() -> list[str]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    environ = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if mark.encode() in environ:
                    found.append(entry.name)
        return found

    # Without this the test would pass where it looks for the wrong processes.
    assert survivors()
    program.signal(signal.SIGKILL)
    await off_loop(program.wait)
    await off_loop(until, lambda: not survivors(), "all workers gone")


async def test_a_second_instance_is_refused_with_the_pid_of_the_first(folder: Path, program: Program) -> None:
    program.start()
    await off_loop(until, lambda: program.get("/-/healthy"), "healthy")
    assert program.process is not None
    code, _, err = await command(
        folder, "serve", "--config", "monitor.yaml", "--listen", f"127.0.0.1:{servers.free_port()}"
    )
    assert code == 2
    assert str(program.process.pid) in err
    assert len(err.strip().splitlines()) == 1


async def test_a_port_in_use_is_one_clear_line(folder: Path, program: Program) -> None:
    program.start()
    await off_loop(until, lambda: program.get("/-/healthy"), "healthy")
    code, _, err = await command(folder, "serve", "--config", "monitor.yaml", "--listen", f"127.0.0.1:{program.port}")
    assert code == 2
    assert f"127.0.0.1:{program.port}" in err
    assert len(err.strip().splitlines()) == 1


async def test_a_bad_file_at_reload_keeps_the_old_configuration_running(folder: Path, program: Program) -> None:
    config = folder / "monitor.yaml"
    good = config.read_text()
    program.start()
    await off_loop(program.wait_for_run, API)
    config.write_text(good.replace("every: 2s", "evry: 2s"))
    status, text = await off_loop(program.post, "/-/reload")
    assert status == 422
    assert "every" in text
    assert "faultline_config_last_reload_successful 0" in await off_loop(program.get, "/metrics")
    before = len(await off_loop(program.runs, API))
    await off_loop(until, lambda: len(program.runs(API)) > before, "the old configuration runs on")
    config.write_text(good.replace("journey: order,", "journey: order, profile: second,").replace(
        "targets:", "profiles: {second: {}}\ntargets:", 1))  # fmt: skip
    program.signal(signal.SIGHUP)
    await off_loop(program.wait_for_run, "order@shop-api/second")
    # Checks run as soon as they are planned, and only then is the reload said to be done.
    reloaded = "faultline_config_last_reload_successful 1"
    await off_loop(until, lambda: reloaded in program.get("/metrics"), "the reload is said to be done")
    metrics = await off_loop(program.get, "/metrics")
    of_order = [line for line in metrics.splitlines() if 'journey="order"' in line and 'profile="' in line]
    assert of_order
    assert not [line for line in of_order if 'profile="second"' not in line]


# Longer than all its patience together, so that what was waited for in vain is told.
@pytest.mark.timeout(600)
@pytest.mark.browser
async def test_a_secret_is_found_nowhere(folder: Path, program: Program, shop) -> None:
    with (folder / "monitor.yaml").open("a") as config:
        config.write(LOGIN)
    program.start(SHOP_PASSWORD=PASSWORD)
    # The shop knows another password, so the journey fails after the secret was typed: the harder case.
    run_id = await off_loop(
        until,
        lambda: next((r["run_id"] for r in program.runs("login@shop/desktop")), None),
        "a login",
        BROWSER_PATIENCE,
    )
    await off_loop(program.get, f"/runs/{run_id}")
    seen = await off_loop(program.get, f"/api/v1/runs/{run_id}") + await off_loop(program.get, "/metrics")
    program.signal(signal.SIGTERM)
    await off_loop(program.wait)
    assert PASSWORD not in seen
    assert await off_loop(holding, folder, {PASSWORD.encode(), base64.b64encode(PASSWORD.encode()).rstrip(b"=")}) == []
