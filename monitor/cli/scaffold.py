"""The files that ``faultline init`` writes: the smallest configuration that runs."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "config/monitor.yaml": """\
# What runs, where, when and as whom. `faultline validate` checks this file; every key is in docs/configuration.md.
location: here
journeys: ../checks

targets:
  site:
    base_url: https://www.example.org

# Everything that can be measured; `standard` and `core` are for many checks.
metrics:
  detail: full

checks:
  - journey: home
    target: site
    every: 1m
""",
    "config/ownership.yaml": """\
# Who owns what. Hosts that are named nowhere count as third parties.
domains: [example.org]
default_team: web
""",
    "checks/home.yaml": """\
# A customer opens the home page.
name: home
title: Open the home page
steps:
  - title: Open the home page
    request: {url: /}
    expect:
      status: 200
""",
}


def write_scaffold(folder: Path) -> tuple[Path, ...]:
    """Write the files and return them. Raises FileExistsError, and writes nothing, where one is there already."""
    paths = {folder / name: text for name, text in FILES.items()}
    for path in paths:
        if path.exists():
            raise FileExistsError(path)
    for path, text in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tuple(paths)
