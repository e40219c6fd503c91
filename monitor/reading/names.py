"""Names that become labels, folders and words on a page, for pydantic models."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from monitor.reading.problem import quoted

SLUG_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
_SLUG = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_LONGEST = 63


def check_slug(value: str) -> str:
    """Return a name as it is. Raises ValueError where it could not be a label, a file name and a word alike."""
    if not value or len(value) > _LONGEST or not _SLUG.issuperset(value) or value.startswith("-"):
        msg = f"{quoted(value)} is not a name; write lower-case letters, digits and dashes, at most {_LONGEST}"
        raise ValueError(msg)
    return value


def check_title(value: str) -> str:
    """Return a title as it is. Raises ValueError where it holds characters that do not show."""
    if not value.isprintable() or value != value.strip() or not value:
        msg = f"{quoted(value)} is not a title; write visible characters only, without spaces around them"
        raise ValueError(msg)
    return value


def check_path(value: str) -> str:
    """Return the path of a file or folder as it is. Raises ValueError where no system could open it."""
    if not value.strip() or not value.isprintable():
        msg = f"{quoted(value)} is not a path; write ../data, relative to the folder of this file"
        raise ValueError(msg)
    return value


Slug = Annotated[str, AfterValidator(check_slug), Field(json_schema_extra={"pattern": SLUG_PATTERN})]
Title = Annotated[str, Field(max_length=100), AfterValidator(check_title)]
PathText = Annotated[str, Field(max_length=1000), AfterValidator(check_path)]
