"""One trace from the run to the shop's own servers: same id at the collector and in their requests, nowhere else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.types import ASGIApp, Receive, Scope, Send

from monitor.demo import Ports, Shop
from monitor.demo.hosts import PUBLIC, Host
from monitor.domain.trace_context import trace_context_of
from tests.end_to_end.conftest import BROWSER_PATIENCE, SEARCH, Program
from tests.publishing.test_traces import Collector, attributes
from tests.waiting import until

pytestmark = pytest.mark.slow

OWN = {Host.SHOP, Host.API}
SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request that a host of the shop's world was sent."""

    host: Host
    path: str
    traceparent: str
    tracestate: str

    @property
    def trace_id(self) -> str:
        return self.traceparent.split("-")[1] if self.traceparent else ""


class WatchedShop(Shop):
    """The shop, keeping what each of its hosts was asked."""

    def __init__(self, directory: Path, *, ports: Ports) -> None:
        super().__init__(directory, ports=ports)
        self.asked: list[Asked] = []

    def _build(self) -> dict[Host, ASGIApp]:
        return {host: self._noting(host, app) for host, app in super()._build().items()}

    def _noting(self, host: Host, app: ASGIApp) -> ASGIApp:
        async def noting(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                sent = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
                self.asked.append(
                    Asked(
                        host=host,
                        path=scope["path"],
                        traceparent=sent.get("traceparent", ""),
                        tracestate=sent.get("tracestate", ""),
                    )
                )
            await app(scope, receive, send)

        return noting


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[WatchedShop]:
    async with WatchedShop(tmp_path / "shop", ports=Ports.free()) as shop:
        yield shop


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


def spans_of(collector: Collector, trace_id: str) -> dict[str, Span]:
    """Wait for a trace and return its spans by name; of several with one name the last."""
    found: dict[str, Span] = {}
    end = time.monotonic() + SECONDS
    while not any(name.startswith("journey ") for name in found):
        assert time.monotonic() < end, f"no trace {trace_id} came"
        found |= {span.name: span for span in collector.spans(1) if span.trace_id.hex() == trace_id}
    return found


# Longer than all its patience together, so that what was waited for in vain is told.
@pytest.mark.timeout(600)
@pytest.mark.browser
async def test_own_servers_and_the_collector_see_one_trace_and_vendors_see_nothing_of_it(
    folder: Path, program: Program, shop: WatchedShop, collector: Collector
) -> None:
    config = folder / "monitor.yaml"
    text = config.read_text().replace("extra_ca: ca.pem", "extra_ca: ca.pem, trace_context: true")
    config.write_text(f"{text}{SEARCH}tracing: {{endpoint: {collector.url}}}\n")
    program.start()
    run_id = await asyncio.to_thread(program.wait_for_run, "search@shop/desktop", patience=BROWSER_PATIENCE)
    context = trace_context_of(run_id)
    spans = await asyncio.to_thread(spans_of, collector, context.trace_id)

    root = spans["journey search"]
    assert root.span_id.hex() == context.span_id
    said = attributes(root)
    assert said["user_agent.synthetic.type"] == "test"
    assert run_id in await asyncio.to_thread(program.get, str(said["faultline.run.url"]).removeprefix(program.url))

    of_run = [each for each in shop.asked if each.trace_id == context.trace_id]
    assert {each.host for each in of_run} == OWN
    assert {each.traceparent for each in of_run} == {context.header}
    assert any(each.path == "/" for each in of_run if each.host is Host.SHOP)

    # A run ends when it has seen what it wanted, whatever its page still meant to ask: then a later one asks it.
    vendors = {Host.CDN, Host.TAGS, Host.FONTS}
    await until(lambda: {each.host for each in shop.asked} >= vendors, "the vendors of the page were asked")
    others = [each for each in shop.asked if each.host not in OWN]
    assert [each for each in others if each.traceparent or each.tracestate] == []
    assert {each.host for each in shop.asked} <= set(PUBLIC)


async def test_the_trace_of_an_http_journey_is_in_each_of_its_requests(
    folder: Path, program: Program, shop: WatchedShop, collector: Collector
) -> None:
    config = folder / "monitor.yaml"
    text = config.read_text().replace("extra_ca: ca.pem", "extra_ca: ca.pem, trace_context: true")
    # What is tried after a slow run is no part of the run, and would be seen without a trace.
    config.write_text(f"{text}tracing: {{endpoint: {collector.url}}}\ninvestigation: {{enabled: false}}\n")
    program.start()
    run_id = await asyncio.to_thread(program.wait_for_run, "api@shop-api/desktop")
    context = trace_context_of(run_id)
    await asyncio.to_thread(spans_of, collector, context.trace_id)
    of_run = [each for each in shop.asked if each.trace_id == context.trace_id]
    assert len(of_run) == 3
    assert {each.traceparent for each in of_run} == {context.header}
    assert [each for each in shop.asked if not each.traceparent] == []
