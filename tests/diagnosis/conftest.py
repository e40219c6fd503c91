from __future__ import annotations

import pytest

from monitor.diagnosis.names import Names, load_names
from tests.diagnosis.incidents import Court


@pytest.fixture(scope="session")
def names() -> Names:
    return load_names()


@pytest.fixture
def court(names) -> Court:
    return Court(names)
