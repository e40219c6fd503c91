"""What a module says: how a target is asked, and what of its answer makes the probe fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from ssl import TLSVersion

from monitor.domain.secret import Secret
from monitor.probes.blackbox.patterns import Pattern

DEFAULT_VERSIONS = (TLSVersion.TLSv1_2, TLSVersion.MAXIMUM_SUPPORTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """How a client shows itself over TLS, and whom it trusts.

    Attributes:
        ca: Authorities in PEM form, trusted in place of the public ones; so are those in ``ca_file``.
        server_name: The name to ask for and to find in the certificate, in place of the target's.
    """

    ca: str = ""
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str = ""
    verify: bool = True
    min_version: TLSVersion = DEFAULT_VERSIONS[0]
    max_version: TLSVersion = DEFAULT_VERSIONS[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderMatch:
    """A header and what its values are held against."""

    header: str
    pattern: Pattern
    allow_missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What is shown in ``Authorization``; ``reveal`` reads it anew for each probe, for files change.

    ``reveal`` raises OSError where a file cannot be read.
    """

    reveal: Callable[[], str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyOptions:
    """The proxy that requests go through."""

    host: str
    port: int
    authorization: Secret | None = None
    bypass: tuple[str, ...] = ()
    connect_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpModule:
    """The options of the prober ``http``.

    Attributes:
        valid_status_codes: Any of 200 to 299 where there are none.
        preferred: ``ip6`` or ``ip4``.
        own_headers: Read for each probe; raises OSError where a file of theirs cannot be read.
        secret_headers: Names, in lower case, of the headers that no other host may see.
        body_size_limit: Bytes after decompression; 0 for as many as the probe takes at most.
    """

    valid_status_codes: tuple[int, ...] = ()
    valid_http_versions: tuple[str, ...] = ()
    preferred: str = "ip6"
    fallback: bool = True
    resolve_with_proxy: bool = True
    fail_if_ssl: bool = False
    fail_if_not_ssl: bool = False
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    own_headers: Callable[[], tuple[tuple[str, str], ...]] | None = field(default=None, repr=False)
    secret_headers: frozenset[str] = frozenset()
    body_matches: tuple[Pattern, ...] = ()
    body_not_matches: tuple[Pattern, ...] = ()
    header_matches: tuple[HeaderMatch, ...] = ()
    header_not_matches: tuple[HeaderMatch, ...] = ()
    body: bytes = field(default=b"", repr=False)
    body_file: Path | None = None
    compression: str = ""
    body_size_limit: int = 0
    credentials: Credentials | None = None
    tls: TlsOptions = TlsOptions()
    follow_redirects: bool = True
    http2: bool = True
    proxy: ProxyOptions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a conversation: what to wait for, what to say, whether to encrypt from here on.

    Attributes:
        labels: Names and templates of what a match is reported as.
    """

    expect: Pattern | None = None
    expect_bytes: bytes = b""
    labels: tuple[tuple[str, str], ...] = ()
    send: bytes = field(default=b"", repr=False)
    starttls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpModule:
    """The options of the prober ``tcp``."""

    preferred: str = "ip6"
    fallback: bool = True
    source_address: str = ""
    turns: tuple[Turn, ...] = ()
    tls: TlsOptions | None = None
    starttls: TlsOptions = TlsOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRules:
    """What the records of one section are held against."""

    fail_if_matches: tuple[Pattern, ...] = ()
    fail_if_all_match: tuple[Pattern, ...] = ()
    fail_if_not_matches: tuple[Pattern, ...] = ()
    fail_if_none_matches: tuple[Pattern, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsModule:
    """The options of the prober ``dns``."""

    query_name: str
    query_type: str = "ANY"
    query_class: str = "IN"
    preferred: str = "ip6"
    fallback: bool = True
    source_address: str = ""
    transport: str = "udp"
    tls: TlsOptions | None = None
    recursion: bool = True
    valid_rcodes: tuple[str, ...] = ("NOERROR",)
    answer: RecordRules = RecordRules()
    authority: RecordRules = RecordRules()
    additional: RecordRules = RecordRules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One module: a prober with its options.

    Attributes:
        timeout: Seconds; 0 where the scraper's patience alone decides.
        shown: The module as its file has it, without its secrets, for people.
        secrets: What must be masked wherever it turns up.
    """

    name: str
    options: HttpModule | TcpModule | DnsModule
    timeout: float = 0.0
    shown: str = ""
    secrets: tuple[Secret, ...] = field(default=(), repr=False)

    @property
    def prober(self) -> str:
        """Return the name of the prober."""
        match self.options:
            case HttpModule():
                return "http"
            case TcpModule():
                return "tcp"
            case DnsModule():
                return "dns"
