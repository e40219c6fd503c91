"""Telling of deployments, as typed."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace

import pytest

from monitor.config.settings import WebSettings
from monitor.domain.clock import SystemClock
from monitor.domain.secret import Secret
from monitor.history import History
from tests.cli.conftest import a_running_monitor, keep


async def kept(settings):
    history = await History.open(settings.storage, clock=SystemClock())
    now = SystemClock().now()
    found = await history.deployments(now - dt.timedelta(days=1), now)
    await history.close()
    return found


def test_where_nothing_was_ever_recorded_a_deployment_is_refused_and_no_history_is_begun(typed, settings):
    result = typed("event", "deploy", "shop-api", "4.2.1")
    assert result.exit_code != 0
    assert f"{settings.storage.directory} holds no history" in result.stdout
    assert "no monitor answers at http://127.0.0.1:9" in result.stdout
    assert not settings.storage.directory.exists()


def test_without_a_running_monitor_a_deployment_is_kept_in_its_history(typed, settings):
    asyncio.run(keep(settings))
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


def test_the_history_may_be_named_by_the_environment(typed, settings, monkeypatch, tmp_path):
    asyncio.run(keep(settings))
    monkeypatch.setenv("FAULTLINE_DATA", str(tmp_path / "elsewhere"))
    assert f"{tmp_path / 'elsewhere'} holds no history" in typed("event", "deploy", "shop-api", "1").stdout
    monkeypatch.setenv("FAULTLINE_DATA", str(settings.storage.directory))
    assert "noted" in typed("event", "deploy", "shop-api", "1").stdout


async def test_a_running_monitor_is_told_whatever_folder_it_keeps_its_history_in(typed, settings, tmp_path):
    web = WebSettings(username="ada", password=Secret("web.password", "open sesame"))
    elsewhere = replace(settings, storage=replace(settings.storage, directory=tmp_path / "elsewhere"))
    (tmp_path / "password").write_text("open sesame")
    async with a_running_monitor(elsewhere, web) as running:
        at = SystemClock().now().isoformat(timespec="seconds")
        words = ["event", "deploy", "shop-api", "1", "--at", at, "--listen", f"127.0.0.1:{running.web.port}"]
        refused = await asyncio.to_thread(typed, *words)
        assert "give --username and --password-file" in refused.stdout
        words += ["--username", "ada", "--password-file", str(tmp_path / "password")]
        assert "noted" in (await asyncio.to_thread(typed, *words)).stdout
        assert "known already" in (await asyncio.to_thread(typed, *words)).stdout
    assert not settings.storage.directory.exists()
