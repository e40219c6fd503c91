"""The answers of a good run, kept in a folder, so that an experiment can give them again.

The folder holds ``index.json``, which lists the answers, and ``bodies/``, where each body is named by its SHA-256.
It is written beside its place and renamed, so that a folder of that name is always whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SCHEMA: Final = 1
"""The version of the folder's shape; another one is refused."""

BODY_LIMIT: Final = 1_000_000
"""Bytes of the largest body that is kept."""

TOTAL_LIMIT: Final = 20_000_000
"""Bytes of all bodies of one archive together."""

KEPT_HEADERS: Final = frozenset(
    {
        "cache-control",
        "clear-site-data",
        "content-disposition",
        "content-language",
        "content-security-policy",
        "content-security-policy-report-only",
        "content-type",
        "cross-origin-embedder-policy",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "etag",
        "last-modified",
        "origin-agent-cluster",
        "permissions-policy",
        "referrer-policy",
        "timing-allow-origin",
        "vary",
        "x-content-type-options",
        "x-frame-options",
    }
)
"""Response headers that matter to whoever is given the answer again, beside those of CORS."""

_CORS = "access-control-"
_DIGEST = 64


class ArchiveError(Exception):
    """An archive is missing, damaged or of another version; the message says which and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedAnswer:
    """One answer: to whom it was given, and all that is needed to give it again; never a cookie."""

    url: str
    body: bytes
    method: str = "GET"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    resource: str = ""

    @property
    def sha256(self) -> str:
        """Return the digest of the body, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


class Archive:
    """The answers of one good run, found by method and URL."""

    def __init__(self, answers: Iterable[ArchivedAnswer]) -> None:
        """Take in the answers; of two to one request the later one counts."""
        self._exact: dict[tuple[str, str], ArchivedAnswer] = {}
        for answer in answers:
            self._exact[answer.method, answer.url] = answer
        self._bare: dict[tuple[str, str], list[ArchivedAnswer]] = {}
        for answer in self._exact.values():
            self._bare.setdefault((answer.method, _bare(answer.url)), []).append(answer)

    @property
    def answers(self) -> tuple[ArchivedAnswer, ...]:
        """Return all answers in the order in which they were given."""
        return tuple(self._exact.values())

    def find(self, method: str, url: str) -> ArchivedAnswer | None:
        """Return the answer to exactly this request, or to the only one that differs in nothing but its query."""
        url = url.partition("#")[0]
        exact = self._exact.get((method, url))
        if exact is not None:
            return exact
        alike = self._bare.get((method, _bare(url)), [])
        return alike[0] if len(alike) == 1 else None


def kept_headers(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return those headers of an answer that an archive keeps, with names in lower case."""
    named = ((name.lower(), value) for name, value in headers.items())
    return tuple(sorted((name, value) for name, value in named if name in KEPT_HEADERS or name.startswith(_CORS)))


def write_archive(folder: Path, answers: Iterable[ArchivedAnswer]) -> None:
    """Write a folder, readable by us alone, that must not be there yet.

    Raises OSError where the disk refuses, FileExistsError where the folder is there.
    """
    if folder.exists():
        message = f"the archive {folder} is there already"
        raise FileExistsError(message)
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        _write(beside, tuple(answers))
        beside.rename(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def read_archive(folder: Path) -> Archive:
    """Return the archive in a folder, each body compared with its digest. Raises ArchiveError."""
    try:
        index = json.loads((folder / "index.json").read_bytes())
    except FileNotFoundError:
        message = f"there is no archive in {folder}: a good run must be made first"
        raise ArchiveError(message) from None
    except (OSError, ValueError) as error:
        raise _damaged(folder, f"index.json cannot be read ({type(error).__name__})") from None
    if not isinstance(index, dict) or index.get("schema") != SCHEMA:
        raise _damaged(folder, f"index.json is not of version {SCHEMA}")
    try:
        return Archive([_read(folder, entry) for entry in index["answers"]])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(folder, f"index.json holds something else than answers ({type(error).__name__})") from None


def _write(folder: Path, answers: tuple[ArchivedAnswer, ...]) -> None:
    bodies = folder / "bodies"
    for made in (folder, bodies):
        made.mkdir(mode=0o700)
        made.chmod(0o700)
    entries, written = [], set()
    for answer in answers:
        digest = answer.sha256
        if digest not in written:
            _write_private(bodies / digest, answer.body)
            written.add(digest)
        entries.append(
            {
                "method": answer.method,
                "url": answer.url,
                "status": answer.status,
                "headers": dict(answer.headers),
                "resource": answer.resource,
                "body": digest,
            }
        )
    index = {"schema": SCHEMA, "answers": entries}
    _write_private(folder / "index.json", json.dumps(index, ensure_ascii=False, indent=1).encode())


def _write_private(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)


def _read(folder: Path, entry: Mapping[str, Any]) -> ArchivedAnswer:
    digest = entry["body"]
    if len(digest) != _DIGEST or not digest.isalnum():
        raise _damaged(folder, "a body has no proper digest")
    try:
        body = (folder / "bodies" / digest).read_bytes()
    except OSError:
        raise _damaged(folder, f"the body {digest[:12]} is missing") from None
    if hashlib.sha256(body).hexdigest() != digest:
        raise _damaged(folder, f"the body {digest[:12]} is not what was written")
    return ArchivedAnswer(
        method=str(entry["method"]),
        url=str(entry["url"]),
        status=int(entry["status"]),
        headers=tuple((str(name), str(value)) for name, value in entry["headers"].items()),
        resource=str(entry["resource"]),
        body=body,
    )


def _damaged(folder: Path, what: str) -> ArchiveError:
    return ArchiveError(f"the archive {folder} is damaged: {what}; the next good run makes a new one")


def _bare(url: str) -> str:
    return url.partition("?")[0].partition("#")[0]
