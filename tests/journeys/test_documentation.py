from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from monitor.domain.clock import SystemClock
from monitor.domain.journey import ProbeKind
from monitor.domain.outcome import Outcome
from monitor.domain.secret import Secret
from monitor.execution.run import execute
from monitor.journeys.catalogue import catalogue
from monitor.journeys.files import load
from monitor.probes.http.probe import HttpProbe
from monitor.probes.vantage.resolver import Resolver
from tests.browsers import give_time
from tests.builders import a_check, a_target, an_assignment
from tests.journeys.shop import a_shop

PAGE = Path(__file__).parents[2] / "docs" / "journeys.md"
BLOCK = re.compile(r"```(?:python|yaml)\n# checks/(\S+)\n(.*?)```", re.DOTALL)
VALUES = (("email", "ada@example.org"), ("password", Secret("password", "correct-horse")))


@pytest.fixture
def examples(folder):
    blocks = BLOCK.findall(PAGE.read_text())
    for name, text in blocks:
        (folder / name).write_text(text)
    return {name for name, _ in blocks}


async def walk(journey, probe):
    async with a_shop(polls_until_paid=2) as shop:
        values = tuple((name, value) for name, value in VALUES if name in journey.parameters)
        target = a_target(base_url=shop.url)
        check = a_check(target=target, values=values, deadline=dt.timedelta(seconds=60))
        evidence = await execute(an_assignment(check=check), journey, probe, clock=SystemClock())
    await probe.close()
    assert evidence.last.outcome in {Outcome.PASSED, Outcome.DEGRADED}, evidence.last


async def test_every_example_is_found_without_a_problem(folder, examples):
    found = await catalogue(folder)
    assert found.problems == ()
    assert {journey.source.removeprefix("checks/") for journey in found.journeys} == examples


@pytest.mark.parametrize("source", ["order.yaml", "order_script.py"])
async def test_the_http_examples_pass(folder, examples, source):
    clock = SystemClock()
    journey = load(folder, Path(source).stem.replace("_", "-"), source)
    assert journey.probe is ProbeKind.HTTP
    await walk(journey, HttpProbe(clock=clock, resolver=Resolver(elapsed=clock.elapsed)))


@pytest.mark.browser
async def test_the_browser_example_passes(folder, examples, tmp_path, monkeypatch):
    from monitor.probes.browser.probe import BrowserProbe

    give_time(monkeypatch)
    await walk(load(folder, "sign-in", "sign_in.py"), BrowserProbe(tmp_path / "browsers"))


def test_the_problems_that_are_shown_are_the_ones_that_are_told(folder, examples):
    from monitor.journeys.declarative import read_journey
    from monitor.reading.problem import ReadingError

    path = folder / "order.yaml"
    text = "# checks/order.yaml\n" + path.read_text()
    path.write_text(text.replace("      method: POST\n      url: /api", "      methd: POST\n      url: /api"))
    shown = re.findall(r"^checks/(order.yaml:\d+:\d+: .*)$", PAGE.read_text(), re.MULTILINE)
    with pytest.raises(ReadingError) as caught:
        read_journey(path)
    assert str(caught.value).removeprefix(f"{folder}/") == shown[0]
    path.write_text(text.replace("${token}", "${tokn}"))
    with pytest.raises(ReadingError) as caught:
        read_journey(path)
    assert str(caught.value).removeprefix(f"{folder}/") == shown[1]
