"""Whose failure it is: the closed vocabulary of causes. ``docs/causes.md`` explains each."""

from __future__ import annotations

from enum import StrEnum


class Party(StrEnum):
    """On whose side something stands."""

    OWN = "own_infrastructure"
    THIRD_PARTY = "third_party"
    CLIENT = "client_environment"


class Cause(StrEnum):
    """Whose: the first level, and a metric label."""

    OWN_INFRASTRUCTURE = "own_infrastructure"
    THIRD_PARTY = "third_party"
    CLIENT_ENVIRONMENT = "client_environment"
    UNDETERMINED = "undetermined"


class Confidence(StrEnum):
    """How sure: by experiment or two independent families of evidence, or by one family alone."""

    CONFIRMED = "confirmed"
    PROBABLE = "probable"
    NONE = "none"


class Detail(StrEnum):
    """The second level of a cause."""

    OWN_DNS = "own.dns"
    OWN_CONNECT = "own.connect"
    OWN_TLS = "own.tls"
    OWN_HTTP_STATUS = "own.http_status"
    OWN_HTTP_PROTOCOL = "own.http_protocol"
    OWN_CONTENT = "own.content"
    OWN_SCRIPT = "own.script"
    OWN_POLICY = "own.policy"
    OWN_ACCESS = "own.access"
    OWN_SLOW_BACKEND = "own.slow_backend"
    OWN_SLOW_FRONTEND = "own.slow_frontend"
    OWN_SLOW_DELIVERY = "own.slow_delivery"

    TP_DNS = "tp.dns"
    TP_CONNECT = "tp.connect"
    TP_TLS = "tp.tls"
    TP_HTTP_STATUS = "tp.http_status"
    TP_HTTP_PROTOCOL = "tp.http_protocol"
    TP_CONTENT = "tp.content"
    TP_SCRIPT = "tp.script"
    TP_POLICY = "tp.policy"
    TP_ACCESS = "tp.access"
    TP_SLOW = "tp.slow"
    TP_EDGE = "tp.edge"
    TP_HOSTED = "tp.hosted"
    TP_PROVIDER = "tp.provider"
    TP_BACKEND_DEP = "tp.backend_dep"

    CLIENT_DNS = "client.dns"
    CLIENT_NETWORK = "client.network"
    CLIENT_PROXY = "client.proxy"
    CLIENT_TLS_INTERCEPTION = "client.tls_interception"
    CLIENT_CLOCK = "client.clock"
    CLIENT_DEVICE = "client.device"
    CLIENT_BROWSER = "client.browser"
    CLIENT_SLOW_LINK = "client.slow_link"
    CLIENT_ACCESS_POLICY = "client.access_policy"
    CLIENT_PROBER = "client.prober"

    UND_INSUFFICIENT = "und.insufficient"
    UND_NOT_REPRODUCED = "und.not_reproduced"
    UND_MULTIPLE_CAUSES = "und.multiple_causes"
    UND_PATH = "und.path"
    UND_SCRIPT_OR_APP_CHANGE = "und.script_or_app_change"
    UND_MONITOR_CONFIG = "und.monitor_config"
    UND_SHARED_RESPONSIBILITY = "und.shared_responsibility"
    UND_CONFLICT = "und.conflict"

    @property
    def cause(self) -> Cause:
        """Return the cause that this detail belongs to."""
        return _CAUSES[self.value.partition(".")[0]]


_CAUSES = {
    "own": Cause.OWN_INFRASTRUCTURE,
    "tp": Cause.THIRD_PARTY,
    "client": Cause.CLIENT_ENVIRONMENT,
    "und": Cause.UNDETERMINED,
}
