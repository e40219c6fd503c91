from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.publishing.notifying.receivers import Hook


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.close()
