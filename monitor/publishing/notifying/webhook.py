"""A webhook: a notification posted as JSON."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any
from urllib.parse import urlsplit

import monitor
from monitor.config.receivers import WebhookReceiver
from monitor.domain.secret import Secret
from monitor.publishing.notifying.delivery import DeliveryError, cut, reason_of, trust

_TIMEOUT = 10.0
_GOOD = range(200, 300)
_REFUSED = range(300, 500)
# The receiver is busy, or had no time: it may take the same message later.
_LATER = frozenset({408, 425, 429})


class Webhook:
    """Posts to one address. Redirects are not followed, so that the headers go nowhere else."""

    def __init__(self, receiver: WebhookReceiver) -> None:
        """Prepare the way."""
        url = receiver.url.reveal() if isinstance(receiver.url, Secret) else receiver.url
        self._parts = urlsplit(url)
        self._headers = {name: value.reveal() for name, value in receiver.headers}
        self._context = trust(receiver.extra_ca) if self._parts.scheme == "https" else None

    def delivery(self, data: dict[str, Any]) -> _Post:
        """Return a try to post a notification."""
        parts = self._parts
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": f"Faultline/{monitor.__version__}",
            "idempotency-key": data["id"],
            **self._headers,
        }
        body = json.dumps(data, ensure_ascii=False).encode("utf-8", "replace")
        return _Post(_connection(parts.hostname or "", parts.port, self._context), path, headers, body)


def _connection(host: str, port: int | None, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
    if context is None:
        return http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT, context=context)


class _Post:
    def __init__(self, connection: http.client.HTTPConnection, path: str, headers: dict[str, str], body: bytes) -> None:
        self._connection = connection
        self._path, self._headers, self._body = path, headers, body

    def send(self) -> None:
        """Post, and look at the status alone."""
        try:
            self._connection.request("POST", self._path, body=self._body, headers=self._headers)
            status = self._connection.getresponse().status
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise DeliveryError(reason_of(error)) from None
        finally:
            self._connection.close()
        if status not in _GOOD:
            lasting = status in _REFUSED and status not in _LATER
            msg = f"it answered {status}"
            raise DeliveryError(msg, lasting=lasting)

    def abort(self) -> None:
        """End the connection."""
        cut(self._connection.sock)
