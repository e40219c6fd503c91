from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path

import pytest

from monitor.domain.secret import Secret
from monitor.probes.browser.probe import BrowserProbe

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("unhurried"),
]

PASSWORD = Secret("password", "hunter2-and-more")
VALUES = {"values": (("password", PASSWORD), ("user", "ann"))}


def kept_files(attempt, tmp_path) -> dict[str, Path]:
    return {artifact.kind: tmp_path / "artifacts" / artifact.name for artifact in attempt.seen.artifacts}


async def test_an_error_of_typing_never_holds_the_secret(site, walk):
    site.page("/", "<input id='p' disabled>")

    async def act(browser):
        await browser.open("/")
        browser.page.set_default_timeout(300)
        await browser.fill_secret("#p", "password")

    attempt = await walk(act, check=VALUES)
    error = attempt.error
    while error is not None:
        assert PASSWORD.reveal() not in str(error)
        error = error.__context__
    explained = attempt.session.explain(attempt.error)
    assert PASSWORD.reveal() not in repr(explained)
    assert explained.kind == "timeout"


async def test_a_secret_that_the_site_echoes_is_masked_everywhere(site, walk, tmp_path):
    secret = PASSWORD.reveal()
    own = f"http://user:pw@shop.localhost:{site.ports['http']}/x.js"
    throw = f"setTimeout(() => {{ throw new Error('{secret}') }})"
    script = f"console.error('{secret}'); document.title = '{secret}'; {throw}"
    site.page(
        "/",
        f"<p>{secret}<script>{script}</script><img src='/i.png?token={secret}'><script src='{own}'></script>",
        Location=f"/x?{secret}",
        Server=secret,
        Set_Cookie=f"p={secret}",
    )

    async def act(browser):
        await browser.open("/", wait_until="load")
        await browser.expect_text("never", within=0.3)

    attempt = await walk(act, check=VALUES)
    explained = attempt.session.explain(attempt.error)
    assert explained.kind == "expectation"
    assert "shows '•••" in explained.message
    assert secret not in repr(attempt.seen) + repr(explained)
    assert "pw@" not in repr(attempt.seen)
    for path in (tmp_path / "artifacts").iterdir():
        if path.suffix != ".png":
            assert secret.encode() not in path.read_bytes()


async def test_no_picture_is_kept_where_a_typed_secret_is_readable(site, walk):
    site.page("/", "<input id='p' type='text'><p id='echo'>")

    async def act(browser):
        await browser.open("/")
        await browser.fill_secret("#p", PASSWORD)
        await browser.expect_text("never", within=0.2)

    attempt = await walk(act, check=VALUES)
    assert {artifact.kind for artifact in attempt.seen.artifacts} == {"har"}


async def test_a_typed_password_does_not_withhold_the_picture(site, walk, tmp_path):
    site.page("/", "<input id='p' type='password'>")

    async def act(browser):
        await browser.open("/")
        await browser.fill_secret("#p", PASSWORD)
        await browser.expect_text("never", within=0.2)

    attempt = await walk(act, check=VALUES)
    assert {artifact.kind for artifact in attempt.seen.artifacts} == {"har", "screenshot"}


async def test_a_sensitive_step_leaves_no_picture(site, walk):
    site.page("/", "<p>4111 1111 1111 1111")

    async def act(browser):
        await browser.open("/")
        await browser.expect_text("never", within=0.2)

    attempt = await walk(act, sensitive=True)
    assert {artifact.kind for artifact in attempt.seen.artifacts} == {"har"}


async def test_files_are_private_whatever_the_umask(site, walk, tmp_path):
    site.page("/", "<p>here")

    async def act(browser):
        await browser.open("/")
        await browser.expect_text("never", within=0.2)

    before = os.umask(0)
    try:
        attempt = await walk(act)
    finally:
        os.umask(before)
    folder = tmp_path / "artifacts"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(attempt.seen.artifacts) == 2
    for artifact in attempt.seen.artifacts:
        assert stat.S_IMODE((folder / artifact.name).stat().st_mode) == 0o600
        assert (folder / artifact.name).stat().st_size == artifact.size


async def test_a_trace_is_kept_only_where_no_secret_was_typed(site, assign, tmp_path):
    site.page("/", "<input id='p' type='password'>")
    probe = BrowserProbe(tmp_path / "browsers", traces=True)
    kinds = []
    for typed in (False, True):
        session = await probe.open(assign(check=VALUES), 1, started=time.monotonic())
        await session.handle.open("/")
        if typed:
            await session.handle.fill_secret("#p", "password")
        seen = await session.finish(failed=True)
        kinds.append({artifact.kind for artifact in seen.artifacts})
    await probe.close()
    assert kinds == [{"har", "trace"}, {"har"}]
    assert stat.S_IMODE((tmp_path / "artifacts" / "1-trace.zip").stat().st_mode) == 0o600


async def test_the_archive_has_no_bodies_and_no_credentials(site, walk, tmp_path):
    login = "{method: 'POST', body: 'pass=1', headers: {Authorization: 'Bearer t0k3n'}}"
    site.page("/", f"<script>fetch('/login', {login})</script>")
    site.page("/login", "the body", Set_Cookie="session=abc")

    async def act(browser):
        async with browser.page.expect_response("**/login"):
            await browser.open("/")
        await walk.quiet()
        await browser.open("/missing")

    attempt = await walk(act)
    text = kept_files(attempt, tmp_path)["har"].read_text()
    entries = json.loads(text)["log"]["entries"]
    assert any(entry["request"]["url"].endswith("/login") for entry in entries)
    for word in ("t0k3n", "pass=1", "session=abc", "the body", "uthorization", "ookie:"):
        assert word not in text


async def test_a_journey_gets_its_values_and_is_told_what_is_missing(site, walk):
    async def act(browser):
        assert browser.value("user") == "ann"
        assert browser.secret("password") is PASSWORD
        with pytest.raises(TypeError, match="is a secret"):
            browser.value("password")
        browser.value("nothing")

    attempt = await walk(act, check=VALUES)
    assert "nothing" in str(attempt.error)
    assert attempt.error.fault == "secret_missing"
