"""What of a good run may be given again: static answers, the same to everybody, with no secret in them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.domain.secret import Redactor
from monitor.probes.archive import BODY_LIMIT, TOTAL_LIMIT, ArchivedAnswer, kept_headers, write_archive
from monitor.probes.browser.ledger import Entry

_log = logging.getLogger(__name__)

_PERSONAL = frozenset({"document", "xhr", "fetch"})
_KEPT = frozenset({"script", "stylesheet", *_PERSONAL})
_SMALL = frozenset({"image", "font"})
_SMALL_LIMIT = 100_000
_WRITE_SECONDS = 1.0
_OK = 200
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
# What a browser takes bytes for where nobody names an encoding: Windows-1252, with the gaps filled.
_WINDOWS = {ord(bytes([byte]).decode("cp1252", "replace")): byte for byte in range(0x80, 0xA0)}
_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie2"})


@dataclass(slots=True, kw_only=True)
class Privacy:
    """What the headers of one exchange and of those that redirected to it say about whom it is for.

    Attributes:
        promised: Of how many answers Chromium said that it will tell what really came.
        told: Of how many it did.
    """

    credentials: bool = False
    session: bool = False
    sets_cookies: bool = False
    promised: int = 0
    told: int = 0

    @property
    def is_known(self) -> bool:
        """Say whether all was told; only then is silence about cookies a word."""
        return self.told >= self.promised


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    request_id: str
    entry: Entry
    body: bytes
    text: bool


class StaticAnswers:
    """Holds on to bodies while a run is under way, and writes those that may be kept at its end."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held: list[_Held] = []
        self._privacy: dict[str, Privacy] = {}
        self._size = 0

    def note_request(self, request_id: str, params: Mapping[str, object]) -> None:
        """Take in the headers with which a request really left."""
        privacy = self._of(request_id)
        headers = params.get("headers")
        if isinstance(headers, Mapping):
            privacy.credentials |= any(name.lower() in _CREDENTIALS for name in headers)
            privacy.credentials |= self._redactor.finds("\n".join(str(value) for value in headers.values()))
        cookies = params.get("associatedCookies")
        if isinstance(cookies, list):
            # What no script may read is how a site knows its customer; others are mostly for counting.
            privacy.session |= any(
                not cookie.get("blockedReasons") and cookie.get("cookie", {}).get("httpOnly") for cookie in cookies
            )

    def note_answer(self, request_id: str, headers: Mapping[str, object]) -> None:
        """Take in the headers with which an answer really came."""
        privacy = self._of(request_id)
        privacy.told += 1
        privacy.sets_cookies |= any(name.lower() in {"set-cookie", "set-cookie2"} for name in headers)

    def note_promise(self, request_id: str) -> None:
        """Take in that the headers with which an answer really came are told too, sooner or later."""
        self._of(request_id).promised += 1

    def wants(self, entry: Entry, size: int) -> bool:
        """Say whether a body is worth fetching that nobody else asks for."""
        return entry.resource in _SMALL and size <= _SMALL_LIMIT and self._size + size <= TOTAL_LIMIT

    def hold(self, request_id: str, entry: Entry, body: bytes, *, text: bool) -> None:
        """Hold on to a body until the end of the run; ``text`` says that the browser has decoded it already."""
        limit = _SMALL_LIMIT if entry.resource in _SMALL else BODY_LIMIT
        # Of an image that it cannot show, and of what it has dropped, a browser hands out nothing.
        whole = text or len(body) == entry.body_bytes
        if whole and len(body) <= limit and self._size + len(body) <= TOTAL_LIMIT:
            self._size += len(body)
            self._held.append(_Held(request_id=request_id, entry=entry, body=body, text=text))

    async def write(self, folder: Path) -> None:
        """Write what may be kept; never raises, and gives up waiting after a second."""
        try:
            await asyncio.wait_for(asyncio.to_thread(self._write, folder), _WRITE_SECONDS)
        except Exception as error:  # noqa: BLE001 - an archive is worth less than the run that it was to be made of
            _log.warning("the answers of a good run were not kept", extra={"error": type(error).__name__})

    def _write(self, folder: Path) -> None:
        write_archive(folder, tuple(self._kept()))

    def _kept(self) -> Iterator[ArchivedAnswer]:
        found: dict[str, ArchivedAnswer | None] = {}
        for held in self._held:
            # What changed within one run is not static, and what was private once may be the next time.
            answer, url = self._answer(held), held.entry.raw_url
            found[url] = answer if url not in found or found[url] == answer else None
        yield from (answer for answer in found.values() if answer is not None)

    def _answer(self, held: _Held) -> ArchivedAnswer | None:
        entry, body = held.entry, held.body
        headers = {name.lower(): value for name, value in entry.raw_headers.items()}
        if not self._is_static(entry, headers, self._of(held.request_id)):
            return None
        if held.text and not body.isascii():
            body, headers["content-type"] = _as_it_came(body, headers.get("content-type") or entry.mime_type)
        texts = (entry.raw_url, body.decode("utf-8", "replace"), *headers.values())
        if any(self._redactor.finds(text) for text in texts):
            return None
        return ArchivedAnswer(url=entry.raw_url, headers=kept_headers(headers), resource=entry.resource, body=body)

    @staticmethod
    def _is_static(entry: Entry, headers: Mapping[str, str], privacy: Privacy) -> bool:
        if entry.method != "GET" or entry.status != _OK or entry.failure is not None or entry.intervention:
            return False
        if entry.resource not in _KEPT | _SMALL or entry.from_service_worker or "@" in _authority(entry.raw_url):
            return False
        if not privacy.is_known or privacy.credentials or privacy.sets_cookies:
            return False
        if privacy.session and entry.resource in _PERSONAL:
            return False
        rules = {rule.strip().partition("=")[0] for rule in headers.get("cache-control", "").lower().split(",")}
        if rules & {"private", "no-store"}:
            return False
        return not (entry.resource == "document" and "'nonce-" in headers.get("content-security-policy", ""))

    def _of(self, request_id: str) -> Privacy:
        return self._privacy.setdefault(request_id, Privacy())


def _as_it_came(body: bytes, content_type: str) -> tuple[bytes, str]:
    # The browser hands on text, decoded as it saw fit; a digest in the page is one of the bytes that came.
    kind, _, rest = content_type.partition(";")
    named = _CHARSET.search(rest)
    text = body.decode()
    with contextlib.suppress(LookupError, UnicodeError):
        if named is not None:
            return text.encode(named[1]), content_type
        came = text.translate(_WINDOWS).encode("latin-1")
        came.decode()
        return came, content_type
    return body, f"{kind.strip()}; charset=utf-8"


def _authority(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].partition("?")[0]
