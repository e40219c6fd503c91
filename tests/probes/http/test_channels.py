from __future__ import annotations

import asyncio
import socket

from monitor.probes.http.channels import Channel, Reactor
from monitor.probes.vantage.stamps import Timeline
from tests.probes.http.fault_server import FaultServer, reply


async def test_closing_a_channel_twice_leaves_the_next_one_with_its_number_alone(server: FaultServer):
    server.routes["/"] = reply(b"heard")
    reactor = Reactor(asyncio.get_running_loop())
    try:
        first = Channel(reactor, socket.AF_INET, Timeline())
        await first.connect("127.0.0.1", server.port)
        first.close()
        second = Channel(reactor, socket.AF_INET, Timeline())
        assert second._descriptor == first._descriptor
        await second.connect("127.0.0.1", server.port)
        first.close()
        await second.send(b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(10):
            assert b"heard" in await second.receive()
    finally:
        reactor.close()
