from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from monitor.config.loading import ConfigurationError, load
from monitor.config.settings import Settings

Load = Callable[..., Settings]


@pytest.fixture
def loaded(tmp_path: Path) -> Load:
    """Loads the text of a monitor.yaml, with the environment and an ownership file where they are given."""

    def load_text(text: str, environ: Mapping[str, str] | None = None, ownership: str | None = None) -> Settings:
        path = tmp_path / "monitor.yaml"
        path.write_text(text, "utf-8")
        if ownership is not None:
            (tmp_path / "ownership.yaml").write_text(ownership, "utf-8")
        return load(path, environ or {})

    return load_text


@pytest.fixture
def problems_of(loaded: Load, tmp_path: Path) -> Callable[..., list[str]]:
    """Returns what is wrong with the text of a monitor.yaml, without the folder in front of each line."""

    def problems(text: str, environ: Mapping[str, str] | None = None, ownership: str | None = None) -> list[str]:
        with pytest.raises(ConfigurationError) as raised:
            loaded(text, environ, ownership)
        return [str(problem).removeprefix(f"{tmp_path}/") for problem in raised.value.problems]

    return problems
