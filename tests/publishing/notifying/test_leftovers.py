"""What an earlier process could not send: only what still holds is sent."""

from __future__ import annotations

import pytest

from monitor.publishing.notifying.leftovers import END_AGE, START_AGE, Fate, fates_of
from tests.publishing.notifying.receivers import a_message

CHECK = a_message()["checks"][0]["check"]
FAILING, RESOLVED = a_message(), a_message(status="resolved")
OTHER = a_message(group="place", checks=[{"check": "browse@shop/desktop"}])


@pytest.mark.parametrize(
    ("messages", "ages", "expected"),
    [
        pytest.param([("a", FAILING)], [START_AGE], [Fate.HOLDS], id="a start that still holds is sent"),
        pytest.param([("a", FAILING)], [START_AGE + 1], [Fate.OLD], id="one that has waited too long is not"),
        pytest.param([("a", OTHER)], [1], [Fate.OVER], id="nor one of a check that fails no more"),
        pytest.param([("a", FAILING), ("a", RESOLVED)], [2, 1], [Fate.OVER, Fate.HOLDS], id="nor one that has its end"),
        pytest.param([("a", FAILING), ("b", RESOLVED)], [2, 1], [Fate.HOLDS, Fate.HOLDS], id="of the same receiver"),
        pytest.param([("a", RESOLVED), ("a", FAILING)], [2, 1], [Fate.HOLDS, Fate.HOLDS], id="an earlier end is none"),
        pytest.param([("a", RESOLVED)], [END_AGE], [Fate.HOLDS], id="an end is told for a day"),
        pytest.param([("a", RESOLVED)], [END_AGE + 1], [Fate.OVER], id="and no longer"),
    ],
)
def test_what_still_holds_is_sent_and_only_that(messages, ages, expected):
    assert fates_of(messages, ages, failing=lambda check: check == CHECK) == tuple(expected)
