from __future__ import annotations

import pytest

from monitor.domain.check import Check
from monitor.domain.evidence import Evidence
from monitor.execution.wire import Codec, WireError
from tests.builders import a_check, an_evidence


def test_a_value_comes_back_as_it_was():
    codec = Codec()
    assert codec.decode(codec.encode(an_evidence()), Evidence) == an_evidence()
    assert codec.decode(codec.encode(a_check()), Check) == a_check()


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"nonsense", Codec().encode({"name": 3}), Codec().encode(an_evidence())]
)
def test_bytes_that_hold_something_else_are_refused(data):
    with pytest.raises(WireError, match="not a Check"):
        Codec().decode(data, Check)
