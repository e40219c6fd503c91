"""Regular expressions whose matching time is bounded, whatever the pattern and whatever the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import re2

from monitor.domain.evidence import ProberFault
from monitor.probes.session import ProberError

# States of the automaton times bytes of text: about half a second where every byte visits every state.
_MOST_WORK = 200_000_000
_LONGEST_PATTERN = 2_000


class PatternError(ValueError):
    """A regular expression that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression in RE2's syntax: linear in the text, without look-around and back-references."""

    text: str
    _compiled: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile. Raises PatternError where RE2 does not take the pattern."""
        if len(self.text) > _LONGEST_PATTERN:
            msg = f"a regular expression may have at most {_LONGEST_PATTERN} characters"
            raise PatternError(msg)
        options = re2.Options()
        options.log_errors = False
        try:
            compiled = re2.compile(self.text, options)
        except re2.error as error:
            reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
            msg = f"not a regular expression: {reason}; they are RE2's, without look-around and back-references"
            raise PatternError(msg) from None
        object.__setattr__(self, "_compiled", compiled)

    def groups(self) -> int:
        """Return how many groups the pattern captures."""
        groups: int = self._compiled.groups
        return groups

    def search(self, text: str) -> str | None:
        """Return the first match, or its first group where there is one; ``None`` where nothing matches.

        Raises ProberError where matching could take too long: that says nothing about the text.
        """
        work = self._compiled.programsize * len(text.encode())
        if work > _MOST_WORK:
            msg = f"matching {self.text!r} against {len(text):,} characters could take too long; simplify the pattern"
            raise ProberError(ProberFault.ASSERTION_TIMEOUT, msg)
        found = self._compiled.search(text)
        if found is None:
            return None
        matched: str | None = found.group(1) if self.groups() else found.group(0)
        return matched if matched is not None else ""


@lru_cache(maxsize=1_000)
def pattern_of(text: str) -> Pattern:
    """Return a pattern, compiled once as long as it is used. Raises PatternError."""
    return Pattern(text)


def escape(text: str) -> str:
    """Return a regular expression that matches the text itself."""
    escaped: str = re2.escape(text)
    return escaped
