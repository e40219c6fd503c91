"""Evidence and judgement as bytes: what is kept of a run beside its figures, and in what form.

Every run keeps *lean* evidence next to its figures: attempts with their steps, vitals, the health of the vantage,
experiments, artifacts and truncations. Everything is kept, apart from that, of each run that did not plainly pass
(failed, degraded, inconclusive, recovered, with collateral or experiments), and of one passed run of each check in
some hours, as a picture of what good looks like.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

from monitor.domain.evidence import Evidence
from monitor.domain.outcome import Outcome
from monitor.domain.run import Judgement, Run
from monitor.execution.wire import Codec, WireError

_RAW = b"\x00"
_DEFLATED = b"\x01"
_LARGE = 2048

# What lean bodies have in common, so that one takes some dozen bytes. It is part of the stored form and must never
# change: another dictionary needs another first byte.
_COMMON = (
    b"\x82\xa8evidence\xde\x00\x10\xa6schema\x01\xaastarted_at\xd6\xffi\xa5_\xa0\xa8duration\xcb?\xf0\x00\x00\x00\x00\x00"
    b"\xa8attempts\x91\x87\xa6number\x01\xa7outcome\xa6failed\xa8degraded\xacinconclusive\xabnot_reached\xa6passed"
    b"\xa7started\xcb\x00\x00\x00\x00\x00\x00\x00\x00\xa8duration\xcb?\xc9\x99\x99\x99\x99\x99\x9a\xa5steps\x92"
    b"\x89\xa4name\xa4open\xa5title\xa4Open\xa7outcome\xa6passed\xa7started\xcb?\x84\xa8duration\xcb?\xc9"
    b"\xaacapability\xc0\xa6budget\xc0\xa7effects\xc2\xa5error\xc0\x89\xa4name\xa4open\xa5title\xa4Open"
    b"\xacprober_fault\xc0\xb1prober_fault_text\xa0\xa9exchanges\x90\xa7console\x90\xabpage_errors\x90"
    b"\xaawebsockets\x90\xa6events\x90\xa6vitals\x87\xb8largest_contentful_paint\xcb?\xb6first_contentful_paint\xcb?"
    b"\xb2time_to_first_byte\xcb?\xb9interaction_to_next_paint\xcb?\xb7cumulative_layout_shift\xcb?\xaalong_tasks"
    b"\xb1long_task_seconds\xcb?\xa9artifacts\x91\x84\xa4kind\xaascreenshot\xa4name\xa4size\xa4step\xa0"
    b"\xa6vitals\xc0\xa7vantage\x89\xacloop_lag_p50\xcb?P\xacloop_lag_max\xcb?\x84\xaccpu_pressure\xcb?\xd3"
    b"\xafmemory_pressure\xcb\x00\x00\x00\x00\x00\x00\x00\x00\xafthrottled_ratio\xc0\xafdisk_free_bytes\xcf"
    b"\xadbrowser_alive\xc0\xa9oom_kills\xc0\xadclock_stepped\xc0"
    b"\xa7vantage\x89\xacloop_lag_p50\xc0\xacloop_lag_max\xc0\xaccpu_pressure\xc0\xafmemory_pressure\xc0"
    b"\xafthrottled_ratio\xc0\xafdisk_free_bytes\xc0\xadbrowser_alive\xc0\xa9oom_kills\xc0\xadclock_stepped\xc0"
    b"\xabexperiments\x90\xa9artifacts\x90\xa9truncated\x90\xa6engine\xa4http\xa6worker\xa6http-1"
    b"\xa9judgement\x85\xa7outcome\xa6passed\xa8validity\xa5valid\xa9diagnosis\xc0\xaacollateral\x90\xa7timings\x90"
    b"\x92\xb2own_infrastructure\xcb?\x92\xabthird_party\xcb?\x92\xb2client_environment\xcb?"
)
_WINDOW = -11


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What one row of bytes holds."""

    evidence: Evidence
    judgement: Judgement


class BodyCodec:
    """Turns evidence and judgement into few bytes and back."""

    def __init__(self) -> None:
        """Prepare the codec that workers and history share."""
        self._codec = Codec()

    def lean(self, run: Run) -> bytes:
        """Return the part of a run that is kept of every run."""
        return self._pack(Body(evidence=_stripped(run.evidence), judgement=_stripped_judgement(run.judgement)))

    def full(self, run: Run) -> bytes:
        """Return everything there is about a run."""
        return self._pack(Body(evidence=run.evidence, judgement=run.judgement))

    def read(self, data: bytes) -> Body:
        """Return what bytes hold, of whatever form they are. Raises WireError where they hold nothing of ours."""
        match data[:1]:
            case b"\x00":
                plain = data[1:]
            case b"\x01":
                plain = _inflate(data[1:])
            case form:
                msg = f"evidence is in the form {form!r}, which this program does not know; a newer one wrote it"
                raise WireError(msg)
        return self._codec.decode(plain, Body)

    def _pack(self, body: Body) -> bytes:
        plain = self._codec.encode(body)
        # A small window is set up in no time, which is what counts for a thousand small bodies; large ones earn more.
        level, window, memory = (1, _WINDOW, 4) if len(plain) < _LARGE else (6, -zlib.MAX_WBITS, 8)
        deflate = zlib.compressobj(level, zlib.DEFLATED, window, memory, zlib.Z_DEFAULT_STRATEGY, _COMMON)
        packed = deflate.compress(plain) + deflate.flush()
        return _DEFLATED + packed if len(packed) < len(plain) else _RAW + plain


def deserves_everything(run: Run) -> bool:
    """Say whether a run did anything but plainly pass."""
    return (
        run.outcome is not Outcome.PASSED
        or len(run.evidence.attempts) > 1
        or bool(run.judgement.collateral)
        or run.judgement.diagnosis is not None
        or bool(run.evidence.experiments)
    )


def _stripped(evidence: Evidence) -> Evidence:
    return replace(evidence, exchanges=(), console=(), page_errors=(), websockets=(), events=())


def _stripped_judgement(judgement: Judgement) -> Judgement:
    return replace(judgement, collateral=()) if judgement.collateral else judgement


def _inflate(data: bytes) -> bytes:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS, _COMMON)
    try:
        return inflate.decompress(data) + inflate.flush()
    except zlib.error as error:
        msg = f"evidence is damaged: {error}"
        raise WireError(msg) from error
