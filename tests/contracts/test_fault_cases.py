"""The table of fault cases tells the truth: every case of the list is in it, and every test that it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| ([A-Z]\d\d) \| (.+?) \| (.+) \|$", re.MULTILINE)
_LISTED = """
S01 S02 S06 S08 S09 S16 S18 S19
N01 N02 N03 N04 N05 N06 N07 N12 N13 N17 N20 N22 N24 N25 N29 N30 N32 N33
B01 B02 B03 B04 B05 B07 B11 B12 B13 B15 B16 B17 B18 B19 B33 B34
D01 D02 D09
M01 M02 M03 M04 M05 M08 M09 M12
C01 C02 C03 C04 C05 C06 C07 C08 C09 C10
A01 A02 A09 A10
"""
CASES = frozenset(_LISTED.split())


def rows() -> dict[str, list[tuple[str, str]]]:
    table = ROW.findall((ROOT / "docs" / "fault-cases.md").read_text())
    return {case: re.findall(r"`([^`]+)::(\w+)`", proof) for case, _, proof in table}


def test_every_case_has_a_row_and_a_proof() -> None:
    found = rows()
    assert set(found) >= CASES
    assert all(found.values())


def test_every_named_test_exists_in_its_file() -> None:
    missing = []
    functions: dict[str, set[str]] = {}
    for case, proofs in rows().items():
        for path, name in proofs:
            if path not in functions:
                text = (ROOT / path).read_text() if (ROOT / path).exists() else ""
                nodes = ast.walk(ast.parse(text))
                functions[path] = {
                    node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                }
            if name not in functions[path]:
                missing.append(f"{case}: {path}::{name}")
    assert missing == []
