"""Evidence that looks like proof and is none: what stands on it may not be said, or not as sure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.experiment import ExperimentKind as Kind
from tests.diagnosis.incidents import OWNERSHIP, SHOP, Court, controls, failed, look, page

WWW = "www.shop.example"

# R06: what an edge leaves on every answer that passes it.


def passed_on(**headers: str) -> object:
    marks = {
        "server": "cloudflare",
        "cf-ray": "8a",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return page(status=503, headers=tuple(marks.items()))


OWN_WORDS = {"proxy_status": "envoy; error=proxy_internal_error", "via": "1.1 cloudflare"}


@pytest.mark.parametrize("edges", [(), ("cloudflare",)], ids=["the edge is not configured", "the edge is configured"])
def test_what_our_own_proxy_says_of_itself_is_not_the_edges_that_passes_it_on(names, edges):
    behind = Court(names, replace(OWNERSHIP, edges=edges))
    again = look(Kind.REPROBE, WWW, url=SHOP, status=503)
    diagnosis = behind.judge(failed(passed_on(**OWN_WORDS), experiments=(*controls(), again))).diagnosis
    assert diagnosis.detail.value == "und.insufficient"
    assert "whether envoy is our own proxy or an edge provider is not stated" in diagnosis.because


@pytest.mark.parametrize("edges", [(), ("cloudflare",)], ids=["the edge is not configured", "the edge is configured"])
def test_what_an_edge_says_of_itself_by_its_own_name_is_the_edges(names, edges):
    behind = Court(names, replace(OWNERSHIP, edges=edges))
    for said in ({"proxy_status": "Cloudflare-Proxy; error=proxy_internal_error"}, {"cf_error_type": "1003"}):
        diagnosis = behind.judge(failed(passed_on(**said), experiments=controls())).diagnosis
        assert (diagnosis.detail.value, diagnosis.culprit.name) == ("tp.edge", "cloudflare")
