"""The text that a scrape receives, in the format it asked for."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from monitor.publishing.series import Kind, Spread, Table, Value

AnyTable = Table[Value] | Table[Spread]


class Format(Enum):
    """The two formats that every Prometheus understands."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


_PORTION = 1_000
_OPENMETRICS_VERSIONS = frozenset({"", "0.0.1", "1.0.0"})


def negotiate(accept: str) -> Format:
    """Choose by the ``Accept`` header: the format of the highest quality, OpenMetrics where they tie, else text."""
    quality = {Format.TEXT: 0.0, Format.OPENMETRICS: 0.0}
    for part in accept.split(","):
        media, parameters = _parse(part)
        if media == "application/openmetrics-text" and parameters.get("version", "") in _OPENMETRICS_VERSIONS:
            wanted = Format.OPENMETRICS
        elif media in ("text/plain", "text/*", "*/*"):
            wanted = Format.TEXT
        else:
            continue
        quality[wanted] = max(quality[wanted], _quality(parameters.get("q", "1")))
    openmetrics = quality[Format.OPENMETRICS]
    return Format.OPENMETRICS if openmetrics > 0 and openmetrics >= quality[Format.TEXT] else Format.TEXT


def _parse(part: str) -> tuple[str, dict[str, str]]:
    media, *rest = (piece.strip() for piece in part.split(";"))
    pairs = (piece.partition("=") for piece in rest)
    return media.lower(), {name.strip().lower(): value.strip() for name, _, value in pairs}


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def expose(tables: Iterable[AnyTable], chosen: Format) -> bytes:
    """Return all series as text; a family without series is left out."""
    pieces: list[bytes] = []
    for table in tables:
        children = table.children()
        if not children:
            continue
        pieces.append(_head(table, chosen).encode())
        # Joining and encoding hold the interpreter's lock: in portions, so that runs go on in between.
        for begin in range(0, len(children), _PORTION):
            portion = children[begin : begin + _PORTION]
            if chosen is Format.OPENMETRICS:
                texts = [child.text_with_exemplars() for child in portion]
            else:
                texts = [child.text() for child in portion]
            pieces.append("".join(texts).encode())
    if chosen is Format.OPENMETRICS:
        pieces.append(b"# EOF\n")
    return b"".join(pieces)


def _head(table: AnyTable, chosen: Format) -> str:
    family = table.family
    words = family.help.replace("\\", r"\\").replace("\n", r"\n")
    if chosen is Format.OPENMETRICS:
        words = words.replace('"', r"\"")
        return f"# HELP {family.base} {words}\n# TYPE {family.base} {family.kind}\n"
    kind = Kind.GAUGE if family.kind is Kind.INFO else family.kind
    return f"# HELP {family.name} {words}\n# TYPE {family.name} {kind}\n"
