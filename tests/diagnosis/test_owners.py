from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.diagnosis import refresh_vendors
from monitor.diagnosis.context import contexts_for
from monitor.diagnosis.mechanisms import MECHANISMS, is_defect, mechanism_of
from monitor.diagnosis.names import load_names
from monitor.diagnosis.owners import Owners
from monitor.diagnosis.wording import PHRASES, happening
from monitor.domain.cause import Party
from monitor.domain.diagnosis import CulpritKind
from monitor.domain.failure import Failure
from monitor.domain.ownership import CapabilityOwner, HostedName, HostOwner, Ownership, PathOwner, Vendor
from tests.builders import a_check, a_target, an_exchange

DATA = Path(refresh_vendors.__file__).with_name("data")


def owners(names, host="www.shop.example", **ownership):
    return Owners(Ownership(**ownership), host, names)


def party(found):
    return found.party, found.name


def test_the_target_is_own_without_being_told(names):
    found = owners(names)
    assert found.owner_of("https://www.shop.example/").party is Party.OWN
    assert found.owner_of("https://api.shop.example/").party is Party.OWN
    assert found.owner_of("https://other.example/").party is Party.THIRD_PARTY


def test_a_name_below_localhost_has_a_domain_of_two_labels(names):
    found = owners(names, host="www.shop.localhost")
    assert found.owner_of("https://api.shop.localhost:8443/").party is Party.OWN
    assert found.owner_of("https://js.pay.localhost:8443/").party is Party.THIRD_PARTY


def test_tenants_of_a_platform_are_not_one_owner(names):
    found = owners(names, host="shop.vercel.app")
    assert found.owner_of("https://www.shop.vercel.app").party is Party.OWN
    assert found.owner_of("https://stranger.vercel.app").party is Party.THIRD_PARTY


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_a_bare_address_or_localhost_is_own_only_as_the_target(names, host):
    assert owners(names, host=host.strip("[]")).owner_of(f"http://{host}:8000/").party is Party.OWN
    assert owners(names).owner_of(f"http://{host}:8000/").party is Party.THIRD_PARTY


def test_own_domains_cover_what_is_below_them(names):
    found = owners(names, domains=("shopapi.example",))
    assert found.owner_of("https://v2.eu.shopapi.example/").party is Party.OWN
    assert found.owner_of("https://notshopapi.example/").party is Party.THIRD_PARTY


def test_an_exact_host_of_the_user_outranks_his_domains(names):
    found = owners(
        names,
        domains=("shop.example",),
        vendors=(Vendor(name="Help Desk", hosts=("help.shop.example",)),),
    )
    assert party(found.owner_of("https://help.shop.example/")) == (Party.THIRD_PARTY, "Help Desk")
    assert found.owner_of("https://www.shop.example/").party is Party.OWN


def test_the_longest_wildcard_of_the_user_wins(names):
    found = owners(
        names,
        vendors=(Vendor(name="Cloud", hosts=("*.cloud.example",)), Vendor(name="Pay", hosts=("*.pay.cloud.example",))),
    )
    assert found.owner_of("https://a.pay.cloud.example/").name == "Pay"
    assert found.owner_of("https://a.b.cloud.example/").name == "Cloud"


def test_the_users_words_outrank_the_shipped_names(names):
    mine = owners(names, vendors=(Vendor(name="Our payment provider", hosts=("*.stripe.com",)),))
    assert mine.owner_of("https://js.stripe.com/v3").name == "Our payment provider"
    assert owners(names).owner_of("https://js.stripe.com/v3").name == "Stripe"


def test_a_shipped_vendor_whose_trade_journeys_need_is_critical(names):
    found = owners(names)
    assert found.owner_of("https://js.stripe.com/v3").critical
    assert found.owner_of("https://login.microsoftonline.com/").critical
    assert not found.owner_of("https://www.google-analytics.com/").critical


def test_a_stranger_is_named_by_his_domain_and_said_to_be_unnamed(names):
    found = owners(names).owner_of("https://cdn.nobody-knows.example/x")
    assert (found.name, found.named) == ("nobody-knows.example", False)
    assert "nobody named" in found.because


def test_teams_own_hosts_paths_and_capabilities(names):
    found = owners(
        names,
        domains=("shop.example",),
        hosts=(HostOwner(host="api.shop.example", team="team-api"), HostOwner(host="*.img.shop.example", team="media")),
        paths=(
            PathOwner(host="*", prefix="/checkout", team="team-checkout"),
            PathOwner(host="www.shop.example", prefix="/checkout/pay", team="team-pay"),
        ),
        capabilities=(CapabilityOwner(capability="orders", team="team-orders"),),
        default_team="team-shop",
    )
    assert found.owner_of("https://www.shop.example/").name == "team-shop"
    assert found.owner_of("https://api.shop.example/x").name == "team-api"
    assert found.owner_of("https://a.img.shop.example/x").name == "media"
    assert found.owner_of("https://www.shop.example/checkout/start").name == "team-checkout"
    assert found.owner_of("https://www.shop.example/checkout/pay/card").name == "team-pay"
    assert found.owner_of("https://www.shop.example/checkouts").name == "team-shop"
    assert found.team_of("orders") == "team-orders"
    assert found.team_of("search") is None


def test_a_path_never_makes_a_vendor_own(names):
    found = owners(names, paths=(PathOwner(host="*", prefix="/", team="team-shop"),))
    assert found.owner_of("https://js.stripe.com/v3").party is Party.THIRD_PARTY


def test_a_hosted_name_is_own_and_operated_by_a_vendor(names):
    found = owners(names, hosted=(HostedName(host="support.shop.example", vendor="Help Desk"),))
    owner = found.owner_of("https://support.shop.example/")
    assert (owner.party, owner.operator) == (Party.OWN, "Help Desk")


def test_a_culprit_is_a_team_or_a_vendor(names):
    found = owners(names, default_team="team-shop")
    assert found.owner_of("https://www.shop.example/").culprit.kind is CulpritKind.TEAM
    assert found.owner_of("https://js.stripe.com/").culprit.kind is CulpritKind.VENDOR


@pytest.mark.parametrize("url", ["", "not a url", "https://", "data:text/plain,x", "http://[broken", "blob:null/1"])
def test_a_url_that_is_none_does_no_harm(names, url):
    assert owners(names).owner_of(url).party is Party.THIRD_PARTY


def test_a_host_that_is_known_needs_no_url(names):
    found = owners(names, paths=(PathOwner(host="*", prefix="/pay", team="team-pay"),))
    assert found.owner_at("www.shop.example", "https://www.shop.example/pay").name == "team-pay"
    assert owners(names).owner_at("WWW.SHOP.EXAMPLE.", "").party is Party.OWN
    assert owners(names, host="::1").owner_at("[::1]", "").party is Party.OWN


def test_checks_of_one_host_share_what_is_found_out(names):
    checks = [a_check(name="a"), a_check(name="b"), a_check(name="c", target=a_target(base_url="https://x.example"))]
    contexts = contexts_for(checks, Ownership(), names)
    assert contexts["a"].owners is contexts["b"].owners
    assert contexts["a"].owners is not contexts["c"].owners


# The shipped names.


def test_the_shipped_names_say_where_they_come_from():
    shipped = json.loads((DATA / "vendors.json").read_text(encoding="utf-8"))
    assert (shipped["source"], shipped["version"]) == (refresh_vendors.PACKAGE, refresh_vendors.VERSION)
    assert refresh_vendors.VERSION in (DATA / "NOTICE.md").read_text(encoding="utf-8")
    assert "MIT License" in (DATA / "LICENSE.third-party-web").read_text(encoding="utf-8")
    assert len(shipped["vendors"]) > 2000


def test_an_exact_host_outranks_a_wildcard_and_a_longer_wildcard_a_shorter_one():
    entities = [
        {"name": "Short", "category": "cdn", "domains": ["*.a.example"]},
        {"name": "Long", "category": "ad", "domains": ["*.b.a.example"]},
        {"name": "Exact", "category": "social", "domains": ["x.b.a.example"]},
    ]
    converted = refresh_vendors.convert(entities, "1")
    assert converted["exact"] == {"x.b.a.example": 2}
    assert converted["wildcard"] == {"a.example": 0, "b.a.example": 1}


def test_a_package_that_is_not_the_pinned_one_is_refused():
    with pytest.raises(refresh_vendors.IntegrityError, match="expected sha512"):
        refresh_vendors.verify(b"something else")


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("www.googletagmanager.com", "Google Tag Manager"),
        ("challenges.cloudflare.com", "Cloudflare Turnstile"),
        ("tenant.b2clogin.com", "Microsoft identity platform"),
        ("app.launchdarkly.com", "LaunchDarkly"),
        ("d111111abcdef8.cloudfront.net", None),
    ],
)
def test_known_hosts_are_named_and_clouds_are_not(names, host, name):
    found = names.vendors.find(host)
    assert (found.name if found else None) == name


def test_the_supplement_covers_about_sixty_vendors():
    supplement = json.loads((DATA / "supplement.json").read_text(encoding="utf-8"))
    assert sum(len(vendors) for vendors in supplement.values()) >= 60


def test_names_load_without_the_network(monkeypatch):
    def refuse(*_):
        raise AssertionError

    monkeypatch.setattr("socket.socket.connect", refuse)
    assert len(load_names().vendors) > 3000


# The tables.


def test_every_failure_has_a_mechanism_and_words():
    assert set(MECHANISMS) == set(Failure)
    assert set(PHRASES) == set(Failure)


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_reads_as_a_sentence(failure):
    exchange = an_exchange(status=None, failure=failure)
    assert happening(exchange).startswith("www.shop.localhost ")
    assert mechanism_of(exchange) is not None
    assert is_defect(exchange) == (failure not in (Failure.ABANDONED, Failure.BLOCKED_BY_INTERVENTION))
