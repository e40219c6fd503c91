"""How looks are told apart that ask for one name in different ways; what they are called stands in the evidence."""

from __future__ import annotations

AUTHORITATIVE = "authoritative"
"""What a look at a zone's own servers is called, followed by their addresses."""

UNCHECKED = " with checking disabled"
"""What is put behind a resolver's name where it was told to leave signatures unchecked (the CD bit of RFC 4035)."""


def is_authority(by: str) -> bool:
    """Say whether a zone's own server was asked."""
    return by.partition(" ")[0] == AUTHORITATIVE


def is_unchecked(by: str) -> bool:
    """Say whether a resolver was told not to check signatures."""
    return by.endswith(UNCHECKED)


def is_usual(by: str) -> bool:
    """Say whether a resolver was asked as clients ask."""
    return not is_authority(by) and not is_unchecked(by)


def way_of(by: str) -> str:
    """Return the way that was taken, whichever of a zone's servers was found on it."""
    return AUTHORITATIVE if is_authority(by) else by


def asked_in_words(by: str) -> str:
    """Return who was asked for a name, for a sentence."""
    if is_authority(by):
        return f"the zone's own server {by.removeprefix(AUTHORITATIVE).strip()}".rstrip()
    return f"the resolver {by}"
