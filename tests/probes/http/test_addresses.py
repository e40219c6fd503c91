from __future__ import annotations

import pytest

from monitor.probes.http.addresses import AddressPolicy

PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"]
PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "192.168.0.1",
    "172.16.0.1",
    "100.64.0.1",
    "0.0.0.0",
    "::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
]
NEVER = [
    "169.254.169.254",
    "fe80::1",
    "fe80::1%eth0",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "224.0.0.1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_always_be_contacted(address):
    assert AddressPolicy(allowed_private=False).refusal(address) is None


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_a_matter_of_the_target(address):
    assert AddressPolicy(allowed_private=True).refusal(address) is None
    assert "private" in AddressPolicy(allowed_private=False).refusal(address)


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_contacted(address):
    assert "no target allows" in AddressPolicy(allowed_private=True).refusal(address)
