"""Secrets of every kind go through passing, failing, overdue and killed runs; then all that is left is searched."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import signal
import sqlite3
import urllib.parse
import zipfile
import zlib
from pathlib import Path

import pytest

from tests.end_to_end.conftest import until
from tests.faults.conftest import Place, Site

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SECRETS = {
    "PASSWORD": "pw-canary-Zq7/+x9183",
    "BEARER": "bearer-canary-5581aQ",
    "COOKIE": "cookie-canary-77c0Wd",
    "QUERY": "query-canary-q1&9=3 z",
    "TOTP": "JBSWY3DPEHPK3PXPCANARY",
    "BASIC": "basic-canary-0b5-Lk",
}

DECLARED = """\
name: {name}
title: Send every secret
parameters: [password, query, basic]
steps:
  - title: Send them
    name: send-them
    request:
      method: GET
      url: /{name}
      query: {{token: "${{query}}"}}
      headers: {{x-api-key: "${{password}}", authorization: "Basic ${{basic}}"}}
    expect: {{status: 200{more}}}
"""

BROWSED = """\
import asyncio
import hmac

from monitor.journeys import Browser, Journey, Secret, step

@step("Type the password")
async def sign_in(browser: Browser, *, password: Secret, query: Secret) -> None:
    await browser.open("/form")
    await browser.page.evaluate("value => console.error('seen ' + value)", password.reveal())
    await browser.fill_secret("#password", password)
    await browser.page.goto(browser.page.url + "?token=" + query.reveal())

@step("Fail with it", sensitive=True)
async def fail(browser: Browser, *, password: Secret, totp: Secret) -> None:
    hmac.new(totp.reveal().encode(), b"1", "sha1").digest()
    await browser.expect_text(password.reveal(), within=0.5)

@step("Stay")
async def stay(browser: Browser) -> None:
    await asyncio.sleep(60)

names = ("password", "query", "totp")
journey = Journey(name="typing", title="Type", parameters=names, steps=(sign_in, fail))
staying = Journey(name="staying", title="Stay", parameters=("password", "query"), steps=(sign_in, stay))
"""


def forms() -> set[bytes]:
    """Return the secrets as they are and as headers, URLs and bodies write them."""
    found: set[bytes] = set()
    for secret in SECRETS.values():
        plain = secret.encode()
        encoded = base64.b64encode(plain).rstrip(b"=")
        found |= {
            plain,
            encoded,
            urllib.parse.quote(secret, safe="").encode(),
            urllib.parse.quote_plus(secret).encode(),
        }
    return found


def unpacked(content: bytes) -> list[bytes]:
    """Return a file and what is packed in it."""
    parts = [content]
    with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts += [archive.read(name) for name in archive.namelist()]
    with contextlib.suppress(zlib.error):
        parts.append(zlib.decompressobj(31).decompress(content))
    return parts


def holding(folder: Path, inputs: set[Path]) -> list[Path]:
    found = []
    # Not rglob: it raises where a worker tidies a folder away that it was about to read.
    for directory, _, names in os.walk(folder):
        for path in (Path(directory, name) for name in names):
            if path.is_file() and path not in inputs:
                with contextlib.suppress(OSError):
                    parts = unpacked(path.read_bytes())
                    if any(form in part for part in parts for form in forms()):
                        found.append(path)
    return found


def bodies(database: Path) -> list[bytes]:
    """Return every stored value, unpacked where it is packed."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        values = [value for table in tables for row in connection.execute(f"select * from {table}") for value in row]
    finally:
        connection.close()
    parts: list[bytes] = []
    for value in values:
        content = value if isinstance(value, bytes) else str(value).encode()
        parts.append(content)
        # The first byte of a packed value tells how it is packed.
        with contextlib.suppress(zlib.error):
            parts.append(zlib.decompress(content[1:]))
    return parts


CHECKS = """\
  - {journey: good, every: 2s, deadline: 2s, secrets: &sent {SENT}}
  - {journey: bad, every: 2s, deadline: 2s, secrets: *sent}
  - {journey: late, every: 2s, deadline: 2s, secrets: *sent}
  - {journey: typing, every: 8s, deadline: 8s, secrets: {TYPED, totp: "${TOTP}"}}
  - {journey: staying, every: 8s, deadline: 8s, secrets: {TYPED}}
"""
HEADERS = 'headers: {authorization: "Bearer ${BEARER}", cookie: "session=${COOKIE}"}'
NAMES = ("good", "bad", "late", "typing", "staying")


def configure(place: Place, site: Site) -> set[Path]:
    """Configure checks that use every secret and return the files in which their names may stand."""
    place.configure(site, ["plain"])
    journeys, config = place.folder / "journeys", place.folder / "monitor.yaml"
    for name, more in (("good", ""), ("bad", ""), ("late", ', text: "${password}-and-more"')):
        (journeys / f"{name}.yaml").write_text(DECLARED.format(name=name, more=more))
    (journeys / "typing.py").write_text(BROWSED)
    site.broken.add("bad")
    site.echo = True
    typed = 'password: "${PASSWORD}", query: "${QUERY}"'
    checks = CHECKS.replace("SENT", typed + ', basic: "${BASIC}"').replace("TYPED", typed)
    text = config.read_text().replace("concurrency: 1000", f"concurrency: 1000, {HEADERS}")
    config.write_text(text + checks)
    return {config, *journeys.rglob("*")}


def look(place: Place) -> list[str]:
    """Return all that the program shows of these checks."""
    for name in NAMES:
        until(lambda name=name: place.runs(f"{name}@site/desktop"), f"a run of {name}")
    seen = [place.get("/metrics"), place.get("/"), place.get("/api/v1/checks")]
    for name in NAMES:
        for run in place.runs(f"{name}@site/desktop")[:3]:
            seen += [place.get(f"/runs/{run['run_id']}"), place.get(f"/api/v1/runs/{run['run_id']}")]
    return seen


def test_secrets_of_every_kind_are_found_nowhere(place: Place, site: Site) -> None:
    inputs = configure(place, site)
    scratch = place.folder / "scratch"
    scratch.mkdir()
    place.start(TMPDIR=str(scratch), **SECRETS)
    seen = look(place)
    # Kills: first of whatever works just now, then of the monitor itself, before anything is tidied up.
    killed = workers(place)
    for pid in killed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    before = site.answered
    until(lambda: site.answered > before + 10, "runs after the kill")
    place.signal(signal.SIGKILL)
    place.wait()
    assert killed
    assert holding(place.folder, inputs) == []
    until(lambda: not workers(place), "the end of what the killed monitor had started")
    assert holding(place.folder, inputs) == []
    values = bodies(place.folder / "data" / "history.db")
    assert any(b"x-api-key" in value.lower() or b"send-them" in value for value in values), "nothing was unpacked"
    assert not [value[:200] for value in values if any(form in value for form in forms())]
    assert not [text for text in seen if any(form in text.encode() for form in forms())]
    sent = {header.lower() for visit in site.visits for header in visit}
    assert {"x-api-key", "cookie", "authorization"} <= sent, "the secrets were never sent"


def workers(place: Place) -> list[int]:
    mark = str(place.folder / "data" / "workers").encode()
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and mark in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found
