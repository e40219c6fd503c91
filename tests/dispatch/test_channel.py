from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from monitor.dispatch.channel import LARGEST_FRAME, Channel
from monitor.dispatch.messages import Kind


class Ear:
    """Notes what one end of a channel hears."""

    def __init__(self) -> None:
        self.frames: list[tuple[Kind, bytes]] = []
        self.heard = asyncio.Condition()
        self.ended = asyncio.Event()

    def hear(self, kind: Kind, value: memoryview) -> None:
        self.frames.append((kind, bytes(value)))

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.frames) < count:  # noqa: ASYNC110 - frames are heard outside any coroutine
                await asyncio.sleep(0.001)


@pytest.fixture
async def ends():
    one, other = socket.socketpair()
    ear = Ear()
    channel = await Channel.over(one, hear=ear.hear, ended=ear.ended.set)
    other.setblocking(False)
    yield channel, ear, other
    channel.close()
    other.close()
    await asyncio.wait_for(ear.ended.wait(), 5)


async def test_frames_arrive_whole_and_in_order_however_the_bytes_are_cut(ends):
    _, ear, other = ends
    wire = b"".join(
        struct.pack(">IB", len(value), Kind.TOLD) + value for value in (b"", b"one", b"x" * 300_000, b"last")
    )
    loop = asyncio.get_running_loop()
    for start in range(0, len(wire), 7_919):
        await loop.sock_sendall(other, wire[start : start + 7_919])
        await asyncio.sleep(0)
    await ear.until(4)
    assert [len(value) for _, value in ear.frames] == [0, 3, 300_000, 4]
    assert ear.frames[-1] == (Kind.TOLD, b"last")


async def test_what_is_sent_in_one_turn_leaves_together(ends):
    channel, _, other = ends
    for _ in range(100):
        channel.send(Kind.TOLD, b"abc")
    data = await asyncio.get_running_loop().sock_recv(other, 100_000)
    assert data == (struct.pack(">IB", 3, Kind.TOLD) + b"abc") * 100


@pytest.mark.parametrize("header", [struct.pack(">IB", LARGEST_FRAME + 1, Kind.TOLD), struct.pack(">IB", 1, 99)])
async def test_a_frame_that_is_too_large_or_of_no_known_kind_ends_the_channel(ends, header):
    _, ear, other = ends
    await asyncio.get_running_loop().sock_sendall(other, header + b"x")
    await asyncio.wait_for(ear.ended.wait(), 5)
    assert ear.frames == []


async def test_the_end_of_the_other_side_is_noticed(ends):
    _, ear, other = ends
    other.close()
    await asyncio.wait_for(ear.ended.wait(), 5)
