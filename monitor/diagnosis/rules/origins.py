"""What a direct look at the origin behind an edge tells: many let in nobody but their edge, and fail all others."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.diagnosis.rules.controls import ISSUERS
from monitor.diagnosis.trials import Layer, layer_of
from monitor.domain.cause import Detail
from monitor.domain.exchange import Exchange

REFUSALS = frozenset({401, 403, 429})
_CLIENT_ERROR = 400
_SERVER_ERROR = 500
_LAYERS: Mapping[Detail, Layer] = {
    Detail.OWN_DNS: Layer.DNS,
    Detail.OWN_CONNECT: Layer.CONNECT,
    Detail.OWN_TLS: Layer.TLS,
    Detail.OWN_HTTP_STATUS: Layer.HTTP,
    Detail.OWN_HTTP_PROTOCOL: Layer.HTTP,
}


def fails_for_everybody(end: Exchange, exchange: Exchange) -> bool:
    """Say whether an origin took our request and failed as its edge did, so that it failed its edge as well.

    A firewall that knows the edge alone refuses us or is silent, a certificate that the edge alone trusts is unknown to
    us, and what is asked for by address may be refused or not be found: all that is so while the origin is well.
    """
    if layer_of(end) is not Layer.HTTP or layer_of(exchange) is not Layer.HTTP or end.status in REFUSALS:
        return False
    return not _is_of_the_request(end) or _is_of_the_request(exchange)


def agrees(end: Exchange, said: Detail) -> bool:
    """Say whether an origin fails us in the layer in which its edge says that it fails."""
    if end.failure in ISSUERS or end.status in REFUSALS:
        return False
    return layer_of(end) is _LAYERS.get(said)


def _is_of_the_request(exchange: Exchange) -> bool:
    return exchange.status is not None and _CLIENT_ERROR <= exchange.status < _SERVER_ERROR
