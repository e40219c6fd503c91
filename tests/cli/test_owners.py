"""Owners as typed."""

from __future__ import annotations

import asyncio
import json

from tests.cli.conftest import keep
from tests.cli.test_judging import recent


def test_owners_are_listed_with_the_reason_and_what_to_write_for_strangers(typed, settings):
    asyncio.run(keep(settings, recent(0), recent(1, check="gone@shop/desktop")))
    told = typed("owners", "--since", "2h").stdout
    assert "nobody named it" in told
    assert "In ownership.yaml:" in told
    assert "1 run looked at" in told
    assert "1 skipped" in told
    found = json.loads(typed("owners", "--since", "2h", "--json").stdout)
    assert found["hosts"][0]["named"] is False
    assert found["hosts"][0]["suggestions"]


def test_an_empty_time_is_said_to_be_empty(typed, settings):
    asyncio.run(keep(settings, recent(0)))
    assert "touched any host" in typed("owners", "--since", "1m").stdout
