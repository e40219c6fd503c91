"""Colors that people with any color vision can tell apart, each with the word that goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grafana_foundation_sdk.models import dashboard as model

NO_DATA = "no data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A word and the color that stands for it."""

    word: str
    color: str


OWN = Mark(word="Own infrastructure", color="#FFB300")
THIRD_PARTY = Mark(word="Third party", color="#3B69E0")
CLIENT = Mark(word="Client environment", color="#B0308F")
UNDETERMINED = Mark(word="Undetermined", color="#B8B8B8")
CAUSES: Mapping[str, Mark] = {
    "own_infrastructure": OWN,
    "third_party": THIRD_PARTY,
    "client_environment": CLIENT,
    "undetermined": UNDETERMINED,
}

OK = Mark(word="OK", color="#40A060")
MAINTENANCE = Mark(word="maintenance", color="#3049A6")
MISSING = Mark(word=NO_DATA, color="#6E6E6E")
SLOW = Mark(word="slow", color="#F0E442")
PARTLY = Mark(word="failing in places", color="#8C2F20")
FAILING = Mark(word="failing", color="#D55E00")
# The worse, the higher, so that the highest code of several checks is the one to show.
STATES: Mapping[int, Mark] = {1: OK, 2: MAINTENANCE, 3: MISSING, 4: SLOW, 5: PARTLY, 6: FAILING}
OUTCOMES: Mapping[int, Mark] = {0: FAILING, 1: OK, 2: MAINTENANCE}
VENDOR_STATES: Mapping[int, Mark] = {
    1: OK,
    3: MISSING,
    4: Mark(word="some errors", color=SLOW.color),
    6: FAILING,
}
YES_NO: Mapping[int, Mark] = {0: Mark(word="no", color=FAILING.color), 1: Mark(word="yes", color=OK.color)}

RATINGS: Mapping[str, Mark] = {
    "satisfied": Mark(word="satisfied", color=OK.color),
    "tolerating": Mark(word="tolerating", color=SLOW.color),
    "frustrated": Mark(word="frustrated", color=FAILING.color),
}

# What tiles count; the color comes when there is something to count, and the tile says the word.
CRITICAL = Mark(word="critical", color=FAILING.color)
WARNINGS = Mark(word="warnings", color=SLOW.color)
OVERSPENT = Mark(word="spent", color=FAILING.color)
AT_RISK = Mark(word="at risk", color=SLOW.color)
# From where on an Apdex is called what, as its makers call it.
EXPERIENCES: Mapping[float, Mark] = {
    0.94: Mark(word="excellent", color=OK.color),
    0.85: Mark(word="good", color=OK.color),
    0.7: Mark(word="fair", color=SLOW.color),
    0.0: Mark(word="poor", color=FAILING.color),
}

PLAIN = "text"
NEUTRAL = "#8AB8FF"
# Behind numbers that mean no trouble.
QUIET = "#30343C"


def worded(marks: Mapping[int, Mark], nothing: str = NO_DATA) -> list[model.ValueMapping]:
    """Return mappings that show a code as its word in its color, and nothing at all as what that means."""
    options = {
        str(code): model.ValueMappingResult(text=mark.word, color=mark.color, index=place)
        for place, (code, mark) in enumerate(marks.items())
    }
    return [model.ValueMap(options=options), *unknown(nothing)]


def unknown(nothing: str = NO_DATA, index: int = 20) -> list[model.ValueMapping]:
    """Return the mapping that says what null and not-a-number mean; Grafana asks it before the panel's own word."""
    result = model.ValueMappingResult(text=nothing, color=MISSING.color, index=index)
    match = model.SpecialValueMatch.NULL_AND_NAN
    return [model.SpecialValueMap(options=model.DashboardSpecialValueMapOptions(match=match, result=result))]


def states(marks: Mapping[int, Mark]) -> tuple[model.ValueMapping, ...]:
    """Return the mapping of codes to their words alone, for a column that says itself what nothing means."""
    return tuple(worded(marks)[:1])


def below(limit: float, mark: Mark) -> model.ValueMapping:
    """Return the mapping that shows every number up to ``limit`` as a word."""
    result = model.ValueMappingResult(text=mark.word, color=mark.color, index=9)
    return model.RangeMap(options=model.DashboardRangeMapOptions(from_val=-1e12, to=limit, result=result))


def above(limit: float, mark: Mark) -> model.ValueMapping:
    """Return the mapping that shows every number from ``limit`` on as a word."""
    result = model.ValueMappingResult(text=mark.word, color=mark.color, index=8)
    return model.RangeMap(options=model.DashboardRangeMapOptions(from_val=limit, to=1e12, result=result))


def alarming(mark: Mark) -> model.ValueMapping:
    """Return the mapping that gives every number from one on the color of a word; the tile itself says the word."""
    result = model.ValueMappingResult(color=mark.color, index=7)
    return model.RangeMap(options=model.DashboardRangeMapOptions(from_val=0.5, to=1e12, result=result))


def experienced() -> tuple[model.ValueMapping, ...]:
    """Return the mappings of an Apdex to its words."""
    steps = sorted(EXPERIENCES.items(), reverse=True)
    ends = [1e12, *(limit - 1e-9 for limit, _ in steps)]
    results = [
        model.ValueMappingResult(text=mark.word, color=mark.color, index=place) for place, (_, mark) in enumerate(steps)
    ]
    return tuple(
        model.RangeMap(options=model.DashboardRangeMapOptions(from_val=limit, to=end, result=result))
        for (limit, _), end, result in zip(steps, ends, results, strict=False)
    )


def renamed() -> model.ValueMapping:
    """Return the mapping of the names of causes to their words and colors."""
    options = {
        name: model.ValueMappingResult(text=mark.word, color=mark.color, index=place)
        for place, (name, mark) in enumerate(CAUSES.items())
    }
    return model.ValueMap(options=options)


INSUFFICIENT = below(-0.5, Mark(word="insufficient", color=MISSING.color))
SPENT = below(0.0, OVERSPENT)
ENDLESS = above(3650.0, Mark(word="no end in sight", color=OK.color))
EXPIRED = below(0.0, Mark(word="expired", color=FAILING.color))
