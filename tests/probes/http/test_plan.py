from __future__ import annotations

import pytest

from monitor.domain.profile import Proxy
from monitor.domain.secret import Secret
from monitor.probes.http.plan import Plan, Plans, Wanted, revealed, secrets_of
from monitor.probes.http.trust import TrustStore
from tests.builders import a_check, a_profile, a_target, an_assignment

TOKEN = Secret("token", "s3cret-token")


@pytest.fixture(scope="module")
def trust() -> TrustStore:
    return TrustStore()


def _plan(trust, **values) -> Plan:
    return Plan(a_check(target=a_target(**values)), trust, user_agent="us")


def test_a_plan_is_kept_for_equal_checks_and_made_anew_for_changed_ones(trust):
    plans = Plans(trust, user_agent="us")
    first = plans.of(an_assignment(check=a_check()))
    assert plans.of(an_assignment(check=a_check())) is first
    changed = plans.of(an_assignment(check=a_check(target=a_target(base_url="https://other.localhost"))))
    assert changed is not first
    assert plans.of(an_assignment(check=a_check())) is not first


def test_every_secret_of_a_check_is_known():
    proxy = Proxy(url="http://proxy:3128", username="me", password=Secret("proxy", "word"))
    check = a_check(
        values=(("name", "Ada"), ("token", TOKEN)),
        target=a_target(headers=(("X-Key", Secret("key", "k")), ("X-Plain", "p"))),
        profile=a_profile(proxy=proxy),
    )
    assert [each.name for each in secrets_of(check)] == ["token", "key", "proxy"]


def test_requests_are_told_apart_by_all_that_makes_them(trust):
    plan = _plan(trust)
    wanted = [
        Wanted(method="GET", path="/a"),
        Wanted(method="HEAD", path="/a"),
        Wanted(method="GET", path="/a", timeout=1.0),
        Wanted(method="GET", path="/a", most_bytes=1),
        Wanted(method="GET", path="/a", headers={"X": "1"}),
        Wanted(method="GET", path="/a", headers={"X": TOKEN}),
        Wanted(method="GET", path="/a", params={"q": "1"}),
        Wanted(method="POST", path="/a", content="one"),
        Wanted(method="POST", path="/a", content=b"one"),
    ]
    built = [plan.request(each, None) for each in wanted]
    assert len({id(each) for each in built}) == len(wanted)
    assert all(plan.request(each, None) is known for each, known in zip(wanted, built, strict=True))


def test_bodies_that_change_or_are_large_are_not_kept(trust):
    plan = _plan(trust)
    for wanted in (
        Wanted(method="POST", path="/", json={"a": 1}),
        Wanted(method="POST", path="/", data={"a": 1}),
        Wanted(method="POST", path="/", content=b"x" * 20_000),
        Wanted(method="GET", path="/", params={"a": 1}),
    ):
        assert plan.request(wanted, None) is not plan.request(wanted, None)
    for number in range(200):
        plan.request(Wanted(method="GET", path=f"/{number}"), None)
    assert len(plan._requests) <= 64


def test_secrets_are_uncovered_wherever_they_stand():
    assert revealed({"a": [TOKEN, (TOKEN, 1)], "b": {"c": TOKEN}}) == {
        "a": ["s3cret-token", ["s3cret-token", 1]],
        "b": {"c": "s3cret-token"},
    }


def test_a_context_is_made_once_for_each_set_of_authorities(trust, authority_pem):
    assert trust.context() is trust.context()
    assert trust.context((authority_pem,)) is trust.context((authority_pem,))
    assert trust.context((authority_pem,)) is not trust.context()
    assert trust.context(http2=False) is not trust.context()


def test_the_language_of_the_profile_is_asked_for(trust):
    for locale, header in (("de-DE", "de-DE,de;q=0.9"), ("fr", "fr"), (None, None)):
        plan = Plan(a_check(profile=a_profile(locale=locale, user_agent="them")), trust, user_agent="us")
        request = plan.request(Wanted(method="GET", path="/"), None)
        assert request.headers.get("accept-language") == header
        assert request.headers["user-agent"] == "them"
