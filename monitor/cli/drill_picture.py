"""A picture of what a journey depends on, as an SVG file that stands for itself."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from monitor.investigation.drill import Dependency, DrillReport, Finding

_COLORS = {
    Dependency.HARD: "#c0232c",
    Dependency.BRITTLE: "#b45d00",
    Dependency.SLOWS: "#8a6d00",
    Dependency.SURVIVES: "#1b7f3b",
    Dependency.UNTRIED: "#1f6f8b",
    Dependency.UNKNOWN: "#6a4bb0",
}
WORDS = {
    Dependency.HARD: "cannot do without",
    Dependency.BRITTLE: "breaks when slow or empty",
    Dependency.SLOWS: "slows it",
    Dependency.SURVIVES: "harmless",
    Dependency.UNTRIED: "untried later",
    Dependency.UNKNOWN: "not known",
}
_DASHES = {Dependency.BRITTLE: "9 4", Dependency.SLOWS: "3 4", Dependency.UNTRIED: "6 6", Dependency.UNKNOWN: "1 5"}
_WIDTHS = {Dependency.HARD: 4, Dependency.BRITTLE: 3}
_ROW, _TOP, _STEP_X, _STEP_W, _PARTY_X, _PARTY_W = 64, 110, 30, 240, 560, 400
_LONG = 46
# A sheet of its own, because the file is opened in browsers and put into documents, light and dark.
_STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#14181f}.soft{fill:#5b6472;font-size:12px}.title{font-size:18px;"
    "font-weight:700}rect{fill:#fff;stroke:#8b95a3}.sheet{fill:#f6f7f9;stroke:none}path{fill:none}"
)


def svg_of(report: DrillReport) -> str:
    """Return the picture: steps on the left, third parties on the right, and lines that say how much one needs them."""
    rows = max(len(report.steps), len(report.findings), 1)
    height = _TOP + rows * _ROW + 90
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 {height}" role="img" aria-labelledby="what">',
            f"<title id='what'>{escape(report.check)}: {escape(_summary(report))}</title><style>{_STYLE}</style>",
            f'<rect class="sheet" width="1000" height="{height}"/>',
            f'<text class="title" x="30" y="40">What {escape(report.check)} depends on</text>',
            f'<text class="soft" x="30" y="62">{escape(_summary(report))}</text>',
            *_lines(report),
            *_steps(report),
            *_parties(report),
            *_legend(height),
            "</svg>\n",
        )
    )


def _summary(report: DrillReport) -> str:
    number = len(report.single_points)
    points = f"{number} single point{'' if number == 1 else 's'} of failure"
    stop = f"; stopped before '{report.until}', which changes something" if report.until else ""
    return f"drilled {report.at:%Y-%m-%d %H:%M} UTC, {points} among {len(report.findings)} third parties{stop}"


def _lines(report: DrillReport) -> Iterator[str]:
    places = {name: number for number, name in enumerate(report.steps)}
    for number, one in enumerate(report.findings):
        for step in one.supplier.steps:
            if step not in places:
                continue
            begin, end = _middle(places[step]), _middle(number)
            left, right = _STEP_X + _STEP_W, _PARTY_X
            bend = (left + right) // 2
            yield (
                f'<path d="M{left} {begin} C{bend} {begin} {bend} {end} {right} {end}" '
                f'stroke="{_COLORS[one.dependency]}" stroke-width="{_WIDTHS.get(one.dependency, 2)}" '
                f'stroke-dasharray="{_DASHES.get(one.dependency, "none")}"/>'
            )


def _steps(report: DrillReport) -> Iterator[str]:
    for number, name in enumerate(report.steps):
        y = _middle(number) - 22
        yield f'<rect x="{_STEP_X}" y="{y}" width="{_STEP_W}" height="44" rx="8"/>'
        yield f'<text x="{_STEP_X + 14}" y="{y + 27}">{number + 1}. {_short(name, 28)}</text>'


def _parties(report: DrillReport) -> Iterator[str]:
    for number, one in enumerate(report.findings):
        y = _middle(number) - 24
        color = _COLORS[one.dependency]
        yield (f'<rect x="{_PARTY_X}" y="{y}" width="{_PARTY_W}" height="48" rx="8" style="stroke:{color}"/>')
        yield f'<text x="{_PARTY_X + 14}" y="{y + 20}" style="fill:{color};font-weight:600">{_title(one)}</text>'
        yield f'<text class="soft" x="{_PARTY_X + 14}" y="{y + 38}">{_short(one.why, 58)}</text>'


def _title(one: Finding) -> str:
    return f"{_short(one.supplier.name, 26)} ({WORDS[one.dependency]})"


def _legend(height: int) -> Iterator[str]:
    for number, (kind, words) in enumerate(WORDS.items()):
        x, y = 30 + number % 3 * 230, height - 50 + number // 3 * 24
        yield (
            f'<path d="M{x} {y} h34" stroke="{_COLORS[kind]}" stroke-width="{_WIDTHS.get(kind, 2)}" '
            f'stroke-dasharray="{_DASHES.get(kind, "none")}"/>'
        )
        yield f'<text class="soft" x="{x + 40}" y="{y + 4}">{words}</text>'


def _middle(row: int) -> int:
    return _TOP + row * _ROW + 24


def _short(text: str, most: int = _LONG) -> str:
    return escape(text if len(text) <= most else text[: most - 1] + "…")
