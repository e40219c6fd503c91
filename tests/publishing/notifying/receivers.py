"""Real receivers: a web server that answers as a test says, and a real mail server."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from monitor.config.receivers import EmailReceiver, WebhookReceiver
from monitor.domain.clock import SystemClock
from monitor.publishing.notifying.courier import CourierLimits
from tests.servers import free_port

# A try is broken off only where a test says so: a busy machine is slow, and that is no failure.
QUICK = CourierLimits(attempt=60.0, first_pause=0.01, longest_pause=0.02)
AUTHORITY = trustme.CA()
AUTHORITY_PEM = AUTHORITY.cert_pem.bytes().decode()


def a_message(**values: Any) -> dict[str, Any]:
    """A notification as data, as receivers are handed it."""
    return {
        "schema": "faultline.notification/v1",
        "id": "abc123",
        "group": "vendor:Example Pay",
        "status": "failing",
        "title": "Failing: Buy (checkout@shop/desktop): third party, Example Pay",
        "at": "2026-03-02T10:00:00.000Z",
        "since": "2026-03-02T09:58:00.000Z",
        "location": "here",
        "scope": "vendor",
        "journey": "checkout",
        "step": "pay",
        "cause": "third_party",
        "detail": "tp.connect",
        "confidence": "confirmed",
        "culprit": {"kind": "vendor", "name": "Example Pay", "host": "pay.example.net"},
        "because": "pay.example.net refuses connections ✓ and the step needs it.",
        "run_id": "run-1",
        "run_url": "https://faultline.example.org/runs/run-1",
        "checks": [{"check": "checkout@shop/desktop", "journey": "checkout"}],
        "checks_left_out": 0,
        **values,
    }


class Hook:
    """A web server that keeps what is posted, and answers with the next status that a test has laid out, else 204."""

    def __init__(self, *, tls: bool = False) -> None:
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.answers: list[int] = []
        self.arrived = threading.Semaphore(0)
        self.release = threading.Event()
        self.release.set()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                hook.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                hook.arrived.release()
                hook.release.wait(30)
                status = hook.answers.pop(0) if hook.answers else 204
                self.send_response(status)
                if status == 302:
                    self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self._server.server_port}/hook?room=7"

    @property
    def bodies(self) -> list[Any]:
        return [body for _, _, body in self.requests]

    def receiver(self, name: str = "oncall", **values: Any) -> WebhookReceiver:
        return WebhookReceiver(**{"name": name, "url": self.url, **values})

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Mailbox:
    """A handler of aiosmtpd that keeps letters, and refuses a receiver where a test says so."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.refusals: list[str] = []
        self.hangs_up = False
        self.arrived = threading.Semaphore(0)

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.hangs_up:
            server.transport.abort()
        return "221 Bye"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        self.letters.append((session.ssl is not None, envelope))
        self.arrived.release()
        return "250 OK"


def _password_is_right(server: SMTP, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
    right = (data.login, data.password) == (b"faultline", b"secret-4711")
    return AuthResult(success=right, handled=right)


@contextmanager
def mail_server(mailbox: Mailbox, *, security: str, signing_in: bool = False) -> Iterator[EmailReceiver]:
    """A mail server on this machine, and a receiver that is told through it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(context)
    options: dict[str, Any] = {"hostname": "localhost"}
    if signing_in:
        options |= {"authenticator": _password_is_right, "auth_required": True, "auth_require_tls": security != "none"}
    if security == "tls":
        options |= {"ssl_context": context, "auth_require_tls": False}
    if security == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    port = free_port()
    # Not the five seconds that it has by itself: a busy machine may need more.
    controller = Controller(mailbox, port=port, ready_timeout=60.0, **options)
    controller.start()
    try:
        yield EmailReceiver(
            name="people",
            to=("a@example.org", "b@example.org"),
            sender="faultline@example.org",
            host="localhost",
            port=port,
            extra_ca=AUTHORITY_PEM,
        )
    finally:
        controller.stop()


CLOCK = SystemClock()
