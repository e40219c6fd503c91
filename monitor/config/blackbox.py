"""Makes modules of what their file says, and knows those that are there without a file."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from monitor.config.blackbox_model import (
    DnsModel,
    HeaderMatchModel,
    HttpModel,
    ModuleModel,
    ModulesModel,
    RecordRulesModel,
    TcpModel,
    TlsConfigModel,
    TurnModel,
)
from monitor.config.blackbox_secrets import hidden, is_telling
from monitor.domain.secret import Secret
from monitor.probes.blackbox.modules import (
    DEFAULT_VERSIONS,
    Credentials,
    DnsModule,
    HeaderMatch,
    HttpModule,
    Module,
    ProxyOptions,
    RecordRules,
    TcpModule,
    TlsOptions,
    Turn,
)
from monitor.reading.document import Document
from monitor.reading.problem import Problem, ReadingError
from monitor.reading.reader import read, read_text
from monitor.reading.validation import examine

_LARGEST = 65_536
_PROXY_PORT = 80
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

BUILT_IN = """\
modules:
  http_2xx:
    prober: http
    http:
      preferred_ip_protocol: ip4
  http_post_2xx:
    prober: http
    http:
      method: POST
      preferred_ip_protocol: ip4
  tcp_connect:
    prober: tcp
  tls_connect:
    prober: tcp
    tcp:
      tls: true
  ssh_banner:
    prober: tcp
    tcp:
      query_response:
      - expect: "^SSH-2.0-"
      - send: "SSH-2.0-blackbox-ssh-check"
  pop3s_banner:
    prober: tcp
    tcp:
      query_response:
      - expect: "^+OK"
      tls: true
  dns_soa:
    prober: dns
    dns:
      query_name: "."
      query_type: SOA
"""


def built_in_modules() -> dict[str, Module]:
    """Return the modules that are there where no file is named."""
    modules, problems = _modules_of(read_text(BUILT_IN, file="modules"), Path())
    if problems:
        raise ReadingError(problems)
    return modules


def modules_from(path: Path) -> tuple[dict[str, Module], list[Problem]]:
    """Return the modules of a file by name, and everything that is wrong with them."""
    try:
        document = read(path, binary=True)
    except ReadingError as error:
        return {}, list(error.problems)
    return _modules_of(document, path.parent)


def _modules_of(document: Document, folder: Path) -> tuple[dict[str, Module], list[Problem]]:
    model, problems = examine(document, ModulesModel)
    if model is None or problems:
        return {}, problems
    data = document.data if isinstance(document.data, dict) else {}
    written: dict[str, object] = data["modules"]
    return {name: _Maker(folder).module(name, each, written[name]) for name, each in model.modules.items()}, []


class _Maker:
    """Makes one module; the secrets that it comes across are remembered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._secrets: list[Secret] = []

    def module(self, name: str, model: ModuleModel, written: object) -> Module:
        options: HttpModule | TcpModule | DnsModule
        match model.prober:
            case "http":
                options = self._http(model.http or HttpModel())
            case "tcp":
                options = self._tcp(model.tcp or TcpModel())
            case _:
                assert model.dns is not None, "the model demands it"
                options = self._dns(model.dns)
        return Module(
            name=name,
            options=options,
            timeout=model.timeout.total_seconds() if model.timeout else 0.0,
            shown=json.dumps(hidden(written), indent=2, ensure_ascii=False),
            secrets=tuple(self._secrets),
        )

    def _http(self, model: HttpModel) -> HttpModule:
        for name, value in model.headers.items():
            if is_telling(name):
                self._remember(f"header {name}", value)
        follow = model.follow_redirects if model.no_follow_redirects is None else not model.no_follow_redirects
        return HttpModule(
            valid_status_codes=tuple(model.valid_status_codes),
            valid_http_versions=tuple(model.valid_http_versions),
            preferred=model.preferred_ip_protocol,
            fallback=model.ip_protocol_fallback,
            resolve_with_proxy=not model.skip_resolve_phase_with_proxy,
            fail_if_ssl=model.fail_if_ssl,
            fail_if_not_ssl=model.fail_if_not_ssl,
            method=model.method,
            headers=tuple(model.headers.items()),
            own_headers=self._own_headers(model),
            secret_headers=frozenset(
                [name.lower() for name, source in model.http_headers.items() if source.secrets or source.files]
                + [name.lower() for name in (*model.headers, *model.http_headers) if is_telling(name)]
            ),
            body_matches=tuple(model.fail_if_body_matches_regexp),
            body_not_matches=tuple(model.fail_if_body_not_matches_regexp),
            header_matches=_header_matches(model.fail_if_header_matches),
            header_not_matches=_header_matches(model.fail_if_header_not_matches),
            body=(model.body or "").encode(),
            body_file=self._path(model.body_file),
            compression=model.compression,
            body_size_limit=model.body_size_limit,
            credentials=self._credentials(model),
            tls=self._tls(model.tls_config),
            follow_redirects=follow,
            http2=model.enable_http2,
            proxy=self._proxy(model),
        )

    def _tcp(self, model: TcpModel) -> TcpModule:
        tls = self._tls(model.tls_config)
        return TcpModule(
            preferred=model.preferred_ip_protocol,
            fallback=model.ip_protocol_fallback,
            source_address=model.source_ip_address or "",
            turns=tuple(_turn(turn) for turn in model.query_response),
            tls=tls if model.tls else None,
            starttls=tls,
        )

    def _dns(self, model: DnsModel) -> DnsModule:
        return DnsModule(
            query_name=model.query_name,
            query_type=model.query_type,
            query_class=model.query_class,
            preferred=model.preferred_ip_protocol,
            fallback=model.ip_protocol_fallback,
            source_address=model.source_ip_address or "",
            transport=model.transport_protocol,
            tls=self._tls(model.tls_config) if model.dns_over_tls else None,
            recursion=model.recursion_desired,
            valid_rcodes=("NOERROR",) if model.valid_rcodes is None else tuple(model.valid_rcodes),
            answer=_rules(model.validate_answer_rrs),
            authority=_rules(model.validate_authority_rrs),
            additional=_rules(model.validate_additional_rrs),
        )

    def _tls(self, model: TlsConfigModel) -> TlsOptions:
        return TlsOptions(
            ca=model.ca or "",
            ca_file=self._path(model.ca_file),
            cert_file=self._path(model.cert_file),
            key_file=self._path(model.key_file),
            server_name=model.server_name or "",
            verify=not model.insecure_skip_verify,
            min_version=model.min_version or DEFAULT_VERSIONS[0],
            max_version=model.max_version or DEFAULT_VERSIONS[1],
        )

    def _credentials(self, model: HttpModel) -> Credentials | None:
        if model.basic_auth is not None:
            basic = model.basic_auth
            name = self._source(basic.username, basic.username_file)
            word = self._source(basic.password, basic.password_file, named="password")
            return Credentials(reveal=functools.partial(_basic, name, word))
        kind, text, file = "Bearer", model.bearer_token, model.bearer_token_file
        if model.authorization is not None:
            kind = model.authorization.type
            text, file = model.authorization.credentials, model.authorization.credentials_file
        if text is None and file is None:
            return None
        return Credentials(reveal=functools.partial(_typed, kind, self._source(text, file, named="credentials")))

    def _own_headers(self, model: HttpModel) -> Callable[[], tuple[tuple[str, str], ...]] | None:
        sources = [
            (name, self._source(text, None, named=f"header {name}" if text in source.secrets else ""))
            for name, source in model.http_headers.items()
            for text in (*source.values, *source.secrets)
        ]
        sources += [
            (name, self._source(None, file)) for name, source in model.http_headers.items() for file in source.files
        ]
        return functools.partial(_headers, tuple(sources)) if sources else None

    def _proxy(self, model: HttpModel) -> ProxyOptions | None:
        if model.proxy_url is None:
            return None
        parts = urlsplit(model.proxy_url)
        shown = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._remember("proxy password", unquote(parts.password or ""))
            shown = Secret("proxy credentials", "Basic " + base64.b64encode(pair.encode()).decode())
        bypass = tuple(each.strip() for each in (model.no_proxy or "").split(",") if each.strip())
        return ProxyOptions(
            host=parts.hostname or "",
            port=parts.port or _PROXY_PORT,
            authorization=shown,
            # With any exception at all, Go never asks a proxy for this machine itself.
            bypass=(*bypass, *_LOOPBACK) if bypass else (),
            connect_headers=tuple(
                (name, value) for name, values in model.proxy_connect_header.items() for value in values
            ),
        )

    def _source(self, text: str | None, file: str | None, *, named: str = "") -> Callable[[], str]:
        if file is not None:
            return functools.partial(_from_file, self._folder / file)
        if named and text:
            self._remember(named, text)
        return functools.partial(str, text or "")

    def _remember(self, name: str, value: str) -> None:
        self._secrets.append(Secret(name, value))

    def _path(self, written: str | None) -> Path | None:
        return self._folder / written if written is not None else None


def _from_file(path: Path) -> str:
    with path.open("rb") as stream:
        return stream.read(_LARGEST).decode("utf-8", "replace").strip()


def _basic(name: Callable[[], str], word: Callable[[], str]) -> str:
    return "Basic " + base64.b64encode(f"{name()}:{word()}".encode()).decode()


def _typed(kind: str, text: Callable[[], str]) -> str:
    return f"{kind} {text()}"


def _headers(sources: tuple[tuple[str, Callable[[], str]], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, source()) for name, source in sources)


def _header_matches(models: Iterable[HeaderMatchModel]) -> tuple[HeaderMatch, ...]:
    return tuple(
        HeaderMatch(header=each.header, pattern=each.regexp, allow_missing=each.allow_missing) for each in models
    )


def _turn(model: TurnModel) -> Turn:
    return Turn(
        expect=model.expect,
        expect_bytes=_bytes(model.expect_bytes),
        labels=tuple((label.name, label.value) for label in model.labels),
        send=_bytes(model.send),
        starttls=model.starttls,
    )


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""


def _rules(model: RecordRulesModel) -> RecordRules:
    return RecordRules(
        fail_if_matches=tuple(model.fail_if_matches_regexp),
        fail_if_all_match=tuple(model.fail_if_all_match_regexp),
        fail_if_not_matches=tuple(model.fail_if_not_matches_regexp),
        fail_if_none_matches=tuple(model.fail_if_none_matches_regexp),
    )
