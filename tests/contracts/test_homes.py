"""One third-party library, one home: who may import what. The bundled shop is a web site of its own."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

HOMES = {
    "alembic": {"history"},
    "apscheduler": {"scheduling"},
    "brotli": {"probes/blackbox"},
    "certifi": {"probes/http"},
    "cryptography": {"probes/http", "demo"},
    "dns": {"probes/vantage"},
    "h11": {"probes/http"},
    "h2": {"probes/http"},
    "httptools": {"probes/http"},
    "httpx": {"probes/http"},
    "jinja2": {"web", "demo"},
    "msgspec": {"execution"},
    "opentelemetry": {"publishing"},
    # A check's author uses Playwright's own expectations, which the authoring API hands on.
    "playwright": {"probes/browser", "journeys"},
    "prometheus_client": {"publishing"},
    "publicsuffixlist": {"diagnosis"},
    # Each layer describes its own files with models; what reads them is shared.
    "pydantic": {"reading", "config", "journeys"},
    "pydantic_core": {"reading", "config"},
    # The patterns of journeys, and those that the modules of a probe on request are written in.
    "re2": {"journeys", "probes/blackbox"},
    "rich": {"cli"},
    "sqlalchemy": {"history"},
    "starlette": {"web", "demo"},
    "typer": {"cli"},
    "uvicorn": {"cli", "demo"},
    "yaml": {"reading"},
}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (name.name.partition(".")[0] for name in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]


def home_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "monitor").parts
    return "/".join(parts[:2]) if parts[0] == "probes" and len(parts) > 2 else parts[0]


def test_every_library_is_used_in_its_home_only():
    used = defaultdict(set)
    for path in (ROOT / "monitor").rglob("*.py"):
        for name in imported(path):
            if name not in sys.stdlib_module_names and name != "monitor":
                used[name].add(home_of(path))
    assert {
        name: folders - HOMES.get(name, set()) for name, folders in used.items() if folders - HOMES.get(name, set())
    } == {}
    assert set(HOMES) - set(used) <= {"certifi", "pydantic_core"}


def test_the_vocabulary_uses_the_standard_library_only():
    for path in (ROOT / "monitor" / "domain").glob("*.py"):
        assert {name for name in imported(path) if name not in sys.stdlib_module_names} <= {"monitor"}, path


def test_journeys_import_nothing_of_the_engine_but_the_authoring_api():
    for path in (ROOT / "checks").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("monitor"):
                assert node.module == "monitor.journeys", path
