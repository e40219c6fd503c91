"""Turns what a step raised into a fact about the step."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from monitor.domain.evidence import StepError, StepErrorKind
from monitor.domain.failure import Failure
from monitor.probes.browser.failures import network_error
from monitor.probes.browser.handle import PageRefused
from monitor.probes.browser.ledger import Entry, Ledger
from monitor.probes.session import ExpectationFailed

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_INTERCEPTS = re.compile(r"(<[^\n]*?>[^\n]*?)\s+(?:from (<[^\n]+>) subtree )?intercepts pointer events")
_AWAITED = (
    re.compile(r'waiting for event "([^"\n]+)"'),
    re.compile(r"waiting for (?:response|request) (?:\"|')?([^\"'\n]+)"),
    re.compile(r'navigating to "([^"\n]+)"'),
    re.compile(r'waiting for navigation to "([^"\n]+)"'),
    re.compile(r"waiting for ((?:locator|get_by_\w+|getBy\w+|frame_locator)\([^\n]+)"),
)
_MESSAGE = 500
_DETAIL = 2000
_CRASHED = ("Target crashed", "Page crashed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """An exception's text, split into what happened and Playwright's call log."""

    message: str
    log: str


def explain(error: BaseException, ledger: Ledger) -> StepError:
    """Return why a step did not succeed, as its exception and the exchanges tell it."""
    words = _split(_ANSI.sub("", str(error)))
    match error:
        case PageRefused():
            return _exchange(words, ledger, ledger.latest(error.url, resource="document") or ledger.latest(error.url))
        case ExpectationFailed() | AssertionError():
            return _plain(StepErrorKind.EXPECTATION, words, ledger)
        case PlaywrightTimeoutError():
            return _timeout(words, ledger)
        case PlaywrightError():
            return _playwright(words, ledger)
        case TimeoutError():
            return _plain(StepErrorKind.DEADLINE, words, ledger)
        case _:
            named = Words(message=f"{type(error).__name__}: {words.message}".rstrip(": "), log=words.log)
            return _plain(StepErrorKind.SCRIPT, named, ledger)


def _playwright(words: Words, ledger: Ledger) -> StepError:
    if any(sign in words.message for sign in _CRASHED):
        return _plain(StepErrorKind.PAGE_CRASHED, words, ledger)
    if "strict mode violation" in words.message:
        return _plain(StepErrorKind.AMBIGUOUS, words, ledger)
    if network_error(words.message):
        address = re.search(r" at (\S+)", words.message)
        entry = ledger.latest(address[1].rstrip(".")) if address else None
        return _exchange(words, ledger, entry or ledger.latest(resource="document"))
    if "intercepts pointer events" in words.log:
        return _intercepted(words, ledger)
    return _plain(StepErrorKind.SCRIPT, words, ledger)


def _timeout(words: Words, ledger: Ledger) -> StepError:
    if "intercepts pointer events" in words.log:
        return _intercepted(words, ledger)
    awaited = _awaited(words)
    entry = _awaited_entry(awaited, ledger)
    failed = entry is not None and entry.failure not in {None, Failure.ABANDONED}
    return StepError(
        kind=StepErrorKind.EXCHANGE if failed else StepErrorKind.TIMEOUT,
        message=ledger.mask(words.message, _MESSAGE),
        exchange=entry.id if entry else None,
        awaited=ledger.mask(awaited, _MESSAGE),
        detail=ledger.mask(words.log, _DETAIL),
    )


def _awaited(words: Words) -> str:
    for pattern in _AWAITED:
        found = pattern.search(words.log) or pattern.search(words.message)
        if found:
            return found[1].strip()
    return ""


def _awaited_entry(awaited: str, ledger: Ledger) -> Entry | None:
    if awaited.startswith(("http://", "https://")):
        # The page may have been redirected: what counts is the document it hangs on.
        return ledger.latest(resource="document") or ledger.latest(awaited)
    ledger.abandon_left_ones()
    return ledger.pending_like(awaited) if "/" in awaited else None


def _intercepted(words: Words, ledger: Ledger) -> StepError:
    found = _INTERCEPTS.findall(words.log)
    element, root = found[-1] if found else ("", "")
    return StepError(
        kind=StepErrorKind.INTERCEPTED,
        message=ledger.mask(words.message, _MESSAGE),
        awaited=ledger.mask(_awaited(words), _MESSAGE),
        intercepted_by=ledger.mask(root or element, _MESSAGE),
        detail=ledger.mask(words.log, _DETAIL),
    )


def _exchange(words: Words, ledger: Ledger, entry: Entry | None) -> StepError:
    return StepError(
        kind=StepErrorKind.EXCHANGE,
        message=ledger.mask(words.message, _MESSAGE),
        exchange=entry.id if entry else None,
        detail=ledger.mask(words.log, _DETAIL),
    )


def _plain(kind: StepErrorKind, words: Words, ledger: Ledger) -> StepError:
    return StepError(
        kind=kind,
        message=ledger.mask(words.message, _MESSAGE),
        awaited=ledger.mask(_awaited(words), _MESSAGE),
        detail=ledger.mask(words.log, _DETAIL),
    )


def _split(text: str) -> Words:
    # Firefox wraps its own words into those of the protocol.
    text = text.replace("Protocol error (browsingContext.navigate): unknown error\nMessage: Error: ", "")
    message, _, log = text.partition("\nCall log:")
    return Words(message=message.strip(), log=log.strip())
