from __future__ import annotations

import json

import pytest

from monitor.probes.problem_details import problem_type

KIND = "application/problem+json; charset=utf-8"


def body(**values) -> bytes:
    return json.dumps(values).encode()


def test_the_kind_of_a_problem_is_kept_without_what_may_be_secret_in_it():
    stated = body(type="https://user:secret@Pay.Example:8443/problems/outage?token=1#x", detail="card 4111")
    assert problem_type(503, KIND, stated) == "https://pay.example/problems/outage"


@pytest.mark.parametrize(
    ("status", "kind", "stated"),
    [
        (200, KIND, body(type="https://pay.example/x")),
        (None, KIND, body(type="https://pay.example/x")),
        (503, "application/json", body(type="https://pay.example/x")),
        (503, KIND, body(type="about:blank")),
        (503, KIND, body(type="/problems/outage")),
        (503, KIND, body(type="https://[x/")),
        (503, KIND, body(type="https://pay.example/\u0007")),
        (503, KIND, body(type=7)),
        (503, KIND, body(title="none")),
        (503, KIND, b"[1]"),
        (503, KIND, b"[" * 60_000),
        (503, KIND, b"{"),
        (503, KIND, b"\xff"),
        (503, KIND, b""),
        (503, KIND, body(type="https://pay.example/x", detail="x" * 70_000)),
    ],
)
def test_everything_else_names_no_kind_of_problem(status, kind, stated):
    assert problem_type(status, kind, stated) == ""
