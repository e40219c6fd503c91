"""The same targets, the same modules, the real blackbox exporter: metric by metric the same answer."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tests.probes.blackbox.comparison import INTENDED, Compared, compare
from tests.probes.blackbox.table import DOCUMENT, documented, rendered

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Compared, ...]:
    # A loop of its own: the answers serve all tests of this module.
    return asyncio.run(compare(tmp_path_factory.mktemp("blackbox")))


def test_both_probers_give_the_same_answer_but_for_what_is_intended(compared: tuple[Compared, ...]):
    wrong = {row.case.title: row.unintended for row in compared if row.unintended}
    assert wrong == {}


def test_the_table_covers_every_prober_successes_and_failures(compared: tuple[Compared, ...]):
    assert len({row.case.title for row in compared}) == len(compared) >= 150
    assert all(row.theirs.status == 200 for row in compared)
    outcomes = Counter((_kind(row), row.theirs.value("probe_success")) for row in compared)
    for kind in ("http", "tcp", "dns"):
        assert min(outcomes[kind, 0.0], outcomes[kind, 1.0]) >= 8, outcomes


def test_what_is_said_to_differ_does_differ(compared: tuple[Compared, ...]):
    differences = [(row.case.title, each) for row in compared for each in row.differences]
    unused = [known.family for known in INTENDED if not any(known.covers(*each) for each in differences)]
    assert unused in ([], ["probe_tls_cipher_info"])


def test_the_documentation_shows_this_table(compared: tuple[Compared, ...]):
    assert documented() == rendered(compared), "run: python -m tests.probes.blackbox.table"


def test_the_documentation_tells_the_reason_of_every_difference():
    text = DOCUMENT.read_text("utf-8")
    assert [known.reason for known in INTENDED if known.reason not in text] == []


def _kind(row: Compared) -> str:
    names = row.theirs.families
    if "probe_dns_query_succeeded" in names:
        return "dns"
    return "http" if "probe_http_status_code" in names else "tcp"
