"""Names that people or file systems could take for each other."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest

from tests.config.test_problems import with_check

ALIKE = (
    "Home",
    "HOME",
    "\uff48\uff4f\uff4d\uff45",
    "home\u200d",
    "ho\u00adme",
    "h\u043eme",
    "höme",
    unicodedata.normalize("NFD", "höme"),
    "home ",
)


@pytest.mark.parametrize("other", ALIKE, ids=ascii)
def test_names_that_differ_in_case_or_unicode_form_alone_cannot_both_exist(
    problems_of: Callable[..., list[str]], other: str
) -> None:
    text = with_check("{journey: home}") + f'  - {{journey: "{other}", target: shop, every: 5m}}\n'
    found = problems_of(text)
    assert any("is not a name" in problem for problem in found), found
