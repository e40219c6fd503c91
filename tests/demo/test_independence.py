from __future__ import annotations

import ast
from pathlib import Path

import monitor.demo

FOLDER = Path(monitor.demo.__file__).parent


def test_the_shop_knows_nothing_of_the_engine_but_its_vocabulary():
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert not name.startswith("monitor.") or name.startswith(("monitor.demo", "monitor.domain")), path


def test_every_address_in_pages_and_scripts_is_one_of_the_shops_own():
    for path in (*FOLDER.rglob("*.html"), *FOLDER.rglob("*.css"), *FOLDER.rglob("*.js")):
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text, path
