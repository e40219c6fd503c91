"""What is shipped, and what the documents promise of it."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_wheel_holds_the_monitor_and_nothing_else(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("faultline_monitor-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"monitor", "faultline_monitor"}
    assert not [name for name in names if name.endswith(".pth")]
    for needed in ("monitor/py.typed", "monitor/web/templates/run.html", "monitor/diagnosis/data/vendors.json"):
        assert needed in names
    assert [name for name in names if re.search(r"migrations/versions/.*\.py$", name)]


def test_the_lock_has_a_hash_for_everything_and_no_address():
    for lock in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / lock).read_text()
        pinned = re.findall(r"^[\w.\[\]-]+==", text, re.MULTILINE)
        assert pinned
        assert len(re.findall(r"^[\w.\[\]-]+==[^\n]*\\\n    --hash=sha256:", text, re.MULTILINE)) == len(pinned)
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)


def test_the_readme_is_short_and_every_link_in_the_documents_leads_somewhere():
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150
    for document in documents:
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
            if not link.startswith(("http://", "https://")):
                assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_every_decision_is_in_the_list_of_decisions():
    folder = ROOT / "docs" / "decisions"
    listed = set(re.findall(r"\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text()))
    assert listed == {path.name for path in folder.glob("[0-9]*.md")}


def test_every_command_of_the_makefile_says_what_it_does():
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    explained = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert phony - explained <= {"setup", "setup-dev"}
    assert {"run", "test", "lint", "check", "bench", "soak"} <= explained
