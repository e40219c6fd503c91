from __future__ import annotations

import pytest

from monitor.domain.secret import Secret
from monitor.probes.browser.first_party import first_party_headers
from tests.builders import a_check, a_target, an_assignment

HEADERS = (("X-Key", Secret("key", "s3cr3t-key")),)


def headers_of(base_url="https://www.shop.test:8443", first_party=("shop.test",), **values):
    target = a_target(base_url=base_url, headers=values.pop("headers", HEADERS))
    return first_party_headers(an_assignment(check=a_check(target=target), first_party=first_party, **values))


OWN = ("https://www.shop.test:8443/", "https://api.shop.test/x?y", "https://shop.test/", "https://SHOP.test/")
FOREIGN = (
    "https://shop.test.evil.example/",
    "https://evil.example/?u=https://shop.test/",
    "https://shop.test@evil.example/",
    "https://notshop.test/",
    "http://shop.test/",
    "https://evil.example/.shop.test/",
    "not a url",
)


@pytest.mark.parametrize("url", OWN)
def test_own_hosts_get_the_headers(url):
    assert headers_of().applies(url)


@pytest.mark.parametrize("url", FOREIGN)
def test_lookalikes_and_less_protected_addresses_do_not(url):
    assert not headers_of().applies(url)


def test_without_first_party_hosts_only_the_targets_own_origin_counts():
    headers = headers_of(first_party=())
    assert headers.applies("https://www.shop.test:8443/a")
    assert not headers.applies("https://www.shop.test/a")


def test_nothing_is_intercepted_where_there_is_nothing_to_add():
    assert headers_of(headers=()) is None


def test_trace_context_is_added_beside_the_targets_headers():
    headers = headers_of(traceparent="00-aa-bb-01")
    assert dict(headers.headers) == {"X-Key": "s3cr3t-key", "traceparent": "00-aa-bb-01"}
