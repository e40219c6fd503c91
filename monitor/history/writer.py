"""The one thread with the one connection that writes and checkpoints."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from monitor.domain.clock import Clock
from monitor.history.database import Database, Meaning, hold_alone, meaning_of
from monitor.history.disk import Ballast, file_size, free_bytes
from monitor.history.entries import Entry, Errand
from monitor.history.ledger import Ledger
from monitor.history.migrate import bring_up_to_date
from monitor.history.quarantine import put_aside
from monitor.history.values import HistoryError, HistoryStatus, ResultLostError

_LOG = logging.getLogger(__name__)
_MEASURING = 1.0

Prepared = Callable[[], Sequence[Entry | Errand]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterLimits:
    """How the writer gathers, waits and gives up.

    Attributes:
        window: Seconds for which entries are gathered into one commit while somebody waits for it.
        gather: The same where nobody does.
        linger: Seconds for which the start of a run may wait for its result, which makes it needless.
        batch: Entries of one commit at most.
        inbox: Hand-ins that may wait for the thread while a disk makes it wait; further ones are refused.
        spool_bytes: Memory that entries may take while the database is in trouble; then the oldest are dropped.
        retry: Seconds between two tries while the database is in trouble.
        farewell: Seconds to go on trying when the program ends.
    """

    window: float = 0.02
    gather: float = 0.1
    linger: float = 0.5
    batch: int = 2000
    inbox: int = 50_000
    spool_bytes: int = 64 * 1024 * 1024
    retry: float = 0.5
    farewell: float = 5.0


class Writer:
    """Takes entries from any thread and commits them in order, in groups; holds them while it cannot."""

    def __init__(
        self,
        database: Database,
        connection: sa.Connection,
        *,
        clock: Clock,
        ballast: Ballast,
        limits: WriterLimits,
        replaced: Callable[[Path], None],
    ) -> None:
        """Take over an open connection; ``replaced`` is told where a damaged database was put."""
        self._database = database
        self._connection: sa.Connection | None = connection
        self._ledger = Ledger(connection.dialect)
        self._clock = clock
        self._ballast = ballast
        self._limits = limits
        self._replaced = replaced
        self._inbox: deque[Prepared] = deque()
        self._errands: deque[Errand] = deque()
        self._spool: deque[Entry] = deque()
        self._spooled_bytes = 0
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._pause = threading.Event()
        self._trouble: str | None = None
        self._retry_at = 0.0
        self._last_commit: float | None = None
        self._dropped = 0
        self._late = 0
        self._quarantined: Path | None = None
        self._sizes: tuple[int | None, int | None, int | None] = (None, None, None)
        self._measured = clock.elapsed()
        self._thread = threading.Thread(target=self._work, name="history-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._measure()
        self._thread.start()

    def submit(self, prepare: Prepared, *, soon: bool = False) -> None:
        """Hand something in; ``prepare`` is called in the writer's thread, so that it costs the caller nothing.

        ``soon`` is for what somebody waits for.
        """
        if self._stop.is_set():
            msg = "history is closed"
            raise ResultLostError(msg)
        if len(self._inbox) >= self._limits.inbox:
            self._dropped += 1
            msg = "history is stuck: the disk has not answered for too long"
            raise ResultLostError(msg)
        self._inbox.append(prepare)
        if soon:
            self._wake.set()

    def stop(self) -> None:
        """Write what is there, as far as that is possible, and end. Blocks."""
        self._stop.set()
        self._wake.set()
        self._thread.join()
        # What was handed in while the thread took its leave.
        self._abandon_rest()

    def status(self, *, quarantined: Path | None, checked: bool) -> HistoryStatus:
        """Return how the writer fares, from memory alone."""
        free, size, wal = self._sizes
        last = self._last_commit
        return HistoryStatus(
            writer_alive=self._thread.is_alive(),
            last_commit_age=None if last is None else self._clock.elapsed() - last,
            trouble=self._trouble,
            spooled=len(self._spool),
            spooled_bytes=self._spooled_bytes,
            dropped=self._dropped,
            refused=self._late,
            ballast_freed=self._ballast.thrown_off,
            quarantined=self._quarantined or quarantined,
            checked=checked,
            disk_free_bytes=free,
            size_bytes=size,
            wal_bytes=wal,
        )

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                if self._wake.wait(self._limits.gather):
                    # What arrives while we linger is committed together with what woke us.
                    self._stop.wait(self._limits.window)
                    self._wake.clear()
                self._turn()
            self._say_farewell()
        except Exception:
            _LOG.exception("the history writer ended; nothing is stored any more")
            raise
        finally:
            self._abandon_rest()
            self._disconnect()

    def _turn(self) -> None:
        self._receive()
        if self._trouble is None or self._clock.elapsed() >= self._retry_at:
            while self._spool and self._write_batch():
                pass
            self._run_errands()
        if self._clock.elapsed() - self._measured >= _MEASURING:
            if self._trouble is None:
                self._ballast.take_up_again()
            self._measure()

    def _say_farewell(self) -> None:
        ends = self._clock.elapsed() + self._limits.farewell
        self._turn()
        while self._spool and self._clock.elapsed() < ends:
            self._pause.wait(self._limits.retry)
            self._turn()

    def _abandon_rest(self) -> None:
        self._stop.set()
        self._receive()
        if self._spool:
            _LOG.error("results were lost at the end of the program", extra={"count": len(self._spool)})
        while self._spool:
            self._drop("history was closed before the result could be written")
        while self._errands:
            self._errands.popleft().settle(None, HistoryError("history is closed"))

    def _receive(self) -> None:
        while self._inbox:
            for prepared in self._inbox.popleft()():
                if isinstance(prepared, Errand):
                    self._errands.append(prepared)
                    continue
                self._accept(prepared)

    def _accept(self, entry: Entry) -> None:
        self._spool.append(entry)
        self._spooled_bytes += entry.size
        if self._trouble is not None and not entry.patient:
            entry.settle(None)
        while self._spooled_bytes > self._limits.spool_bytes:
            self._drop("the spool is full: the database has not taken anything for too long")

    def _drop(self, reason: str) -> None:
        entry = self._spool.popleft()
        self._spooled_bytes -= entry.size
        self._dropped += 1
        entry.settle(ResultLostError(reason))

    def _write_batch(self) -> bool:
        """Write one batch; say whether to go on at once."""
        batch = [self._spool[place] for place in range(min(len(self._spool), self._limits.batch))]
        try:
            self._commit(batch)
        except DBAPIError as error:
            return self._cope(error, batch)
        except (HistoryError, OSError) as error:
            return self._wait_for_better(str(error))
        self._forget(batch)
        return True

    def _commit(self, batch: Sequence[Entry]) -> None:
        connection = self._connect()
        try:
            with connection.begin():
                self._late += self._ledger.apply(connection, batch)
        except BaseException:
            self._ledger.forget()
            raise
        self._last_commit = self._clock.elapsed()
        if self._trouble is not None:
            _LOG.warning("history is written again", extra={"spooled": len(self._spool)})
            self._trouble = None

    def _forget(self, batch: Sequence[Entry]) -> None:
        for entry in batch:
            self._spool.popleft()
            self._spooled_bytes -= entry.size
            entry.settle(None)

    def _cope(self, error: DBAPIError, batch: Sequence[Entry]) -> bool:
        match meaning_of(error):
            case Meaning.FULL if self._ballast.throw_off():
                self._disconnect()
                return True
            case Meaning.FULL:
                return self._wait_for_better("the disk is full")
            case Meaning.TROUBLE:
                return self._wait_for_better(str(error.orig).strip() or type(error.orig).__name__)
            case Meaning.CORRUPT if self._database.path is not None:
                return self._replace(self._database.path, error)
            case Meaning.CORRUPT | Meaning.REFUSED:
                return self._find_the_culprit(error, batch)

    def _wait_for_better(self, trouble: str) -> bool:
        self._disconnect()
        if self._trouble is None:
            _LOG.error("history cannot be written; results wait in memory", extra={"trouble": trouble})
        self._trouble = trouble
        self._retry_at = self._clock.elapsed() + self._limits.retry
        for entry in self._spool:
            if not entry.patient:
                entry.settle(None)
        return False

    def _replace(self, path: Path, error: DBAPIError) -> bool:
        _LOG.error("the database is damaged; it is put aside", extra={"trouble": str(error.orig)})
        self._disconnect()
        try:
            self._quarantined = put_aside(path, self._clock.now())
        except OSError as obstacle:
            return self._wait_for_better(f"the database is damaged and cannot be put aside: {obstacle.strerror}")
        self._replaced(self._quarantined)
        return True

    def _find_the_culprit(self, error: DBAPIError, batch: Sequence[Entry]) -> bool:
        """Write the entries of a refused batch one by one, so that a single bad one takes no other with it."""
        if len(batch) == 1:
            _LOG.error("the database refused an entry", extra={"check": batch[0].check, "trouble": str(error.orig)})
            self._drop(f"the database refused the result: {error.orig}")
            return True
        for entry in batch:
            try:
                self._commit([entry])
            except DBAPIError as single:
                return self._cope(single, [entry])
            self._forget([entry])
        return True

    def _run_errands(self) -> None:
        while self._errands:
            errand = self._errands.popleft()
            try:
                connection = self._connect()
                with connection.begin():
                    answer = errand.act(connection)
            except Exception as error:  # noqa: BLE001 - an errand that fails must not end the writer
                self._disconnect()
                errand.settle(None, HistoryError(str(getattr(error, "orig", None) or error)))
            else:
                self._last_commit = self._clock.elapsed()
                # It may have removed names whose numbers we remember.
                self._ledger.forget()
                errand.settle(answer, None)

    def _connect(self) -> sa.Connection:
        if self._connection is None:
            connection = self._database.writing().connect()
            try:
                hold_alone(connection)
                bring_up_to_date(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
            self._ledger.forget()
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        self._ledger.forget()
        if connection is not None:
            _close(connection)

    def _measure(self) -> None:
        self._measured = self._clock.elapsed()
        path = self._database.path
        if path is None:
            return
        free = free_bytes(path.parent)
        wal = path.with_name(path.name + "-wal")
        self._sizes = (free, file_size(path), file_size(wal))


def _close(connection: Any) -> None:
    try:
        connection.close()
    except DBAPIError:
        connection.invalidate()
