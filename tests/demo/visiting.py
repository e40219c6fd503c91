"""A visitor of the demo shop who needs no browser and no name service."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from monitor.demo import Shop


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str

    def json(self) -> dict:
        return json.loads(self.body)


class _Connection(http.client.HTTPSConnection):
    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        try:
            self.sock = self._context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


@dataclass
class Visitor:
    """Trusts the shop's certificates and nothing else; keeps the cookies of each host."""

    shop: Shop
    timeout: float = 10
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tls = ssl.create_default_context(cadata=self.shop.ca_pem)

    async def get(self, host: str, path: str = "/", **headers: str) -> Answer:
        return await asyncio.to_thread(self._ask, "GET", host, path, None, headers)

    async def send(self, host: str, path: str, document: dict, **headers: str) -> Answer:
        headers = {"Content-Type": "application/json", **headers}
        return await asyncio.to_thread(self._ask, "POST", host, path, json.dumps(document).encode(), headers)

    async def submit(self, host: str, path: str, fields: dict[str, str], **headers: str) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return await asyncio.to_thread(self._ask, "POST", host, path, urlencode(fields).encode(), headers)

    async def certificate(self, host: str) -> dict:
        return await asyncio.to_thread(self._certificate, host)

    def _certificate(self, host: str) -> dict:
        parts = urlsplit(self.shop.url(host))
        with (
            socket.create_connection(("127.0.0.1", parts.port), self.timeout) as plain,
            self._tls.wrap_socket(plain, server_hostname=parts.hostname) as secured,
        ):
            return secured.getpeercert()

    def _ask(self, method: str, host: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        parts = urlsplit(self.shop.url(host))
        if parts.scheme == "https":
            connection = _Connection(parts.hostname, parts.port, timeout=self.timeout, context=self._tls)
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=self.timeout)
        jar = self.cookies.setdefault(host, {})
        if jar:
            headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items()), **headers}
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            for line in answer.headers.get_all("set-cookie", []):
                name, _, value = line.partition(";")[0].partition("=")
                jar[name] = value
            lowered = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(status=answer.status, headers=lowered, body=answer.read().decode("utf-8", "replace"))
        finally:
            connection.close()


async def arrival(shop: Shop) -> None:
    for _ in range(500):
        if shop.connections("shop"):
            return
        await asyncio.sleep(0.01)
    msg = "nobody came"
    raise AssertionError(msg)
