"""The model of a file of modules, as the blackbox exporter's ``blackbox.yml`` has them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitor.config.blackbox_parts import (
    Base2Size,
    Expression,
    HeaderName,
    HeaderValue,
    HttpVersion,
    QueryClass,
    QueryType,
    Rcode,
    SourceAddress,
    TlsVersionName,
    accepts,
    refusing,
)
from monitor.reading.names import PathText
from monitor.reading.problem import quoted
from monitor.reading.quantities import Duration
from monitor.reading.validation import FileModel

_ELSEWHERE = "remove the module here, and keep the blackbox exporter for it"
_PROBERS = ("http", "tcp", "dns")
_OTHER_PROBERS = ("icmp", "grpc", "unix")

IpProtocol = Literal["ip4", "ip6"]


def check_prober(value: object) -> str:
    """Return the name of a prober. Raises ValueError for one that does not exist here."""
    if isinstance(value, str) and value in _PROBERS:
        return value
    if value in _OTHER_PROBERS:
        msg = f"the prober {quoted(value)} is not supported; {_ELSEWHERE}"
        raise ValueError(msg)
    msg = f"{quoted(value)} is not one of {', '.join(_PROBERS)}"
    raise ValueError(msg)


def check_proxy_url(value: str) -> str:
    """Return the URL of a proxy as it is. Raises ValueError, without the URL, for what cannot be used."""
    try:
        parts = urlsplit(value)
        fit = parts.scheme == "http" and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fit = False
    if not fit:
        msg = "a proxy is known by http://host:port only; https and socks are not supported"
        raise ValueError(msg)
    return value


class TlsConfigModel(FileModel):
    """How a client shows itself over TLS, and whom it trusts."""

    ca: str | None = Field(default=None, description="Authorities in PEM form, in place of the public ones.")
    ca_file: PathText | None = Field(default=None, description="The same, from a file.")
    cert_file: PathText | None = Field(default=None, description="The client's certificate in PEM form.")
    key_file: PathText | None = Field(default=None, description="Its key in PEM form.")
    cert: Annotated[Any, refusing("put the certificate into a file and name it in 'cert_file'")] = None
    key: Annotated[Any, refusing("put the key into a file and name it in 'key_file'")] = None
    server_name: str | None = Field(default=None, description="The name to ask for and to find in the certificate.")
    insecure_skip_verify: bool = Field(default=False, description="Whether any certificate will do.")
    min_version: TlsVersionName | None = Field(default=None, description="The lowest version; TLS12 by default.")
    max_version: TlsVersionName | None = Field(default=None, description="The highest version.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.ca is not None and self.ca_file is not None:
            msg = "has both 'ca' and 'ca_file'; keep one"
            raise ValueError(msg)
        if (self.cert_file is None) != (self.key_file is None):
            msg = "needs both 'cert_file' and 'key_file', or neither"
            raise ValueError(msg)
        return self


class BasicAuthModel(FileModel):
    """User name and password."""

    username: str | None = Field(default=None, description="The user name.")
    username_file: PathText | None = Field(default=None, description="A file that holds it.")
    password: str | None = Field(default=None, description="The password.")
    password_file: PathText | None = Field(default=None, description="A file that holds it.")

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if self.username is not None and self.username_file is not None:
            msg = "has both 'username' and 'username_file'; keep one"
            raise ValueError(msg)
        if self.password is not None and self.password_file is not None:
            msg = "has both 'password' and 'password_file'; keep one"
            raise ValueError(msg)
        return self


class AuthorizationModel(FileModel):
    """Credentials of another type."""

    type: str = Field(default="Bearer", description="The type of the credentials.")
    credentials: HeaderValue | None = Field(default=None, description="The credentials.")
    credentials_file: PathText | None = Field(default=None, description="A file that holds them.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.credentials is not None and self.credentials_file is not None:
            msg = "has both 'credentials' and 'credentials_file'; keep one"
            raise ValueError(msg)
        if self.type.strip().lower() == "basic":
            msg = "the type 'basic' belongs into 'basic_auth'"
            raise ValueError(msg)
        return self


class HeaderSourceModel(FileModel):
    """Where the values of a header come from."""

    values: list[HeaderValue] = Field(default_factory=list, description="Values that anybody may see.")
    secrets: list[HeaderValue] = Field(default_factory=list, description="Values that nobody may see.")
    files: list[PathText] = Field(default_factory=list, description="Files that hold one value each.")


class HeaderMatchModel(FileModel):
    """A header and what its values are held against."""

    header: HeaderName = Field(description="The name of the header.")
    regexp: Expression = Field(description="The expression.")
    allow_missing: bool = Field(default=False, description="Whether the header may be missing.")


class HttpModel(FileModel):
    """The options of the prober ``http``."""

    valid_status_codes: list[int] = Field(default_factory=list, description="Any of 200 to 299 where it is empty.")
    valid_http_versions: list[HttpVersion] = Field(default_factory=list, description="Any where it is empty.")
    preferred_ip_protocol: IpProtocol = Field(default="ip6", description="The kind of address to prefer.")
    ip_protocol_fallback: bool = Field(default=True, description="Whether the other kind will do.")
    skip_resolve_phase_with_proxy: bool = Field(default=False, description="Whether a proxy looks up the name.")
    no_follow_redirects: bool | None = Field(default=None, description="The old name of not follow_redirects.")
    follow_redirects: bool = Field(default=True, description="Whether redirects are followed, at most ten.")
    fail_if_ssl: bool = Field(default=False, description="Whether TLS is a failure.")
    fail_if_not_ssl: bool = Field(default=False, description="Whether no TLS is a failure.")
    method: HeaderName = Field(default="GET", description="The method.")
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict, description="Headers to send.")
    http_headers: dict[HeaderName, HeaderSourceModel] = Field(
        default_factory=dict, description="Headers to send, also from files."
    )
    fail_if_body_matches_regexp: list[Expression] = Field(default_factory=list, description="None may match.")
    fail_if_body_not_matches_regexp: list[Expression] = Field(default_factory=list, description="All must match.")
    fail_if_header_matches: list[HeaderMatchModel] = Field(default_factory=list, description="None may match.")
    fail_if_header_not_matches: list[HeaderMatchModel] = Field(default_factory=list, description="All must match.")
    body: str | None = Field(default=None, description="The body to send.")
    body_file: PathText | None = Field(default=None, description="A file that holds it.")
    compression: Literal["", "identity", "gzip", "br", "deflate"] = Field(
        default="", description="How the body must be compressed."
    )
    body_size_limit: Base2Size = Field(default=0, description="The largest body, after decompression.")
    basic_auth: BasicAuthModel | None = Field(default=None, description="User name and password.")
    authorization: AuthorizationModel | None = Field(default=None, description="Other credentials.")
    bearer_token: HeaderValue | None = Field(default=None, description="A bearer token.")
    bearer_token_file: PathText | None = Field(default=None, description="A file that holds it.")
    tls_config: TlsConfigModel = Field(default_factory=TlsConfigModel, description="How to encrypt.")
    enable_http2: bool = Field(default=True, description="Whether HTTP/2 is offered.")
    proxy_url: Annotated[str, AfterValidator(check_proxy_url)] | None = Field(
        default=None, description="The proxy, as `http://host:port`."
    )
    no_proxy: str | None = Field(default=None, description="Hosts that are reached without it, with commas between.")
    proxy_connect_header: dict[HeaderName, list[HeaderValue]] = Field(
        default_factory=dict, description="Headers that are sent to the proxy when it is asked for a tunnel."
    )
    proxy_from_environment: Annotated[bool, BeforeValidator(lambda value: _only(value, False, _NO_ENVIRONMENT))] = False
    enable_http3: Annotated[bool, BeforeValidator(lambda value: _only(value, False, _NO_HTTP3))] = False
    oauth2: Annotated[Any, refusing(f"OAuth 2 is not supported; {_ELSEWHERE}")] = None
    fail_if_body_json_matches_cel: Annotated[Any, refusing(f"CEL is not supported; {_ELSEWHERE}")] = None
    fail_if_body_json_not_matches_cel: Annotated[Any, refusing(f"CEL is not supported; {_ELSEWHERE}")] = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for message in (_credentials_problem(self), _body_problem(self), _encoding_problem(self)):
            if message:
                raise ValueError(message)
        return self


_NO_HTTP3 = f"HTTP/3 is not supported; {_ELSEWHERE}"
_NO_ENVIRONMENT = "proxies of the environment are not looked for; write the proxy into 'proxy_url'"


def _only(value: object, wanted: object, reason: str) -> object:
    if value != wanted:
        raise ValueError(reason)
    return value


def _credentials_problem(model: HttpModel) -> str | None:
    kinds = {
        "basic_auth": model.basic_auth,
        "authorization": model.authorization,
        "bearer_token": model.bearer_token,
        "bearer_token_file": model.bearer_token_file,
    }
    given = [name for name, value in kinds.items() if value is not None]
    return f"has both '{given[0]}' and '{given[1]}'; keep one" if len(given) > 1 else None


def _body_problem(model: HttpModel) -> str | None:
    return "has both 'body' and 'body_file'; keep one" if model.body and model.body_file else None


def _encoding_problem(model: HttpModel) -> str | None:
    asked = next((value for name, value in model.headers.items() if name.lower() == "accept-encoding"), "")
    if model.compression and asked and not accepts(model.compression, asked):
        return f"wants the compression '{model.compression}' but does not ask for it in the header Accept-Encoding"
    return None


class LabelModel(FileModel):
    """What of a match is told."""

    name: Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")] = Field(description="The name of the label.")
    value: str = Field(default="", description="Its value; `${1}` is what the first group caught.")


class TurnModel(FileModel):
    """One turn of a conversation."""

    expect: Expression | None = Field(default=None, description="Lines are read until one matches.")
    expect_bytes: str | bytes | None = Field(default=None, description="The bytes that must come next.")
    labels: list[LabelModel] = Field(default_factory=list, description="What of the match is told.")
    send: str | bytes | None = Field(default=None, description="What is sent, with a line end behind it.")
    starttls: bool = Field(default=False, description="Whether the connection is encrypted from here on.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.expect is not None and self.expect_bytes:
            msg = "has both 'expect' and 'expect_bytes'; keep one"
            raise ValueError(msg)
        return self


class TcpModel(FileModel):
    """The options of the prober ``tcp``."""

    preferred_ip_protocol: IpProtocol = Field(default="ip6", description="The kind of address to prefer.")
    ip_protocol_fallback: bool = Field(default=True, description="Whether the other kind will do.")
    source_ip_address: SourceAddress | None = Field(default=None, description="The address to speak from.")
    query_response: list[TurnModel] = Field(default_factory=list, description="The conversation, turn by turn.")
    tls: bool = Field(default=False, description="Whether the connection is encrypted from the start.")
    tls_config: TlsConfigModel = Field(default_factory=TlsConfigModel, description="How to encrypt.")


class RecordRulesModel(FileModel):
    """What the records of a section are held against."""

    fail_if_matches_regexp: list[Expression] = Field(default_factory=list, description="No record may match.")
    fail_if_all_match_regexp: list[Expression] = Field(default_factory=list, description="Every record must match.")
    fail_if_not_matches_regexp: list[Expression] = Field(default_factory=list, description="Every record must match.")
    fail_if_none_matches_regexp: list[Expression] = Field(default_factory=list, description="Some record must match.")


class DnsModel(FileModel):
    """The options of the prober ``dns``."""

    preferred_ip_protocol: IpProtocol = Field(default="ip6", description="The kind of address to prefer.")
    ip_protocol_fallback: bool = Field(default=True, description="Whether the other kind will do.")
    dns_over_tls: bool = Field(default=False, description="Whether the question is encrypted.")
    tls_config: TlsConfigModel = Field(default_factory=TlsConfigModel, description="How to encrypt.")
    source_ip_address: SourceAddress | None = Field(default=None, description="The address to ask from.")
    transport_protocol: Literal["udp", "tcp"] = Field(default="udp", description="How to ask.")
    query_class: QueryClass = Field(default="IN", description="The class that is asked for.")
    query_name: str = Field(min_length=1, max_length=255, description="The name that is asked for.")
    query_type: QueryType = Field(default="ANY", description="The type of record that is asked for.")
    recursion_desired: bool = Field(default=True, description="Whether the server may ask others.")
    valid_rcodes: list[Rcode] | None = Field(default=None, description="NOERROR where it is left out.")
    validate_answer_rrs: RecordRulesModel = Field(default_factory=RecordRulesModel, description="The answer.")
    validate_authority_rrs: RecordRulesModel = Field(default_factory=RecordRulesModel, description="The authority.")
    validate_additional_rrs: RecordRulesModel = Field(default_factory=RecordRulesModel, description="The rest.")

    @model_validator(mode="after")
    def _encrypted_by_stream(self) -> Self:
        if self.dns_over_tls and self.transport_protocol != "tcp":
            msg = "'dns_over_tls' needs 'transport_protocol: tcp'"
            raise ValueError(msg)
        return self


class ModuleModel(FileModel):
    """One module."""

    prober: Annotated[Literal["http", "tcp", "dns"], BeforeValidator(check_prober)] = Field(
        description="The technique."
    )
    timeout: Duration | None = Field(default=None, description="How long a probe may take.")
    http: HttpModel | None = Field(default=None, description="The options of the prober http.")
    tcp: TcpModel | None = Field(default=None, description="The options of the prober tcp.")
    dns: DnsModel | None = Field(default=None, description="The options of the prober dns.")
    icmp: Annotated[Any, refusing(f"the prober 'icmp' is not supported; {_ELSEWHERE}")] = None
    grpc: Annotated[Any, refusing(f"the prober 'grpc' is not supported; {_ELSEWHERE}")] = None
    unix: Annotated[Any, refusing(f"the prober 'unix' is not supported; {_ELSEWHERE}")] = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        others = [name for name in _PROBERS if name != self.prober and getattr(self, name) is not None]
        if others:
            msg = f"has options of '{others[0]}', which the prober '{self.prober}' does not look at; remove them"
            raise ValueError(msg)
        if self.prober == "dns" and self.dns is None:
            msg = "needs 'dns' with at least 'query_name'"
            raise ValueError(msg)
        return self


class ModulesModel(FileModel):
    """Everything that a file of modules may say."""

    modules: dict[str, ModuleModel] = Field(min_length=1, description="The modules by name.")
