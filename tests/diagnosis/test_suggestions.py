"""Hosts that nobody named get suggestions with a reason, never an assumption; what is suggested is valid YAML."""

from __future__ import annotations

import pytest
import yaml

from monitor.config.ownership_model import OwnershipModel, ownership_from
from monitor.diagnosis.names import Names, load_names
from monitor.diagnosis.owners import Owners
from monitor.diagnosis.suggestions import HostRow, Sightings, SuggestionKind
from monitor.domain.cause import Party
from monitor.domain.exchange import Certificate, DnsFacts, TlsFacts
from monitor.domain.failure import Failure
from monitor.domain.ownership import Ownership, Vendor
from tests.builders import an_evidence, an_exchange

OWN = "www.shop.example"


@pytest.fixture(scope="module")
def names() -> Names:
    return load_names()


NOTHING_SAID = Ownership()


def seen(names: Names, *exchanges, ownership: Ownership = NOTHING_SAID) -> dict[str, HostRow]:
    sightings = Sightings(names)
    owners = Owners(ownership, OWN, names)
    evidence = an_evidence(exchanges=(an_exchange(host=OWN, url=f"https://{OWN}/"), *exchanges))
    sightings.add("browse@shop/desktop", evidence, owners)
    return {row.host: row for row in sightings.rows()}


def asked(host: str, **values):
    return an_exchange(id=host, host=host, url=f"https://{host}/x", **values)


def certificate(*names: str) -> TlsFacts:
    return TlsFacts(chain=(Certificate(subject=names[0], issuer="ca", names=names),))


def reasons(row: HostRow) -> list[str]:
    return [f"{one.kind.value}: {one.because}" for one in row.suggestions]


def test_a_host_that_nobody_named_comes_first_and_may_be_a_vendor(names):
    rows = seen(names, asked("cdn.unheard-of.example"))
    (first, *_) = rows
    assert first == "cdn.unheard-of.example"
    (only,) = rows[first].suggestions
    assert only.kind is SuggestionKind.VENDOR
    assert "nothing says whose unheard-of.example is" in only.because
    assert yaml.safe_load(only.snippet) == {"vendors": {"unheard-of.example": {"hosts": ["*.unheard-of.example"]}}}


def test_the_same_name_under_another_ending_may_be_own(names):
    row = seen(names, asked("static.shop.net"))["static.shop.net"]
    assert reasons(row)[0] == "own: shop.net and your shop.example have the same name"
    assert yaml.safe_load(row.suggestions[0].snippet) == {"domains": ["shop.net"]}


@pytest.mark.parametrize("showing", [OWN, "api.elsewhere.example"])
def test_a_certificate_that_names_both_may_mean_own_whoever_showed_it(names, showing):
    shared = certificate(OWN, "*.elsewhere.example")
    exchanges = [asked("api.elsewhere.example")]
    exchanges.append(an_exchange(id="t", host=showing, url=f"https://{showing}/t", tls=shared))
    row = seen(names, *exchanges)["api.elsewhere.example"]
    assert f"own: one certificate names both elsewhere.example and your {OWN}" in reasons(row)


def test_a_certificate_for_many_customers_of_a_cdn_says_nothing(names):
    many = certificate(OWN, "a.elsewhere.example", *(f"www.customer{number}.example" for number in range(20)))
    row = seen(names, asked("a.elsewhere.example", tls=many))["a.elsewhere.example"]
    assert not any("certificate" in reason for reason in reasons(row))


@pytest.mark.parametrize(
    "headers",
    [
        (("access-control-allow-origin", f"https://{OWN}"),),
        (("content-security-policy", f"default-src *; frame-ancestors 'self' https://{OWN}:443"),),
    ],
)
def test_answers_made_for_own_pages_may_mean_an_own_api(names, headers):
    row = seen(names, asked("api.elsewhere.example", headers=headers))["api.elsewhere.example"]
    assert any(f"made for pages of your {OWN}" in reason for reason in reasons(row))


def test_an_alias_of_a_known_vendor_names_that_vendor(names):
    dns = DnsFacts(aliases=("acme.zendesk.com",))
    row = seen(names, asked("parts.elsewhere.example", dns=dns))["parts.elsewhere.example"]
    (only,) = row.suggestions
    assert "is an alias of acme.zendesk.com" in only.because
    (vendor,) = yaml.safe_load(only.snippet)["vendors"].values()
    assert vendor["hosts"] == ["parts.elsewhere.example"]


def test_an_own_name_that_a_vendor_serves_may_be_hosted(names):
    dns = DnsFacts(aliases=("acme.zendesk.com",))
    row = seen(names, asked("help.shop.example", dns=dns))["help.shop.example"]
    assert row.owner.party is Party.OWN
    (only,) = row.suggestions
    assert only.kind is SuggestionKind.HOSTED
    model = OwnershipModel(**yaml.safe_load(only.snippet))
    assert ownership_from(model).hosted[0].host == "help.shop.example"
    assert ownership_from(model).hosted[0].vendor == ownership_from(model).vendors[0].name


def test_a_vendor_that_the_user_or_the_list_named_gets_no_suggestion(names):
    ownership = Ownership(vendors=(Vendor(name="Example Pay", hosts=("*.pay.example",), critical=True),))
    rows = seen(names, asked("js.pay.example"), asked("www.google-analytics.com"), ownership=ownership)
    assert rows["js.pay.example"].suggestions == ()
    assert rows["js.pay.example"].owner.because == "ownership names Example Pay as a vendor"
    assert rows["www.google-analytics.com"].suggestions == ()


def test_failures_are_counted_by_run_and_experiments_are_left_out(names):
    rows = seen(
        names,
        asked("a.elsewhere.example", failure=Failure.TCP_REFUSED),
        an_exchange(id="2", host="a.elsewhere.example", url="https://a.elsewhere.example/2", pending=True),
        asked("b.elsewhere.example", intervention=True),
    )
    assert (rows["a.elsewhere.example"].runs, rows["a.elsewhere.example"].failures) == (1, 1)
    assert "b.elsewhere.example" not in rows


def test_names_that_a_stranger_made_up_leave_the_snippet_valid(names):
    row = seen(names, asked('x"]: {}\n- evil.example'))['x"]: {}\n- evil.example']
    assert row.suggestions
    for one in row.suggestions:
        assert isinstance(yaml.safe_load(one.snippet), dict)


def test_a_delivery_network_in_front_of_an_own_name_may_be_an_edge(names):
    row = seen(names, asked("img.shop.example", dns=DnsFacts(aliases=("a1.akamaiedge.net",))))["img.shop.example"]
    (only,) = row.suggestions
    assert only.kind is SuggestionKind.EDGE
    assert ownership_from(OwnershipModel(**yaml.safe_load(only.snippet))).edges == ("akamai",)
