"""Guesses at what was meant by a word that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


def did_you_mean(word: str, candidates: Iterable[str], synonyms: Mapping[str, str] | None = None) -> str:
    """Return ``; did you mean 'x'?`` for the candidate that is nearest to the word, or nothing.

    ``synonyms`` maps words of other products to ours; they too may be misspelled.
    """
    known = {name.casefold(): name for name in candidates}
    known.update({name: meant for name, meant in (synonyms or {}).items() if meant in known.values()})
    matches = difflib.get_close_matches(word.casefold()[:80], known, n=1, cutoff=0.65)
    return f"; did you mean '{known[matches[0]]}'?" if matches else ""
