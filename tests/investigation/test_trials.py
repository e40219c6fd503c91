"""What becomes of a look that was planned: whom it asks, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.assignment import Assignment
from monitor.domain.exchange import DnsFacts
from monitor.domain.experiment import ExperimentKind
from monitor.domain.failure import Failure
from monitor.domain.outcome import Outcome
from monitor.domain.profile import Asking
from monitor.investigation.experiments import Look
from monitor.investigation.trials import Trials
from tests.builders import A_MOMENT, a_profile, a_run, an_attempt, an_evidence, an_exchange


class StillClock:
    def now(self):
        return A_MOMENT

    def elapsed(self) -> float:
        return 0.0


LOOK = Look(
    kind=ExperimentKind.RESOLVER,
    subject="shop.example",
    url="https://shop.example/",
    profile=a_profile(resolver="192.0.2.40"),
    by="authoritative",
    asking=Asking.AUTHORITY,
)


@pytest.fixture
def made():
    asked: list[Assignment] = []

    async def look(planned: Look, **exchange):
        async def perform(assignment: Assignment, _) -> object:
            asked.append(assignment)
            return an_evidence(attempts=(an_attempt(),), exchanges=(an_exchange(**exchange),))

        return await Trials(perform, StillClock(), "here").look(planned, a_run(), 5.0), asked[-1].check.profile

    return look


async def test_a_zones_own_server_is_named_once_it_is_known(made):
    facts = DnsFacts(rcode="NOERROR", addresses=("192.0.2.7",), server="192.0.2.1:53, [2001:db8::1]:53")
    experiment, profile = await made(LOOK, status=200, dns=facts)
    assert (experiment.by, experiment.outcome) == ("authoritative 192.0.2.1, 2001:db8::1", Outcome.PASSED)
    # Which servers there are is asked of the client's own resolver where no other one is given.
    assert (profile.resolver, profile.asking) == ("192.0.2.40", Asking.AUTHORITY)


async def test_where_no_server_of_the_zone_was_found_nothing_is_said_of_the_name(made):
    lost = {"status": None, "failure": Failure.DNS_UNREACHABLE, "dns": DnsFacts()}
    experiment, _ = await made(LOOK, **lost)
    assert (experiment.outcome, experiment.by) == (Outcome.INCONCLUSIVE, "authoritative")
    assert "no server was found" in experiment.note


async def test_a_resolver_that_is_told_to_leave_signatures_unchecked_keeps_its_name(made):
    planned = replace(LOOK, by="192.0.2.53 with checking disabled", resolver="192.0.2.53", asking=Asking.UNCHECKED)
    experiment, profile = await made(planned, status=200)
    assert (experiment.by, experiment.outcome) == ("192.0.2.53 with checking disabled", Outcome.PASSED)
    assert (profile.resolver, profile.asking) == ("192.0.2.53", Asking.UNCHECKED)
