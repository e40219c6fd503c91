"""What of a good HTTP run may be given again: static answers, the same to everybody, with no secret in them."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from pathlib import Path

from monitor.domain.secret import Redactor
from monitor.probes.archive import BODY_LIMIT, TOTAL_LIMIT, ArchivedAnswer, kept_headers, write_archive
from monitor.probes.http.observation import Observation
from monitor.probes.http.outgoing import Outgoing

_log = logging.getLogger(__name__)

_OK = 200
_SEVERAL = 2
_MOST_ANSWERS = 1_000
_WRITE_SECONDS = 1.0
_RESOURCE = "http"
_PERSONAL = frozenset({b"authorization", b"proxy-authorization", b"cookie", b"cookie2"})
# A header or a part of the query that is named so is how an API knows its customer.
_CREDENTIAL = re.compile(rb"auth|token|key|secret|session|password|signature|credential")
_COOKIES = frozenset({b"set-cookie", b"set-cookie2"})
_FOR_ONE = frozenset({"private", "no-store"})


class StaticAnswers:
    """Holds on to what was answered while a run is under way, and writes at its end what may be kept."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._seen: list[tuple[Outgoing, Observation]] = []

    def note(self, outgoing: Outgoing, observation: Observation) -> None:
        """Take in an exchange that begins; what becomes of it is looked at when the run has ended."""
        if len(self._seen) < _MOST_ANSWERS:
            self._seen.append((outgoing, observation))

    async def write(self, folder: Path) -> None:
        """Write what may be kept of a run of several requests; never raises, and gives up waiting after a second."""
        if len(self._seen) < _SEVERAL:
            return
        try:
            await asyncio.wait_for(asyncio.to_thread(self._write, folder), _WRITE_SECONDS)
        except Exception as error:  # noqa: BLE001 - an archive is worth less than the run that it was to be made of
            _log.warning("the answers of a good run were not kept", extra={"error": type(error).__name__})

    def _write(self, folder: Path) -> None:
        kept = tuple(self._kept())
        if kept:
            write_archive(folder, kept)

    def _kept(self) -> Iterator[ArchivedAnswer]:
        personal: set[str] = set()
        found: dict[str, ArchivedAnswer | None] = {}
        size = 0
        for outgoing, observation in self._seen:
            if self._is_personal(outgoing, observation) or observation.redirected_from in personal:
                personal.add(observation.id)
            if outgoing.method != "GET":
                continue
            # What changed within one run is not static, and what was private once may be the next time.
            answer, url = None if observation.id in personal else self._answer(observation), observation.url
            found[url] = answer if url not in found or found[url] == answer else None
        for answer in found.values():
            if answer is not None and size + len(answer.body) <= TOTAL_LIMIT:
                size += len(answer.body)
                yield answer

    def _answer(self, observation: Observation) -> ArchivedAnswer | None:
        broken = observation.status != _OK or observation.failure is not None or observation.ended is None
        if broken or observation.truncated or observation.intervention or len(observation.body) > BODY_LIMIT:
            return None
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in observation.headers}
        rules = {rule.strip().partition("=")[0] for rule in headers.get("cache-control", "").lower().split(",")}
        texts = (observation.url, observation.body.decode("utf-8", "replace"), *headers.values())
        if rules & _FOR_ONE or any(self._redactor.finds(text) for text in texts):
            return None
        return ArchivedAnswer(
            url=observation.url, headers=kept_headers(headers), resource=_RESOURCE, body=observation.body
        )

    def _is_personal(self, outgoing: Outgoing, observation: Observation) -> bool:
        """Say whether an exchange knows its customer, or makes one of whoever asks."""
        names = [name.lower() for name, _ in outgoing.headers]
        told = any(name in _PERSONAL or _CREDENTIAL.search(name) for name in names)
        query = outgoing.target.partition(b"?")[2].lower()
        sent = b"\n".join(value for _, value in outgoing.headers).decode("latin-1")
        made = any(name in _COOKIES for name, _ in observation.headers)
        return told or made or bool(_CREDENTIAL.search(query)) or self._redactor.finds(sent)
