"""Telling of deployments, as typed."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from monitor.domain.clock import SystemClock
from monitor.history import History


async def kept(settings):
    history = await History.open(settings.storage, clock=SystemClock())
    now = SystemClock().now()
    found = await history.deployments(now - dt.timedelta(days=1), now)
    await history.close()
    return found


def test_without_a_running_monitor_a_deployment_is_kept_in_its_history(typed, settings):
    at = (SystemClock().now() - dt.timedelta(minutes=5)).isoformat(timespec="seconds")
    words = ("event", "deploy", "shop-api", "4.2.1", "--at", at, "--target", "shop", "--url", "https://ci.example/1")
    assert typed(*words).stdout.endswith("UTC: noted\n")
    assert typed(*words).stdout.endswith("UTC: known already\n")
    (one,) = asyncio.run(kept(settings))
    assert (one.service, one.version, one.target, one.url) == ("shop-api", "4.2.1", "shop", "https://ci.example/1")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("shop api", "1"), "'service' must be a text"),
        (("shop-api", "1", "--at", "yesterday"), "'at' must be a moment"),
        (("shop-api", "1", "--target", "other"), "must be one of: shop"),
    ],
)
def test_what_is_not_understood_is_one_clear_error(typed, settings, words: tuple[str, ...], why: str):
    assert why in typed("event", "deploy", *words).stdout


def test_where_another_holds_the_history_and_does_not_answer_the_error_says_so(typed, settings):
    async def beside() -> str:
        history = await History.open(settings.storage, clock=SystemClock())
        try:
            return (await asyncio.to_thread(typed, "event", "deploy", "shop-api", "1")).stdout
        finally:
            await history.close()

    assert "no monitor answers at http://127.0.0.1:9" in asyncio.run(beside())
