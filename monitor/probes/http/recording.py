"""From what was seen of an exchange to its record: masked, escaped, shortened, and without cookies."""

from __future__ import annotations

import hashlib
import re

from monitor.domain.exchange import DnsFacts, Exchange, Timings, TlsFacts
from monitor.domain.failure import Failure, Phase
from monitor.domain.secret import Redactor
from monitor.probes.http.certificates import CertificateReader
from monitor.probes.http.observation import Observation
from monitor.probes.problem_details import problem_type
from monitor.probes.vantage.resolver import Resolution, ResolutionSource

_LONGEST_VALUE = 500
_LONGEST_URL = 2_000
_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")

TELLING = frozenset(
    {
        b"age",
        b"alt-svc",
        b"cache-control",
        b"cdn-loop",
        b"cf-cache-status",
        b"cf-error-origin",
        b"cf-error-type",
        b"cf-mitigated",
        b"cf-ray",
        b"content-encoding",
        b"content-language",
        b"content-length",
        b"content-type",
        b"date",
        b"etag",
        b"last-modified",
        b"link",
        b"location",
        b"proxy-authenticate",
        b"proxy-status",
        b"retry-after",
        b"server",
        b"server-timing",
        b"traceresponse",
        b"vary",
        b"via",
        b"www-authenticate",
        b"x-amz-cf-id",
        b"x-amz-cf-pop",
        b"x-cache",
        b"x-cache-hits",
        b"x-correlation-id",
        b"x-envoy-upstream-service-time",
        b"x-powered-by",
        b"x-ratelimit-remaining",
        b"x-ratelimit-reset",
        b"x-request-id",
        b"x-served-by",
    }
)


class Recorder:
    """Turns observations of one session into exchanges."""

    def __init__(self, *, redactor: Redactor, certificates: CertificateReader, attempt: int, started: float) -> None:
        """Mask what ``redactor`` knows; ``started`` is the start of the run on the monotonic clock."""
        self._redactor = redactor
        self._certificates = certificates
        self._attempt = attempt
        self._started = started

    def record(self, observation: Observation) -> Exchange:
        """Return the record of an exchange, whether it has ended or not."""
        body = observation.body
        headers = tuple((name.decode(), self.text(value)) for name, value in observation.headers if name in TELLING)
        return Exchange(
            id=observation.id,
            url=self._redactor.mask(observation.url)[:_LONGEST_URL],
            host=observation.host,
            method=observation.method,
            step=observation.step,
            attempt=self._attempt,
            status=observation.status,
            reason=self.text(observation.reason) if observation.reason else "",
            protocol=observation.protocol,
            address=observation.address,
            port=observation.port,
            ip_family=_family(observation.address),
            timings=self._timings(observation),
            tls=self._tls(observation),
            dns=None if observation.resolution is None else self._dns(observation, observation.resolution),
            failure=observation.failure,
            failed_phase=observation.failed_phase,
            failure_text=self.line(observation.failure_text) if observation.failure_text else "",
            headers=headers,
            mime_type=_mime_type(headers),
            request_bytes=observation.request_bytes or None,
            transfer_bytes=observation.body_received if observation.status is not None else None,
            body_bytes=len(body) if observation.status is not None else None,
            body_sha256=hashlib.sha256(body).hexdigest() if body else None,
            problem=self.line(problem_type(observation.status, _mime_type(headers), body)),
            redirected_from=observation.redirected_from,
            pending=observation.failure is Failure.PENDING,
            intervention=observation.intervention,
            request_sent=observation.request_sent,
            truncated=observation.truncated,
        )

    def text(self, value: bytes) -> str:
        """Return bytes of a server as one harmless line: what is no text and what controls a terminal is escaped."""
        try:
            return self.line(value.decode("utf-8"))
        except UnicodeDecodeError:
            return self.line(value.decode("utf-8", "backslashreplace"))

    def line(self, value: str) -> str:
        """Return a text as one harmless line, masked and shortened."""
        if not value.isprintable():
            value = _NOT_PRINTABLE.sub(_escape, value)
        value = self._redactor.mask(value)
        return value if len(value) <= _LONGEST_VALUE else value[:_LONGEST_VALUE] + "…"

    def _timings(self, observation: Observation) -> Timings:
        ended = observation.ended
        total = 0.0 if ended is None else max(0.0, ended - observation.started)
        return Timings(
            started=observation.started - self._started,
            resolve=observation.resolve,
            connect=observation.connect,
            tls=observation.tls,
            wait=observation.wait,
            receive=observation.receive,
            total=total,
            source=observation.source,
        )

    def _tls(self, observation: Observation) -> TlsFacts | None:
        if observation.tls_version is None and observation.verify_code is None:
            return None
        return TlsFacts(
            version=observation.tls_version,
            cipher=observation.cipher,
            chain=self._certificates.read(observation.chain),
            verify_code=observation.verify_code,
        )

    def _dns(self, observation: Observation, resolution: Resolution) -> DnsFacts | None:
        asked = resolution.source is ResolutionSource.DNS
        misled = resolution.source is ResolutionSource.HOSTS_FILE and observation.failed_phase is not None
        if not asked and not misled and observation.failed_phase is not Phase.RESOLVE:
            # Nobody was asked, and nothing went wrong by it: there is nothing to tell.
            return None
        return DnsFacts(
            rcode=resolution.rcode,
            errors=tuple([self.line(error) for error in resolution.errors]),
            aliases=tuple([self.line(alias) for alias in resolution.aliases]),
            addresses=resolution.addresses,
            server=resolution.server if asked else resolution.source.value,
        )


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _family(address: str | None) -> str | None:
    if address is None:
        return None
    return "ipv6" if ":" in address else "ipv4"


def _mime_type(headers: tuple[tuple[str, str], ...]) -> str:
    for name, value in headers:
        if name == "content-type":
            return value.partition(";")[0].strip().lower()
    return ""
