"""Journeys through a shop that nobody here wrote: healthy, and broken in ways that the shop itself knows nothing of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.domain.cause import Cause
from monitor.domain.clock import SystemClock
from monitor.domain.failure import Failure
from monitor.domain.outcome import Outcome
from monitor.domain.run import Run
from monitor.service import OneShot, StartupChoices, read_settings

# Longer than runs that take all their time, so that what they say is told.
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

CONFIG = """\
location: test
journeys: {journeys}
storage: {{directory: data}}
profiles:
  desktop: {{viewport: 1280x800}}
  firefox: {{engine: firefox}}
targets:
  oscar: {{base_url: "{base_url}"}}
defaults: {{target: oscar, every: 5m, deadline: 60s, attempts: 1, team: shop}}
checks:
  - {{journey: guest-checkout}}
  - {{journey: guest-checkout, profile: firefox}}
  - {{journey: catalogue}}
"""
OWNERSHIP = """\
domains: []
default_team: shop
vendors:
  Static Host:
    hosts: [localhost]
    critical: true
"""


class Shopper:
    """Runs checks against the shop, with workers that stay warm over the tests."""

    def __init__(self, shot: OneShot, checks: dict[str, object], folder: Path) -> None:
        self._shot, self._checks, self._folder = shot, checks, folder

    async def run(self, name: str) -> Run:
        """Make a run; up to twice more while our own machine is too busy for it to say anything."""
        for _ in range(2):
            run = await self._shot.make(self._checks[name], artifacts=self._folder)
            if run.outcome is not Outcome.INCONCLUSIVE:
                return run
        return await self._shot.make(self._checks[name], artifacts=self._folder)


@pytest.fixture
async def shopper(oscar, tmp_path: Path) -> AsyncIterator[Shopper]:
    (tmp_path / "monitor.yaml").write_text(
        CONFIG.format(journeys=Path(__file__).parent / "checks", base_url=oscar.base_url)
    )
    (tmp_path / "ownership.yaml").write_text(OWNERSHIP)
    settings = read_settings(tmp_path / "monitor.yaml", {}, StartupChoices())
    checks = {check.name: check for check in settings.checks}
    async with OneShot(settings, clock=SystemClock()) as shot:
        yield Shopper(shot, checks, tmp_path)


@pytest.mark.parametrize(
    "check", ["guest-checkout@oscar/desktop", "guest-checkout@oscar/firefox", "catalogue@oscar/desktop"]
)
async def test_a_guest_buys_and_the_catalogue_is_read(shopper: Shopper, check: str) -> None:
    run = await shopper.run(check)
    assert run.outcome in {Outcome.PASSED, Outcome.DEGRADED}, str(run.judgement.diagnosis)
    assert all(step.outcome.value in {"passed", "degraded"} for step in run.evidence.last.steps)
    assert run.evidence.exchanges


async def test_a_database_taken_away_is_the_shops_own(oscar, shopper: Shopper) -> None:
    oscar.take_database_away()
    for check in ("guest-checkout@oscar/desktop", "catalogue@oscar/desktop"):
        run = await shopper.run(check)
        assert run.outcome is Outcome.FAILED
        assert run.judgement.diagnosis.cause is Cause.OWN_INFRASTRUCTURE, run.judgement.diagnosis
        assert "500" in run.judgement.diagnosis.because


async def test_a_stopped_server_is_the_shops_own(oscar, shopper: Shopper) -> None:
    oscar.stop_server()
    for check in ("guest-checkout@oscar/desktop", "catalogue@oscar/desktop"):
        run = await shopper.run(check)
        assert run.outcome is Outcome.FAILED
        assert run.judgement.diagnosis.cause is Cause.OWN_INFRASTRUCTURE, run.judgement.diagnosis
        assert Failure.TCP_REFUSED in {exchange.failure for exchange in run.evidence.exchanges}


async def test_a_static_host_that_refuses_breaks_the_checkout_and_is_not_the_shops_own(oscar, shopper: Shopper) -> None:
    oscar.refuse_static()
    run = await shopper.run("guest-checkout@oscar/desktop")
    assert run.outcome is Outcome.FAILED
    assert run.judgement.diagnosis.cause is Cause.THIRD_PARTY, str(run.judgement.diagnosis)
    assert "Static Host" in str(run.judgement)
    assert (await shopper.run("catalogue@oscar/desktop")).outcome in {Outcome.PASSED, Outcome.DEGRADED}
