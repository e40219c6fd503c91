"""Whatever stands in a name or a number, the exposition is what the library would write, and promtool reads it."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import replace
from threading import Lock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString

from monitor.diagnosis.context import contexts_for
from monitor.diagnosis.names import load_names
from monitor.domain.ownership import Ownership, Vendor
from monitor.publishing.exposition import Format, expose
from monitor.publishing.metrics import Metrics
from monitor.publishing.series import Family, Kind, Room, Spread, Table, Value, clean, number
from tests.builders import a_check, a_profile, a_run, a_target, an_evidence, an_exchange
from tests.publishing.scrapes import lines, samples, value
from tests.publishing.test_metrics import a_failure
from tests.servers import promtool

NAMES = load_names()
HOSTILE = (
    'a"} 1\nprobe_success{x="',
    "a\\",
    '\\"} 1',
    'x",le="+Inf',
    'a # {run_id="x"} 1 1',
    "line\nbreak\\n",
    "\r\t\x00\x1b[2J\x85\u2028",
    "\ud800 half a pair",
    "# EOF\n",
    "# HELP faultline_healthy no\n# TYPE faultline_healthy counter\n",
    "\N{RIGHT-TO-LEFT OVERRIDE}txet",
    "ü" * 1000,
    "",
)
TEXT = st.text(max_size=300) | st.sampled_from(HOSTILE)
# How long an example takes is the machine's business.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NUMBER = st.floats(width=64) | st.integers(-(2**60), 2**60).map(float)
PLAIN = Family(name="faultline_x_total", kind=Kind.COUNTER, help='Says "no"\\\nand more.', labels=("zeta", "alpha"))
GAUGE = Family(name="faultline_g", kind=Kind.GAUGE, help="G.", labels=("name",))
ABOUT = Family(name="faultline_a_info", kind=Kind.INFO, help="A.", labels=("name", "about"))
SPREAD = Family(
    name="faultline_h", kind=Kind.HISTOGRAM, help="H.", labels=("mode", "a"), buckets=(0.05, 1.0, 2.5, 1e6, 2.5e7)
)
SUM = Family(name="faultline_s", kind=Kind.SUMMARY, help="S.", labels=("mode",))


class Shown(Collector):
    def __init__(self, tables):
        self._tables = tables
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)

    def collect(self):
        return (table.metric() for table in self._tables)


def tables_of(texts, numbers):
    lock, room = Lock(), Room(1000)
    values = {family.name: Table(family, Value, lock, room) for family in (PLAIN, GAUGE, ABOUT)}
    spreads = {family.name: Table(family, Spread, lock, room) for family in (SPREAD, SUM)}
    for text in texts:
        exemplar = Exemplar({"trace_id": "t" * 32, "run_id": clean(text)[:60]}, 1.5, 1764130939.123)
        values[ABOUT.name].at(text, text[::-1])
        for each in numbers:
            values[PLAIN.name].at(text, text).add(abs(each) if math.isfinite(each) else 0.0)
            values[PLAIN.name].at(text, text).mark(exemplar)
            values[GAUGE.name].at(text).set(each)
            spreads[SPREAD.name].at(text, "x").observe(each if math.isfinite(each) else 0.0, exemplar)
            spreads[SUM.name].at(text).observe(each if math.isfinite(each) else 0.0)
    return [*values.values(), *spreads.values()]


@UNHURRIED
@given(st.lists(TEXT, min_size=1, max_size=4), st.lists(NUMBER, min_size=1, max_size=4))
def test_both_formats_are_byte_for_byte_what_the_library_writes(texts, numbers):
    tables = tables_of(texts, numbers)
    registry = Shown(tables).registry
    assert expose(tables, Format.TEXT) == generate_latest(registry)
    assert expose(tables, Format.OPENMETRICS) == generate_openmetrics(registry)
    # And the same again, from what was kept of the first time.
    assert expose(tables, Format.OPENMETRICS) == generate_openmetrics(registry)
    assert expose(tables, Format.TEXT) == generate_latest(registry)


@UNHURRIED
@given(NUMBER)
def test_a_number_is_written_as_the_library_writes_it(each):
    assert number(each) == floatToGoString(each)


def configured(metrics: Metrics, text: str) -> None:
    """Put a text into every place that a configuration has for one."""
    check = a_check(
        name=text,
        journey=text,
        target=a_target(name=text),
        profile=a_profile(name=text),
        team=text,
        service=text,
        process=text,
        value_per_customer=1.0,
    )
    ownership = Ownership(vendors=(Vendor(name=text or "x", hosts=("x.example",), objective=0.9),))
    metrics.configure([check], ownership=ownership, contexts=contexts_for([check], ownership, NAMES), currency=text)
    metrics.publish(a_run(check=check, location=text, judgement=a_failure()))
    metrics.receivers([text])
    metrics.notified(text, delivered=False)
    metrics.deployed(text, text, dt.datetime(2026, 11, 26, tzinfo=dt.UTC))
    metrics.dropped(text)
    metrics.publish_failed(text)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_makes_no_line_of_its_own(metrics, text):
    configured(metrics, "harmless")
    expected = sorted(line.partition("{")[0] for line in lines(metrics))
    other = Metrics(clock=metrics._clock, location="here", version="1.2.3", external_url="https://watch.example.com")
    configured(other, text)
    body = other.render()[0].decode()
    assert sorted(line.partition("{")[0] for line in lines(other)) == expected
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\x85\u2028]", body)
    assert promtool("check", "metrics", content=body) == ""
    openmetrics = other.render("application/openmetrics-text")[0].decode()
    assert openmetrics == generate_openmetrics(other.registry).decode()
    assert openmetrics.count("\n# EOF\n") == 1
    assert list(parse_openmetrics(openmetrics))


# Nothing that is secret, and nothing that a target chose.

CANARY = "c4n4ry"


def test_no_credential_query_or_token_of_any_address_reaches_a_label_or_a_help_text(clock):
    url = f"https://user:{CANARY}@www.shop.localhost:8443/{CANARY}?token={CANARY}#{CANARY}"
    outside = f"https://web:{CANARY}@watch.example.com:8443/faultline/?key={CANARY}#{CANARY}"
    metrics = Metrics(clock=clock, location="here", version="1", external_url=outside)
    check = a_check(target=a_target(base_url=url, headers=(("Authorization", CANARY),)), values=(("token", CANARY),))
    metrics.configure([check], contexts=contexts_for([check], Ownership(), NAMES))
    exchange = an_exchange(url=url, headers=(("x-secret", CANARY),), failure_text=CANARY, reason=CANARY)
    stranger = an_exchange(id="2", url=f"https://{CANARY}.example/{CANARY}?k={CANARY}", host=f"{CANARY}.example")
    failed = a_failure()
    told = replace(failed, diagnosis=replace(failed.diagnosis, because=CANARY, evidence=(CANARY,)))
    metrics.publish(a_run(check=check, evidence=an_evidence(exchanges=(exchange, stranger)), judgement=told))
    for accept in ("", "application/openmetrics-text"):
        assert CANARY not in metrics.render(accept)[0].decode()
    assert value(metrics, "faultline_web_info", external_url="https://watch.example.com:8443/faultline") == 1


def test_a_hostile_page_cannot_crowd_out_the_vendors_that_the_configuration_names(clock):
    metrics = Metrics(clock=clock, location="here", version="1", vendor_limit=1)
    ownership = Ownership(vendors=(Vendor(name="Mine", hosts=("x.mine.example",)),))
    check = a_check()
    metrics.configure([check], ownership=ownership, contexts=contexts_for([check], ownership, NAMES))
    shipped = ("js.stripe.com", "www.google-analytics.com", "connect.facebook.net", "static.hotjar.com")
    hosts = (*shipped, *(f"h{n}.stranger{n}.example" for n in range(500)), "x.mine.example")
    exchanges = tuple(an_exchange(id=str(n), url=f"https://{host}/", host=host) for n, host in enumerate(hosts))
    metrics.publish(a_run(evidence=an_evidence(exchanges=exchanges)))
    named = {dict(labels)["third_party"] for (_, labels) in samples(metrics) if "third_party" in dict(labels)}
    assert named == {"Mine", "other"}


# The scrape that follows a change.


def test_a_journey_that_is_gone_takes_its_failures_of_vendors_along(metrics):
    stays, goes = a_check(), a_check(name="other", journey="other")
    contexts = contexts_for([stays, goes], Ownership(), NAMES)
    metrics.configure([stays, goes], contexts=contexts)
    exchange = an_exchange(url="https://js.stripe.com/", host="js.stripe.com", status=503)
    for check in (stays, goes):
        metrics.publish(a_run(check=check, evidence=an_evidence(exchanges=(exchange,))))
    assert value(metrics, "faultline_third_party_failures_total", journey="other") == 1
    metrics.configure([stays], contexts=contexts)
    assert value(metrics, "faultline_third_party_failures_total", journey="other") is None
    assert value(metrics, "faultline_third_party_failures_total", journey="browse") == 1
    assert not [line for line in lines(metrics) if '="other"' in line]


def test_what_was_given_back_may_be_taken_again(clock):
    metrics = Metrics(clock=clock, location="here", version="1", series_limit=200)
    for round_ in range(50):
        metrics.configure([a_check(name=f"{round_}-{n}", journey=f"{round_}-{n}") for n in range(4)])
    assert value(metrics, "faultline_series_refused_total") == 0
    held = [line for line in lines(metrics) if 'journey="' in line]
    assert value(metrics, "faultline_series") == len(held)
