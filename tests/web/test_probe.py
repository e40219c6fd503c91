from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.config.blackbox import modules_from
from monitor.config.settings import ProbeSettings, WebSettings
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Diagnosis
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.run import Judgement
from monitor.domain.secret import Secret
from monitor.probes.blackbox.probe import Blackbox
from monitor.web.app import create_app
from tests.builders import A_MOMENT, a_run
from tests.probes.http.certificates import self_signed
from tests.probes.http.fault_server import FaultServer, Request, hang, reply
from tests.servers import promtool

MODULES = """\
modules:
  http_2xx:
    prober: http
    http: {preferred_ip_protocol: ip4}
  open:
    prober: http
    timeout: 5s
    http:
      method: POST
      body: 'pin=4711-4712'
      headers: {X-Api-Key: key-of-ours-123, Accept: text/html}
      basic_auth: {username: prober, password: correct-horse}
      proxy_url: "http://robot:proxy-word@127.0.0.1:1"
  hosted:
    prober: http
    http:
      headers: {Host: shop.example}
  words:
    prober: tcp
    tcp:
      query_response:
      - send: "PASS battery-staple"
"""
CHECK = "browse@shop/desktop"


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as running:
        running.routes["/silent"] = hang
        yield running


@pytest.fixture
def door(parts, tmp_path: Path):
    file = tmp_path / "blackbox.yml"
    file.write_text(MODULES)
    modules, problems = modules_from(file)
    assert not problems
    secrets = tuple(secret for module in modules.values() for secret in module.secrets)
    parts.settings = replace(parts.settings, probe=ProbeSettings(modules=modules), secrets=secrets)
    return parts


def values(text: str) -> dict[str, float]:
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.labels
    }


async def test_a_target_is_probed_by_the_module_that_is_asked_for(client, door, server: FaultServer):
    answer = await client.get("/probe", params={"target": server.url("/"), "module": "http_2xx"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = values(answer.text)
    assert found["probe_success"] == 1
    assert found["probe_http_status_code"] == 200
    assert found["probe_duration_seconds"] > 0


async def test_without_a_module_it_is_http_2xx(client, door, server: FaultServer):
    server.routes["/"] = reply(status="503 Down")
    found = values((await client.get("/probe", params={"target": server.url("/")})).text)
    assert found["probe_success"] == 0
    assert found["probe_http_status_code"] == 503


async def test_what_is_answered_is_what_promtool_takes_for_metrics(client, door, server: FaultServer):
    text = (await client.get("/probe", params={"target": server.url("/")})).text
    promtool("check", "metrics", content=text)


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("target=x&module=none", 400, 'Unknown module "none"\n'),
        ("target=x&module=a%22b%0Ac", 400, 'Unknown module "a\\"b\\nc"\n'),
        ("module=http_2xx", 400, "Target parameter is missing\n"),
        ("", 400, "Target parameter is missing\n"),
        ("target=&module=none", 400, 'Unknown module "none"\n'),
        (
            "target=x&module=hosted&hostname=other.example",
            400,
            (
                "host header defined both in module configuration (shop.example) and with URL-parameter 'hostname' "
                "(other.example)\n"
            ),
        ),
        (f"target={'x' * 3000}", 400, "Target parameter is longer than 2000 characters\n"),
    ],
)
async def test_what_cannot_be_probed_is_refused_in_the_words_of_the_exporter(client, door, query, status, words):
    answer = await client.get(f"/probe?{query}")
    assert (answer.status_code, answer.text) == (status, words)


@pytest.mark.parametrize("told", ["soon", "nan", "inf", "1s"])
async def test_a_patience_that_is_no_number_is_refused(client, door, told: str):
    answer = await client.get("/probe?target=x", headers={"X-Prometheus-Scrape-Timeout-Seconds": told})
    assert answer.status_code == 500
    assert answer.text.startswith("Failed to parse timeout from Prometheus header: ")


async def test_a_hanging_target_is_given_up_half_a_second_before_the_scraper_gives_up(client, door, server):
    answer = await client.get(
        "/probe", params={"target": server.url("/silent")}, headers={"X-Prometheus-Scrape-Timeout-Seconds": "0.8"}
    )
    found = values(answer.text)
    assert found["probe_success"] == 0
    assert found["probe_duration_seconds"] > 0.25
    told = await client.get(
        "/probe",
        params={"target": server.url("/silent"), "debug": "true"},
        headers={"X-Prometheus-Scrape-Timeout-Seconds": "0.8"},
    )
    assert "timeout_seconds=0.3" in told.text


async def test_the_shorter_of_module_and_scraper_decides(client, door, server: FaultServer):
    for patience, seconds in (("4", "3.5"), ("60", "5")):
        told = await client.get(
            "/probe",
            params={"target": server.url("/"), "module": "open", "debug": "true"},
            headers={"X-Prometheus-Scrape-Timeout-Seconds": patience},
        )
        assert f"timeout_seconds={seconds}" in told.text


async def test_no_secret_of_module_or_target_is_shown_to_a_person(client, door, server: FaultServer):
    with_password = f"http://joe:swordfish99@127.0.0.1:{server.port}/"
    server.routes["/"] = reply(status="302 Found", headers=("Location: /?seen=correct-horse",))
    for module in ("http_2xx", "open", "words"):
        text = (await client.get("/probe", params={"target": with_password, "module": module, "debug": "true"})).text
        assert "Logs for the probe:" in text
        assert "Metrics that would have been returned:" in text
        assert "Module configuration:" in text
        for secret in (
            "swordfish99",
            "correct-horse",
            "key-of-ours",
            "4711-4712",
            "proxy-word",
            "battery-staple",
            "am9lOnN3b3J",
        ):
            assert secret not in text, (module, secret)
    assert '"username": "prober"' in (await client.get("/probe?target=x&module=open&debug=true")).text


async def test_a_target_with_a_password_is_asked_with_it(client, door, server: FaultServer):
    await client.get("/probe", params={"target": f"http://joe:swordfish99@127.0.0.1:{server.port}/"})
    assert server.requests[0].header("authorization") == "Basic am9lOnN3b3JkZmlzaDk5"


SECRETS = """\
modules:
  keyed:
    prober: http
    http:
      headers: {X-Api-Key: key-of-ours-123, Accept: text/html}
      http_headers: {X-More: {secrets: [more-of-ours]}, X-Plain: {values: [plain]}}
      basic_auth: {username: prober, password: correct-horse}
      tls_config: {insecure_skip_verify: true}
"""


async def test_secrets_of_a_module_go_to_no_other_host_and_leave_tls_for_nobody(client, door, server: FaultServer):
    (path := door.settings.path.parent / "secrets.yml").write_text(SECRETS)
    modules, _ = modules_from(path)
    door.settings = replace(door.settings, probe=ProbeSettings(modules=modules))
    async with FaultServer(host="127.0.0.2") as other, FaultServer(tls=self_signed("shop")) as secure:
        server.routes["/away"] = reply(status="302 Found", headers=(f"Location: {other.url('/')}",))
        secure.routes["/down"] = reply(status="302 Found", headers=(f"Location: {server.url('/')}",))
        for target in (server.url("/away"), secure.url("/down")):
            answer = await client.get("/probe", params={"target": target, "module": "keyed"})
            assert values(answer.text)["probe_success"] == 1
        starts, ends = (server.requests[0], secure.requests[0]), (other.requests[0], server.requests[1])
    for first in starts:
        assert all(first.header(name) for name in ("authorization", "x-api-key", "x-more", "x-plain"))
    for last in ends:
        assert [last.header(name) for name in ("authorization", "x-api-key", "x-more")] == [None, None, None]
        assert (last.header("x-plain"), last.header("accept")) == ("plain", "text/html")


async def test_the_scraper_that_hangs_up_ends_the_probe(door, server: FaultServer):
    arrived = asyncio.Event()
    ended = asyncio.Event()

    async def receive():
        await arrived.wait()
        return {"type": "http.disconnect"}

    async def watched(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await reader.read()
        ended.set()
        writer.close()

    listener = await asyncio.start_server(watched, "127.0.0.1", 0)
    sent = []

    async def send(message):
        sent.append(message)

    port = listener.sockets[0].getsockname()[1]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/probe",
        "raw_path": b"/probe",
        "query_string": f"target=http://127.0.0.1:{port}/".encode(),
        "headers": [(b"host", b"127.0.0.1:9488")],
        "scheme": "http",
        "server": ("127.0.0.1", 9488),
        "client": ("127.0.0.1", 1),
        "root_path": "",
        "http_version": "1.1",
    }
    async with asyncio.timeout(20):
        await create_app(door)(scope, receive, send)
        await ended.wait()
    listener.close()


async def test_more_probes_than_there_is_room_for_wait_and_are_told_so(client, door, server: FaultServer):
    door.blackbox.close()
    door.blackbox = Blackbox(user_agent="x", now=lambda: dt.datetime.now(dt.UTC), at_once=1)
    arrived, released = asyncio.Event(), asyncio.Event()

    async def held(_request: Request, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await released.wait()
        writer.write(reply())

    server.routes["/held"] = held
    first = asyncio.create_task(client.get("/probe", params={"target": server.url("/held")}))
    await arrived.wait()
    second = await client.get(
        "/probe", params={"target": server.url("/")}, headers={"X-Prometheus-Scrape-Timeout-Seconds": "0.6"}
    )
    assert second.status_code == 503
    assert "too many probes" in second.text
    released.set()
    assert values((await first).text)["probe_success"] == 1


async def test_the_name_of_a_check_gives_its_latest_scheduled_result(client, door):
    await door.history.finished(a_run())
    answer = await client.get("/probe", params={"target": CHECK})
    found = values(answer.text)
    assert found["probe_success"] == 1
    assert found["probe_duration_seconds"] == 1.0
    assert found["faultline_probe_run_timestamp_seconds"] == A_MOMENT.timestamp()
    assert 'faultline_probe_run_info{cause="",detail="",outcome="passed"} 1' in answer.text
    told = (await client.get("/probe", params={"target": CHECK, "debug": "true"})).text
    assert "the result of its latest scheduled run, and nothing was run on request" in told
    assert "/runs/run-1" in told


async def test_a_check_that_failed_names_its_cause(client, door):
    diagnosis = Diagnosis(
        cause=Cause.THIRD_PARTY,
        detail=Detail.TP_CONNECT,
        confidence=Confidence.PROBABLE,
        rule="R08",
        because="pay.example.net refuses connections",
    )
    judgement = Judgement(outcome=Outcome.FAILED, validity=Validity.VALID, diagnosis=diagnosis)
    await door.history.finished(a_run(judgement=judgement))
    text = (await client.get("/probe", params={"target": CHECK})).text
    assert values(text)["probe_success"] == 0
    assert 'faultline_probe_run_info{cause="third_party",detail="tp.connect",outcome="failed"} 1' in text


async def test_an_inconclusive_check_is_neither_a_success_nor_a_failure(client, door):
    judgement = Judgement(outcome=Outcome.INCONCLUSIVE, validity=Validity.INVALID)
    await door.history.finished(a_run(judgement=judgement))
    found = values((await client.get("/probe", params={"target": CHECK})).text)
    assert "probe_success" not in found
    assert "faultline_probe_run_timestamp_seconds" in found


async def test_a_check_without_a_fresh_result_has_none_to_give(client, door):
    never = await client.get("/probe", params={"target": CHECK})
    assert (never.status_code, "has not run yet" in never.text) == (503, True)
    await door.history.finished(a_run())
    door.clock.moment = A_MOMENT + dt.timedelta(minutes=4)
    old = await client.get("/probe", params={"target": CHECK})
    assert (old.status_code, "last ran at" in old.text) == (503, True)


async def test_a_check_is_a_target_like_any_other_where_a_module_is_asked_for(client, door):
    answer = await client.get("/probe", params={"target": CHECK, "module": "http_2xx"})
    assert values(answer.text)["probe_success"] == 0
    assert "faultline_probe_run" not in answer.text


async def test_the_door_can_be_closed(client, door):
    door.settings = replace(door.settings, probe=ProbeSettings(enabled=False))
    answer = await client.get("/probe?target=x")
    assert answer.status_code == 404
    assert "probe: {enabled: true}" in answer.text


async def test_the_door_asks_for_the_password_of_the_pages(door):
    web = WebSettings(username="u", password=Secret("web.password", "the password"))
    door.settings = replace(door.settings, web=web)
    transport = httpx.ASGITransport(app=create_app(door))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9488") as stranger:
        assert (await stranger.get("/probe?target=x")).status_code == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_page_of_another_site_has_nothing_probed(client, door, server: FaultServer, site: str):
    answer = await client.get("/probe", params={"target": server.url("/")}, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 403
    assert server.requests == []
