"""The exchanges of one attempt while they happen: capped, masked, and frozen at the end."""

from __future__ import annotations

import contextlib
import itertools
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from monitor.domain.evidence import Truncation
from monitor.domain.exchange import Exchange, Initiator, TimeSource, Timings, TlsFacts
from monitor.domain.failure import Failure
from monitor.domain.secret import Redactor
from monitor.probes.browser.failures import failure_of, phase_of, weighed
from monitor.probes.browser.telling import TELLING_HEADERS

_HEADER_LENGTH = 512
_URL_LENGTH = 2048
_TEXT_LENGTH = 500
_ERROR_STATUS = 400
_TOO_MANY = 429
_WITHOUT_PAGE = frozenset({204, 205})
_REDIRECTS = range(300, 400)
_IGNORED = ("data:", "blob:", "about:", "chrome:", "chrome-extension:", "chrome-error:")
# Chromium names an intervention, Firefox only says that the request failed.
_OUR_BLOCKS = frozenset({Failure.BLOCKED_BY_CLIENT, Failure.HTTP_FAILED, Failure.ABANDONED})
_USER_INFO = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*://)[^/@?#]*@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of one attempt is kept."""

    exchanges: int = 2000
    events: int = 60_000
    console: int = 200
    page_errors: int = 100
    page_events: int = 100
    websockets: int = 100
    stream_events: int = 1000
    popups: int = 5
    hashed_body_bytes: int = 1_000_000
    hashed_bodies: int = 300
    hashed_total_bytes: int = 16_000_000
    text: int = 1000


@dataclass(slots=True, kw_only=True)
class Entry:
    """One exchange that may still change. Moments are readings of the monotonic clock; what is raw stays in here.

    Attributes:
        frame: Chromium's name of the frame that asked, where it has one.
        page: Chromium's name of the page that stood in that frame then.
    """

    id: str
    url: str
    host: str
    secure: bool
    step: str
    begun: float
    method: str = "GET"
    resource: str = ""
    done: float | None = None
    status: int | None = None
    reason: str = ""
    protocol: str = ""
    address: str | None = None
    port: int | None = None
    timings: Timings = field(default_factory=Timings)
    headers_at: float | None = None
    tls: TlsFacts | None = None
    failure: Failure | None = None
    failure_text: str = ""
    blocked_reason: str | None = None
    cors_error: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    mime_type: str = ""
    request_bytes: int | None = None
    transfer_bytes: int | None = None
    body_bytes: int | None = None
    body_sha256: str | None = None
    problem: str = ""
    initiator: Initiator | None = None
    redirected_from: str | None = None
    intervention: bool = False
    from_cache: bool = False
    from_service_worker: bool = False
    sent: bool = False
    cut: bool = False
    frame: str = ""
    page: str = ""
    raw_url: str = ""
    raw_headers: Mapping[str, str] = field(default_factory=dict)


class Ledger:
    """All exchanges of one attempt, at most so many; what goes beyond is counted."""

    def __init__(
        self, *, started: float, attempt: int, redactor: Redactor, limits: Limits, blocks: Callable[[str], bool]
    ) -> None:
        self._started = started
        self._attempt = attempt
        self._redactor = redactor
        self._limits = limits
        self._blocks = blocks
        self._numbers = itertools.count(1)
        self._entries: list[Entry] = []
        self._hosts: dict[str, tuple[str, bool]] = {}
        self._refusals: Counter[tuple[str, int]] = Counter()
        self.seen = 0
        self.step = ""

    @property
    def is_full(self) -> bool:
        """Say whether no further exchange is kept."""
        return len(self._entries) >= self._limits.exchanges

    def open(self, url: str, *, begun: float, method: str, resource: str) -> Entry | None:
        """Start an exchange; ``None`` where it is none of the network's, or one too many."""
        if url.startswith(_IGNORED):
            return None
        self.seen += 1
        if self.is_full:
            return None
        host, secure = self._host(url)
        entry = Entry(
            id=f"{self._attempt}.{next(self._numbers)}",
            url=self.clean_url(url),
            host=host,
            secure=secure,
            step=self.step,
            begun=begun,
            method=method,
            resource=resource,
            raw_url=url,
        )
        self._entries.append(entry)
        return entry

    def answer(self, entry: Entry, status: int, headers: Mapping[str, str]) -> None:
        """Note status and telling headers."""
        entry.status = status
        entry.sent = True
        entry.raw_headers = headers
        kept = ((name.lower(), value) for name, value in headers.items() if name.lower() in TELLING_HEADERS)
        entry.headers = tuple(sorted((name, self.mask(value, _HEADER_LENGTH)) for name, value in kept))
        if status >= _ERROR_STATUS:
            entry.failure = Failure.HTTP_ERROR

    def answer_unseen(self, entry: Entry, status: int, headers: Mapping[str, str]) -> None:
        """Note the answer of an exchange that failed before the browser showed it to the page."""
        failure = entry.failure
        self.answer(entry, status, headers)
        if failure is not None:
            entry.failure = weighed(failure, status)

    def fail(self, entry: Entry, text: str, *, blocked_reason: str = "", cors_error: str = "") -> None:
        """Note that an exchange failed, in the browser's words."""
        entry.failure_text = self.mask(text or blocked_reason, _TEXT_LENGTH)
        entry.blocked_reason = blocked_reason or None
        entry.cors_error = cors_error or None
        entry.failure = failure_of(text, status=entry.status, blocked_reason=blocked_reason, cors_error=cors_error)
        entry.failure = _refined(entry)
        if entry.failure in _OUR_BLOCKS and self._blocks(entry.raw_url):
            entry.failure = Failure.BLOCKED_BY_INTERVENTION
            entry.intervention = True

    def mark(self, url: str, failure: Failure, text: str, *, untold: bool = False) -> None:
        """Note a failure that the console told of, on the newest exchange with that URL.

        Where nothing else tells of it, it becomes an exchange of its own, that of a frame.
        """
        wanted = self.clean_url(url)
        for entry in reversed(self._entries):
            if entry.url == wanted:
                if entry.failure in {None, Failure.ABANDONED, Failure.UNKNOWN}:
                    entry.failure, entry.failure_text = failure, self.mask(text, _TEXT_LENGTH)
                return
        frame = self.open(url, begun=now(), method="GET", resource="document") if untold else None
        if frame is not None:
            frame.failure, frame.failure_text = failure, self.mask(text, _TEXT_LENGTH)
            frame.done = frame.begun

    def note_refusal(self, url: str, status: int) -> None:
        """Note that the console told of a refusal: of a page that is left just then, the network tells less."""
        if len(self._refusals) < self._limits.console:
            self._refusals[self.clean_url(url), status] += 1

    def tell_refusals(self) -> None:
        """Give exchanges that are still open the refusals of which the console alone told."""
        told = Counter((entry.url, entry.status) for entry in self._entries if entry.status is not None)
        for (url, status), count in (self._refusals - told).items():
            unanswered = [x for x in self._entries if x.url == url and x.status is None]
            for entry in [x for x in unanswered if x.done is None and x.failure is None][:count]:
                self.answer(entry, status, {})
                entry.cut = True

    def note_intervention(self, url: str) -> None:
        """Note that we laid a hand on the newest exchange with that URL."""
        entry = self.latest(url)
        if entry is not None:
            entry.intervention = True

    def cut_open_ones(self) -> None:
        """Note that what is still open will not be seen to its end, because we stopped listening."""
        for entry in self._entries:
            entry.cut = entry.cut or (entry.done is None and entry.failure is None)

    def abandon_left_ones(self) -> None:
        """Give up what a page asked for that was replaced meanwhile: nobody waits for it or is told of its end.

        A page has replaced another once it has come, or asks for something itself; one that is asked for has not.
        """
        since: dict[str, dict[str, float]] = {}
        for entry in reversed(self._entries):
            if not entry.frame or not entry.page or (entry.resource == "document" and not _has_come(entry)):
                continue
            later = since.setdefault(entry.frame, {})
            left = min((moment for page, moment in later.items() if page != entry.page), default=None)
            if left is not None and entry.done is None and entry.failure is None and not entry.cut:
                entry.failure, entry.failure_text, entry.done = Failure.ABANDONED, "its page was left", left
            came = entry.done if entry.resource == "document" and entry.done is not None else entry.begun
            later[entry.page] = min(came, later.get(entry.page, came))

    def resume(self, url: str) -> Entry | None:
        """Return the oldest exchange with a URL that was cut, to be finished after all."""
        wanted = self.clean_url(url)
        return next((entry for entry in self._entries if entry.cut and entry.url == wanted), None)

    def latest(self, url: str | None = None, *, resource: str | None = None) -> Entry | None:
        """Return the newest exchange with a URL, of a resource type, or both."""
        wanted = self.clean_url(url) if url is not None else None
        for entry in reversed(self._entries):
            if wanted in {None, entry.url} and resource in {None, entry.resource}:
                return entry
        return None

    def is_unwelcome(self) -> bool:
        """Say whether somebody has asked us to come less often, or whether we are robots."""
        return any(
            entry.status == _TOO_MANY or any(name == "cf-mitigated" for name, _ in entry.headers)
            for entry in self._entries
        )

    def pending_like(self, pattern: str) -> Entry | None:
        """Return the newest unfinished exchange whose URL holds a piece of text that a step waited for."""
        piece = pattern.strip("*")
        open_ones = (entry for entry in reversed(self._entries) if entry.done is None)
        return next((entry for entry in open_ones if piece and piece in entry.url), None)

    def mask(self, text: str, length: int) -> str:
        """Return a text without secrets, shortened. Masking comes first: half a secret is one too."""
        # What lies far beyond the cut need not be searched: a text may have megabytes.
        masked = self._redactor.mask(text[: 4 * length])
        return masked if len(masked) <= length else masked[: length - 1] + "…"

    def clean_url(self, url: str) -> str:
        """Return a URL without user information and secrets."""
        return self.mask(_USER_INFO.sub(r"\1", url), _URL_LENGTH)

    def freeze(self, now: float) -> tuple[Exchange, ...]:
        """Return every exchange as it stands; what is still open is pending."""
        return tuple(self._freeze(entry, now) for entry in self._entries)

    def truncations(self) -> tuple[Truncation, ...]:
        """Return what was cut."""
        kept = len(self._entries)
        return (Truncation(what="exchanges", kept=kept, seen=self.seen),) if self.seen > kept else ()

    def _host(self, url: str) -> tuple[str, bool]:
        origin = url[: url.find("/", 8) + 1] if url.find("/", 8) > 0 else url
        known = self._hosts.get(origin)
        if known is None:
            host, secure = "", False
            with contextlib.suppress(ValueError):
                parts = urlsplit(url)
                host, secure = (parts.hostname or "").rstrip("."), parts.scheme in {"https", "wss"}
            known = (self.mask(host, 255), secure)
            if len(self._hosts) < self._limits.exchanges:
                self._hosts[origin] = known
        return known

    def _freeze(self, entry: Entry, now: float) -> Exchange:
        pending = entry.done is None and entry.failure is None and not entry.cut
        failure = Failure.PENDING if pending else entry.failure
        answered = entry.status is not None
        phase = phase_of(failure, sent=entry.sent, answered=answered, secure=entry.secure) if failure else None
        end = entry.done if entry.done is not None else now
        return Exchange(
            id=entry.id,
            url=entry.url,
            host=entry.host,
            method=entry.method,
            step=entry.step,
            attempt=self._attempt,
            resource=entry.resource,
            status=entry.status,
            reason=entry.reason,
            protocol=entry.protocol,
            address=entry.address,
            port=entry.port,
            ip_family=None if entry.address is None else "ipv6" if ":" in entry.address else "ipv4",
            timings=replace(
                entry.timings,
                started=entry.begun - self._started,
                total=max(0.0, end - entry.begun),
                source=TimeSource.BROWSER,
            ),
            tls=entry.tls,
            failure=failure,
            failed_phase=None if failure is Failure.HTTP_ERROR else phase,
            failure_text=entry.failure_text,
            blocked_reason=entry.blocked_reason,
            cors_error=entry.cors_error,
            headers=entry.headers,
            mime_type=entry.mime_type,
            request_bytes=entry.request_bytes,
            transfer_bytes=entry.transfer_bytes,
            body_bytes=entry.body_bytes,
            body_sha256=entry.body_sha256,
            problem=self._redactor.mask(entry.problem),
            initiator=entry.initiator,
            redirected_from=entry.redirected_from,
            pending=pending,
            intervention=entry.intervention,
            from_cache=entry.from_cache,
            from_service_worker=entry.from_service_worker,
            request_sent=entry.sent,
            truncated=entry.cut,
        )


def _has_come(page: Entry) -> bool:
    """Say whether a page stands where it was asked for; nothing without content does, nor what leads elsewhere."""
    stands = page.status is not None and page.status not in _WITHOUT_PAGE and page.status not in _REDIRECTS
    return stands and page.done is not None and page.failure in {None, Failure.HTTP_ERROR}


def _refined(entry: Entry) -> Failure | None:
    """Return the failure that Chromium means but does not name."""
    match entry.failure, entry.resource:
        case Failure.POLICY_CORP, "document" if entry.blocked_reason in {None, "other"}:
            # A page refuses to stand in a frame; nothing else keeps a document from being shown.
            return Failure.POLICY_FRAME
        case Failure.ABANDONED, "stylesheet" if entry.status is not None and entry.mime_type != "text/css":
            strict = dict(entry.headers).get("x-content-type-options", "").lower() == "nosniff"
            return Failure.POLICY_MIME if strict else Failure.ABANDONED
        case _:
            return entry.failure


def now() -> float:
    """Return the reading of the monotonic clock, which Chromium shares with us."""
    return time.monotonic()
