"""What others tell the monitor, and what it tells them: deployments in, notifications out."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Program, command, until
from tests.end_to_end.test_serve import API, off_loop
from tests.publishing.notifying.receivers import Hook

pytestmark = pytest.mark.slow

# Long enough not to stand in the log by chance: four digits stand in some moment or some run's id sooner or later.
TOKEN = "hook-token-4711-correct-horse"
TELLING = """\
events: {{file: deployments.jsonl}}
notifications:
  failures: 1
  total: 1
  receivers:
    oncall: {{webhook: {{url: "{url}", headers: {{Authorization: "${{HOOK_TOKEN}}"}}}}}}
"""


@pytest.fixture
def hook():
    hook = Hook()
    yield hook
    hook.close()


def told(hook: Hook, status: str, *, after: int = 0) -> list[dict[str, object]]:
    """Return what came of the check with this status, the first so many bodies of all aside."""
    found = (body for body in hook.bodies[after:] if body["status"] == status)
    return [body for body in found if body["checks"][0]["check"] == API]


def write_telling(config: Path, hook: Hook) -> None:
    # A run that a busy machine is late with would be told as well, and a failure that goes on from there is not again.
    unhurried = config.read_text().replace("every: 2s, deadline: 2s", "every: 5s, deadline: 5s")
    config.write_text(unhurried + TELLING.format(url=hook.url))


def nothing_is_open(hook: Hook) -> bool:
    return len(told(hook, "failing")) == len(told(hook, "resolved"))


async def test_a_failure_after_a_deployment_is_told_with_it_and_so_is_its_end(
    folder: Path, program: Program, shop, hook: Hook
) -> None:
    write_telling(folder / "monitor.yaml", hook)
    program.start(HOOK_TOKEN=f"Bearer {TOKEN}")
    await off_loop(program.wait_for_run, API)
    at = (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=12)).isoformat(timespec="seconds")
    event = {"kind": "deployment", "service": "shop-api", "version": "4.2.1", "at": at}
    (folder / "deployments.jsonl").write_text("nonsense\n" + json.dumps(event) + "\n")
    await off_loop(until, lambda: "4.2.1" in program.get("/api/v1/events"), "the file's deployment is known")
    words = ("event", "deploy", "shop-web", "77", "--config", "monitor.yaml", "--listen", f"127.0.0.1:{program.port}")
    code, out, _ = await command(folder, *words, HOOK_TOKEN=f"Bearer {TOKEN}")
    assert (code, out.rpartition(": ")[2]) == (0, "noted\n")
    await off_loop(until, lambda: nothing_is_open(hook), "whatever failed before is over")
    before = len(hook.bodies)
    await shop.break_("api-500")
    (failing, *_) = await off_loop(
        until, lambda: told(hook, "failing", after=before), "the receiver is told of the failure"
    )
    assert failing["cause"] == "own_infrastructure"
    assert "was deployed" in failing["because"]
    evidence = json.loads(await off_loop(program.get, f"/api/v1/runs/{failing['run_id']}"))
    assert {one["service"] for one in evidence["deployments"]} == {"shop-api", "shop-web"}
    assert 'class="state failed"' in await off_loop(program.get, f"/runs/latest?check={API}&outcome=failed")
    await shop.mend()
    (resolved, *_) = await off_loop(
        until, lambda: told(hook, "resolved", after=before), "the receiver is told of the end"
    )
    assert resolved["group"] == failing["group"]
    assert {headers["authorization"] for _, headers, _ in hook.requests} == {f"Bearer {TOKEN}"}
    metrics = await off_loop(program.get, "/metrics")
    assert 'faultline_deployment_timestamp_seconds{service="shop-api",version="4.2.1"}' in metrics
    assert 'faultline_notification_failures_total{receiver="oncall"} 0' in metrics
    log = program.log.read_text()
    assert '"line": 1' in log
    assert TOKEN not in log
