"""Dashboards as text: the same text each time, so that a change of a dashboard can be read as a difference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.src.boards import boards
from grafana.src.frame import framed

FOLDER = Path(__file__).parents[1] / "dashboards"


def rendered() -> Iterator[tuple[Path, str]]:
    """Yield the path of each dashboard, below the dashboards' folder, with its text."""
    for board in boards():
        text = json.dumps(framed(board), cls=JSONEncoder, sort_keys=True, indent=2, ensure_ascii=False)
        yield Path(board.folder) / f"{board.uid}.json", f"{text}\n"


def write(folder: Path = FOLDER) -> list[Path]:
    """Write all dashboards, remove those that are no more, and return the paths written."""
    wanted = {folder / path: text for path, text in rendered()}
    for stale in set(folder.rglob("faultline-*.json")) - set(wanted):
        stale.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(wanted)
