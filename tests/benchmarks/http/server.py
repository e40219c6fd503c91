"""A server that answers after a fixed delay and records, by the kernel's clock, how long each answer took.

Usage: ``server.py DELAY_SECONDS [CERTIFICATE_PEM]``. It prints its port; at the end of its input it prints one line
of JSON: request id to the nanoseconds between arrival and answer.
"""

from __future__ import annotations

import gc
import heapq
import json
import os
import select
import socket
import ssl
import struct
import sys
import time

SO_TIMESTAMPNS = 35
SO_TIMESTAMPING = 37
# SOF_TIMESTAMPING_TX_SOFTWARE, _SOFTWARE and _OPT_TSONLY.
TX_STAMPS = 1 << 1 | 1 << 4 | 1 << 11
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
TIMESPEC = struct.Struct("@qq")


class Peer:
    def __init__(self, sock: socket.socket, context: ssl.SSLContext | None) -> None:
        self.sock = sock
        self.arrived = 0
        self.head = b""
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True) if context else None
        self.greeted = context is None

    def receive(self) -> bool:
        """Take in what is there; say whether the peer is still connected."""
        while True:
            try:
                data, ancillary, _, _ = self.sock.recvmsg(65536, 64)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            seconds, nanoseconds = TIMESPEC.unpack(ancillary[0][2])
            self.arrived = seconds * 1_000_000_000 + nanoseconds
            self.take(data)

    def take(self, data: bytes) -> None:
        if self.tls is None:
            self.head += data
            return
        self.incoming.write(data)
        try:
            if not self.greeted:
                self.tls.do_handshake()
                self.greeted = True
            self.head += self.tls.read(65536)
        except ssl.SSLWantReadError:
            pass
        self.flush()

    def flush(self) -> None:
        if self.outgoing.pending:
            self.sock.send(self.outgoing.read())

    def answer(self) -> int:
        data = REPLY
        if self.tls is not None:
            self.tls.write(REPLY)
            data = self.outgoing.read()
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, TX_STAMPS)
        now = time.time_ns()
        self.sock.send(data)
        stamped = self.sent() or now
        self.sock.close()
        return stamped

    def sent(self) -> int | None:
        """Return when the kernel handed the answer to the network; on loopback it knows at once."""
        try:
            _, ancillary, _, _ = self.sock.recvmsg(1, 512, socket.MSG_ERRQUEUE)
        except BlockingIOError:
            return None
        for _, kind, data in ancillary:
            if kind == SO_TIMESTAMPING:
                seconds, nanoseconds = TIMESPEC.unpack_from(data)
                return seconds * 1_000_000_000 + nanoseconds
        return None


def main() -> None:
    delay = int(float(sys.argv[1]) * 1e9)
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    print(listener.getsockname()[1], flush=True)
    keeper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    keeper.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    gc.disable()
    records = Server(listener, context, delay).run()
    print(json.dumps(records), flush=True)


class Server:
    """One event loop for everything: what is due is answered, what arrives is taken in."""

    def __init__(self, listener: socket.socket, context: ssl.SSLContext | None, delay: int) -> None:
        self.listener = listener
        self.context = context
        self.delay = delay
        self.epoll = select.epoll()
        self.epoll.register(listener.fileno(), select.EPOLLIN)
        self.epoll.register(0, select.EPOLLIN)
        self.peers: dict[int, Peer] = {}
        self.due: list[tuple[int, int, Peer, str]] = []
        self.records: dict[str, int] = {}
        self.count = 0

    def run(self) -> dict[str, int]:
        while True:
            now = time.time_ns()
            while self.due and self.due[0][0] <= now:
                self.answer()
            timeout = max(0.0, (self.due[0][0] - now) / 1e9 - 0.0005) if self.due else 1.0
            for descriptor, _ in self.epoll.poll(timeout, 64):
                if descriptor == 0:
                    if not os.read(0, 1000):
                        return self.records
                elif descriptor == self.listener.fileno():
                    self.accept()
                else:
                    self.receive(descriptor)

    def answer(self) -> None:
        _, _, peer, name = heapq.heappop(self.due)
        self.peers.pop(peer.sock.fileno(), None)
        try:
            self.records[name] = peer.answer() - peer.arrived
        except OSError:
            peer.sock.close()

    def accept(self) -> None:
        for _ in range(64):
            try:
                sock, _ = self.listener.accept()
            except BlockingIOError:
                return
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.peers[sock.fileno()] = Peer(sock, self.context)
            self.epoll.register(sock.fileno(), select.EPOLLIN)

    def receive(self, descriptor: int) -> None:
        peer = self.peers.get(descriptor)
        if peer is None:
            return
        if not peer.receive():
            self.peers.pop(descriptor, None)
            peer.sock.close()
        elif b"\r\n\r\n" in peer.head:
            name, peer.head = identify(peer.head), b""
            self.count += 1
            heapq.heappush(self.due, (peer.arrived + self.delay, self.count, peer, name))


def identify(head: bytes) -> str:
    """Return the id of a request: the ``id`` of its query, or its trace context."""
    target = head.split(b" ", 2)[1]
    if b"?id=" in target:
        return target.partition(b"?id=")[2].decode()
    return head.partition(b"traceparent: ")[2].partition(b"\r\n")[0].decode()


if __name__ == "__main__":
    main()
