"""Moments at the socket: the kernel's own stamps where it gives them, set against the clock that never steps."""

from __future__ import annotations

import socket
import struct
import sys
import time

_SO_TIMESTAMPING = 37
# SOF_TIMESTAMPING_… of linux/net_tstamp.h
_TX_SOFTWARE, _RX_SOFTWARE, _SOFTWARE, _TSONLY = 1 << 1, 1 << 3, 1 << 4, 1 << 11
_TIMESPEC = struct.Struct("@qq")
_ERROR_SPACE = 512
_NANOSECOND = 1e-9
_CONTROL = socket.CMSG_SPACE(3 * _TIMESPEC.size)
_STEP_NS = 2_000_000
_TOLERANCE = 0.001
_CALIBRATION_NS = 20_000
_TCP_INFO_SIZE = 104
_RTT = struct.Struct("@I")
_RTT_OFFSET = 68
_RETRANSMITS_OFFSET = 100

LINUX = sys.platform == "linux"
CONTROL_SIZE = _CONTROL if LINUX else 0
# Asks, beside the bytes of one ``sendmsg``, for a stamp of their departure.
STAMP_DEPARTURE = [(socket.SOL_SOCKET, _SO_TIMESTAMPING, struct.pack("@I", _TX_SOFTWARE))] if LINUX else []


def ask_for_stamps(sock: socket.socket) -> bool:
    """Ask the kernel to stamp what arrives, and say whether it will."""
    if not LINUX:
        return False
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, _RX_SOFTWARE | _SOFTWARE | _TSONLY)
    except OSError:
        return False
    return True


def round_trip(sock: socket.socket) -> float | None:
    """Return the seconds that the handshake of a fresh TCP connection took on the wire; none where it was repeated."""
    if not LINUX:
        return None
    try:
        facts = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_SIZE)
    except OSError:
        return None
    if len(facts) < _TCP_INFO_SIZE or _RTT.unpack_from(facts, _RETRANSMITS_OFFSET)[0]:
        return None
    microseconds: int = _RTT.unpack_from(facts, _RTT_OFFSET)[0]
    return microseconds * 1e-6 or None


class Timeline:
    """Converts the kernel's wall-clock stamps of one exchange into moments of the monotonic clock.

    The two clocks are set against each other at the start. Where the wall clock has stepped since, the stamps mean
    nothing any more: ``trusted`` is then false, and the moments at which we read the bytes count instead.
    """

    __slots__ = ("_made", "_offset", "trusted")

    def __init__(self) -> None:
        """Set the clocks against each other now."""
        self._offset, _ = _wall_minus_monotonic()
        self._made = time.monotonic()
        self.trusted = True

    def moment(self, ancillary: list[tuple[int, int, bytes]], now: float) -> float:
        """Return when the bytes arrived: the kernel's word where it is there and possible, else ``now``."""
        if not ancillary or not self.trusted:
            self.trusted = False
            return now
        seconds, nanoseconds = _TIMESPEC.unpack_from(ancillary[0][2])
        arrived: float = (seconds * 1_000_000_000 + nanoseconds - self._offset) * _NANOSECOND
        if self._made - _TOLERANCE <= arrived <= now + _TOLERANCE:
            return min(now, arrived)
        self.trusted = False
        return now

    def departure(self, sock: socket.socket, before: float) -> float | None:
        """Return when the bytes for which a stamp was asked left us, if the kernel says so already."""
        try:
            _, ancillary, _, _ = sock.recvmsg(1, _ERROR_SPACE, socket.MSG_ERRQUEUE)
        except OSError:
            return None
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPING and self.trusted:
                seconds, nanoseconds = _TIMESPEC.unpack_from(data)
                left: float = (seconds * 1_000_000_000 + nanoseconds - self._offset) * _NANOSECOND
                return left if before <= left <= time.monotonic() else None
        return None

    def confirm(self) -> bool:
        """Say whether the wall clock kept its distance, apart from the slow correction that time servers make."""
        if self.trusted:
            offset, doubt = _wall_minus_monotonic()
            self.trusted = abs(offset - self._offset) <= _STEP_NS + doubt
        return self.trusted


def _wall_minus_monotonic() -> tuple[int, int]:
    """Return the distance of the two clocks and how wrong it may be, in nanoseconds."""
    offset, doubt = 0, sys.maxsize
    for _ in range(3):
        before = time.monotonic_ns()
        wall = time.time_ns()
        after = time.monotonic_ns()
        if after - before < doubt:
            offset, doubt = wall - (before + after) // 2, after - before
        # Where another thread ran in between, the readings do not belong together.
        if doubt < _CALIBRATION_NS:
            break
    return offset, doubt
