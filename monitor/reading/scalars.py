"""What an unquoted word of YAML is. What YAML 1.1 and 1.2 read differently is refused, so nobody has to guess."""

from __future__ import annotations

import re

from monitor.reading.problem import quoted

Scalar = str | int | float | bool | None

_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_OTHER_TRUTH = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}")
_DISPUTED = "a number for some readers, text for others"
_TRAPS = (
    (re.compile(r"[-+]?0[0-9_]+"), "a leading zero makes it octal for some readers"),
    (re.compile(r"[-+]?0[xob][0-9a-fA-F_]+"), "a number in another base"),
    (re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"), "some readers count it in sixties"),
    (
        re.compile(r"[-+]?([0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)[eE][-+]?[0-9]+"),
        "a number for some readers, text for others",
    ),
    (re.compile(r"[-+]?[0-9]+(_[0-9]+)+(\.[0-9_]*)?"), _DISPUTED),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.)"), _DISPUTED),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), "not a number anybody can use"),
    (re.compile(r"[-+]?[0-9]{19,}"), "too long for a number"),
)


class AmbiguousScalar(Exception):  # noqa: N818 - it says what the word is
    """A word that two readers of YAML would take for different values."""


def typed(text: str) -> Scalar:
    """Return the value of an unquoted word. Raises AmbiguousScalar, with the remedy, where readers disagree."""
    if text in _NOTHING:
        return None
    if text in _TRUTH:
        return _TRUTH[text]
    if text[0] not in "0123456789+-.yYnNoO":
        return text
    if text.casefold() in _OTHER_TRUTH:
        msg = f"'{text}' is ambiguous: write {_OTHER_TRUTH[text.casefold()]}, or \"{text}\" in quotes for text"
        raise AmbiguousScalar(msg)
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    for pattern, why in _TRAPS:
        if pattern.fullmatch(text):
            msg = f"{quoted(text)} is ambiguous ({why}): write a plain number such as 90 or 1.5, or quote it for text"
            raise AmbiguousScalar(msg)
    return text
