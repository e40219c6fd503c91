"""What an answer over HTTP is held against, in the order in which the blackbox exporter does it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from monitor.probes.blackbox.decompression import NotCompressed, decompress
from monitor.probes.blackbox.modules import HeaderMatch, HttpModule
from monitor.probes.blackbox.occasion import Occasion
from monitor.probes.blackbox.patterns import Pattern

V = TypeVar("V")

_OK = range(200, 300)
_WITHOUT_BODY = frozenset({204, 304})
_INFORMATIONAL = range(100, 200)
_DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")
# Beyond so many bytes other work would have to wait.
_SMALL = 32_768


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer that a probe ended with.

    Attributes:
        protocol: ``HTTP/1.1``, ``HTTP/2.0``.
        body: What came of the body; nothing where it broke off, ``received`` says how much had come.
        error: Why the body did not come whole.
        closed: A redirect that is not followed, the body of which is not read.
        capped: The body is longer than is taken in.
        counted: The body was only counted.
        bodiless: In HTTP/2 the answer ended with its headers.
    """

    status: int
    protocol: str
    method: str
    headers: tuple[tuple[str, bytes], ...]
    body: bytes
    received: int
    error: str
    closed: bool
    capped: bool
    counted: bool
    bodiless: bool
    most_bytes: int

    def values(self, name: str) -> list[bytes]:
        """Return the values of a header."""
        return [value for key, value in self.headers if key == name.lower()]

    @property
    def content_length(self) -> int:
        """Return the stated length of the body, -1 where none is stated."""
        stated = self.values("content-length")
        number = int(stated[0]) if stated and stated[0].isdigit() else -1
        if self.method == "HEAD":
            return number
        if self.status in _WITHOUT_BODY or self.status in _INFORMATIONAL:
            return 0
        if self.protocol == "HTTP/2.0":
            return 0 if self.bodiless and not stated else number
        return -1 if self.values("transfer-encoding") else number


@dataclass(slots=True)
class _Body:
    data: bytes = b""
    length: int = 0
    error: str = ""


async def judge(occasion: Occasion, module: HttpModule, answer: Answer) -> tuple[bool, int]:
    """Say whether an answer is as wanted, and how long its body is when it is decompressed."""
    success = _status_is_valid(occasion, module, answer)
    if success and (module.header_matches or module.header_not_matches):
        success = _headers_are_valid(occasion, module, answer)
        occasion.gauges.set("probe_failed_due_to_regex", 0 if success else 1)
    # Of what is compressed, the size tells nothing of the work.
    size = _SMALL + 1 if module.compression else len(answer.body)
    body = await _in_time(size, partial(_read, answer, module))
    if module.compression and body.error and not answer.closed:
        occasion.say("Failed to decompress", err=body.error)
    if success and (module.body_matches or module.body_not_matches):
        success = await _body_is_valid(occasion, module, body)
        occasion.gauges.set("probe_failed_due_to_regex", 0 if success else 1)
    if not answer.closed and body.error:
        occasion.say("Failed to read HTTP response body", err=body.error)
        success = False
    _tell_last_modified(occasion, answer)
    number = answer.protocol.removeprefix("HTTP/")
    occasion.gauges.set("probe_http_version", float(number) if number.replace(".", "", 1).isdigit() else 0.0)
    if module.valid_http_versions and answer.protocol not in module.valid_http_versions:
        occasion.say("Invalid HTTP version number", version=answer.protocol)
        success = False
    return success, 0 if answer.closed else body.length


def _status_is_valid(occasion: Occasion, module: HttpModule, answer: Answer) -> bool:
    wanted = module.valid_status_codes or _OK
    if answer.status in wanted:
        return True
    occasion.say("Invalid HTTP response status code", status_code=answer.status)
    return False


def _headers_are_valid(occasion: Occasion, module: HttpModule, answer: Answer) -> bool:
    return _all_headers(occasion, module.header_matches, answer, wanted=False) and _all_headers(
        occasion, module.header_not_matches, answer, wanted=True
    )


def _all_headers(occasion: Occasion, rules: Iterable[HeaderMatch], answer: Answer, *, wanted: bool) -> bool:
    for rule in rules:
        values = answer.values(rule.header)
        if not values:
            if not rule.allow_missing:
                occasion.say("Missing required header", header=rule.header)
                return False
            continue
        if any(rule.pattern.found(value) for value in values) is not wanted:
            words = "Header did not match regular expression" if wanted else "Header matched regular expression"
            occasion.say(words, header=rule.header, regexp=rule.pattern.text)
            return False
    return True


def _read(answer: Answer, module: HttpModule) -> _Body:
    if answer.closed:
        return _Body(error="the body of a redirect that is not followed is not read")
    limit = module.body_size_limit or answer.most_bytes
    if answer.error:
        # What was compressed and broke off has no length that means anything.
        length = answer.received if answer.counted else min(answer.received, limit)
        return _Body(length=0 if module.compression else length, error=answer.error)
    if answer.counted:
        over = 0 < module.body_size_limit < answer.received
        return _Body(
            length=module.body_size_limit if over else answer.received,
            error=f"the body is larger than {limit} bytes" if over else "",
        )
    try:
        data = decompress(answer.body, module.compression, most=limit)
    except NotCompressed as error:
        return _Body(length=len(error.body), error=str(error))
    if len(data) > limit or answer.capped:
        return _Body(length=min(len(data), limit), error=f"the body is larger than {limit} bytes")
    return _Body(data=data, length=len(data))


async def _body_is_valid(occasion: Occasion, module: HttpModule, body: _Body) -> bool:
    if body.error:
        occasion.say("Error reading HTTP body", err=body.error)
        return False
    broken = await _in_time(len(body.data), partial(_broken_rule, module, body.data))
    if broken is None:
        return True
    matched, pattern = broken
    words = "Body matched regular expression" if matched else "Body did not match regular expression"
    occasion.say(words, regexp=pattern.text)
    return False


def _broken_rule(module: HttpModule, data: bytes) -> tuple[bool, Pattern] | None:
    for pattern in module.body_matches:
        if pattern.found(data):
            return True, pattern
    for pattern in module.body_not_matches:
        if not pattern.found(data):
            return False, pattern
    return None


async def _in_time(size: int, work: Callable[[], V]) -> V:
    return await asyncio.to_thread(work) if size > _SMALL else work()


def _tell_last_modified(occasion: Occasion, answer: Answer) -> None:
    for value in answer.values("last-modified")[:1]:
        moment = http_date(value.decode("latin-1"))
        if moment is not None:
            occasion.gauges.set("probe_http_last_modified_timestamp_seconds", moment.timestamp())


def http_date(text: str) -> dt.datetime | None:
    """Return the moment that a header states in one of HTTP's three forms, ``None`` where it has another."""
    for form in _DATES:
        try:
            return dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC)
        except ValueError:
            continue
    return None
