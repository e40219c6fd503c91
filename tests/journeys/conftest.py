"""A folder to write journeys into."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]

FUTURE = "from __future__ import annotations"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    checks = tmp_path / "checks"
    checks.mkdir()
    return checks


@pytest.fixture
def write(folder: Path) -> Write:
    """Write a file of journeys; ``good`` is the name of a journey that goes into it as well."""

    def write(name: str, text: str = "", *, good: str = "") -> Path:
        # Annotations stay text, as in every module of checks/, so that nothing needs a probe here.
        parts = [FUTURE, textwrap.dedent(text)] if name.endswith(".py") else [textwrap.dedent(text)]
        if good:
            parts.append(GOOD.format(name=good))
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(parts))
        return path

    return write


GOOD = """
from monitor.journeys import Journey, step


@step("Look", capability="catalogue", budget="2s")
async def look_around(http: Http):
    return 1


journey = Journey(name="{name}", title="Browse the shop", steps=(look_around,), budget="10s", parameters=("email",))
"""
